"""The page of the cache: how well it is read, how its keys stand, and how their syncs fare."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.web.pages import PageRequest, application_page, show
from badgerjobs.workspaces.models import Application, Role
from tasks.cache.figures import Figures
from tasks.cache.ranges import RANGES, range_named


@require_safe
@application_page(Role.VIEWER)
def dashboard(request: PageRequest, application: Application) -> HttpResponse:
    """All of it; what to do next while there is no key."""
    chosen = range_named(request.GET.get("range", ""))
    figures = Figures(application, chosen, now=timezone.now(), place=timezone.get_current_timezone())
    return show(request, "tasks/cache.html", {"figures": figures, "ranges": RANGES.values()})
