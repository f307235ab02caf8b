"""The page of the engine: what waits, and what each process does now."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from badgerjobs.panel.engine import EnginePage
from badgerjobs.web.pages import PageRequest, application_page, show
from badgerjobs.workspaces.models import Application, Role


@require_safe
@application_page(Role.VIEWER)
def engine(request: PageRequest, application: Application) -> HttpResponse:
    """Show it, or the part that asks for itself."""
    return show(request, "panel/engine.html", {"engine": EnginePage(application)})
