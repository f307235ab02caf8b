"""The pages about incidents, and about who is told of them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from badgerjobs.notices.forms import NoticesForm, initial
from badgerjobs.notices.services import NobodyToTellError, change_notices, send_test, settings_of
from badgerjobs.runs.models import FINAL, Incident, Run
from badgerjobs.runs.shown import entitle
from badgerjobs.web.cursors import page_of
from badgerjobs.web.limits import count
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted, show
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Role

# So many open ones are listed, and so many closed ones on a page.
OPEN, CLOSED = 100, 30
TESTS_PER_HOUR = 20


@require_safe
@application_page(Role.VIEWER)
def incidents(request: PageRequest, application: Application) -> HttpResponse:
    """What is wrong now, and what was."""
    rows = Incident.objects.for_application(application).select_related("runnable")
    found = list(rows.filter(closed_at=None).order_by("-id")[: OPEN + 1])
    closed = page_of(
        rows.filter(closed_at__isnull=False), order="-pk", cursor=request.GET.get("cursor", ""), size=CLOSED
    )
    entitle(one.runnable for one in (*found, *closed.rows))
    context = {
        "open": found[:OPEN],
        "has_more": len(found) > OPEN,
        "closed": closed,
        "settings": settings_of(application),
    }
    return show(request, "notices/incidents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@application_page(Role.ADMIN)
def notices(request: PageRequest, application: Application) -> HttpResponse:
    """Who is told of what, and the form that changes it."""
    row = settings_of(application)
    row.application = application
    form = NoticesForm(request.POST or None, row=row, initial=initial(row))
    if request.method == "POST" and form.is_valid():
        base_url = request.build_absolute_uri("/").removesuffix("/")
        try:
            change_notices(
                application=application, base_url=base_url, by=actor_of(request), now=timezone.now(),
                **form.fields_for_service,
            )  # fmt: skip
        except RefusedError as refused:
            messages.error(request, str(refused), extra_tags="bad")
        else:
            messages.success(request, "Who is told of what is saved.")
        return redirect("notices:settings", application.slug)
    tested = Run.objects.for_application(application).filter(pk__in=row.tested).order_by("pk")
    runs = list(tested.prefetch_related("tries"))
    context = {
        "form": form,
        "row": row,
        "tests": runs,
        "is_testing": any(run.state not in FINAL for run in runs),
    }
    return show(request, "notices/notices.html", context)


@application_page(Role.ADMIN)
@only_posted
def test(request: PageRequest, application: Application) -> HttpResponse:
    """Send a notice that says that it is a test."""
    if count(f"test-notices:{application.pk}", window_s=3600) > TESTS_PER_HOUR:
        said = f"An application sends {TESTS_PER_HOUR} test notices an hour at most: try again later."
        messages.error(request, said, extra_tags="bad")
        return redirect("notices:settings", application.slug)
    try:
        send_test(application=application, by=actor_of(request), now=timezone.now())
    except NobodyToTellError as nobody:
        messages.error(request, str(nobody), extra_tags="bad")
    else:
        messages.success(request, "The test is on its way. What comes of it is below.")
    return redirect("notices:settings", application.slug)
