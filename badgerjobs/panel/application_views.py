"""An application's settings, its signing key, and its end."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.panel.forms import OVERLAPS, NameForm, PolicyForm, initial_policy
from badgerjobs.panel.refusals import gone_is_404, refused_goes_to
from badgerjobs.panel.services import delete_application
from badgerjobs.runs.limiting import change_settings, limits_of
from badgerjobs.runs.models import Run
from badgerjobs.runs.saying import retries_in_words
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Role
from badgerjobs.workspaces.services import rename_application
from badgerjobs.workspaces.signing import end_previous_key, rotate_key
from jobs.models import Job

# Runs are counted up to here: the question must not take longer the more there are.
MOST_COUNTED = 10_000


def _workspace(application: Application) -> str:
    return reverse("panel:workspace", args=[application.workspace.slug])


@require_safe
@application_page(Role.VIEWER)
def settings_page(request: PageRequest, application: Application) -> HttpResponse:
    """What holds for all its jobs and runs; admins change it."""
    return _settings(request, application)


@gone_is_404
@application_page(Role.ADMIN)
@only_posted
def change(request: PageRequest, application: Application) -> HttpResponse:
    """Save retries, limits and retention."""
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _settings(request, application, policy=form)
    change_settings(application=application, by=actor_of(request), now=timezone.now(), **form.cleaned_data)
    messages.success(request, "The settings are saved.")
    return redirect("panel:settings", application.slug)


@application_page(Role.ADMIN)
@only_posted
def rename(request: PageRequest, application: Application) -> HttpResponse:
    """Give it another name."""
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            by, now = actor_of(request), timezone.now()
            renamed = rename_application(application=application, name=form.cleaned_data["name"], by=by, now=now)
        except RefusedError as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"The application is named “{renamed}” now. Its address and its tokens stay.")
            return redirect("panel:settings", application.slug)
    return _settings(request, application, name=form)


@application_page(Role.OWNER)
@refused_goes_to(_workspace)
def delete(request: PageRequest, application: Application) -> HttpResponse:
    """Ask for the name, then delete it with all that is in it."""
    typed = request.POST.get("typed", "").strip()
    if request.method == "POST" and typed == application.name:
        delete_application(application=application, by=actor_of(request), now=timezone.now())
        messages.success(request, f"“{application}” is deleted. Its tokens open nothing any more.")
        return redirect(_workspace(application))
    return ask(
        request,
        title=f"Delete the application “{application}”?",
        text=f"{_contents(application)} go with it, and its tokens open nothing from then on. "
        "Nobody can bring them back.",
        confirm="Delete the application",
        back=reverse("panel:settings", args=[application.slug]),
        danger=True,
        type_name=application.name,
        wrong="" if request.method == "GET" else f"“{typed}” is not its name.",
    )


@require_safe
@application_page(Role.ADMIN)
def signing_key(request: PageRequest, application: Application) -> HttpResponse:
    """The key, for who asks for it, and the choice of a new one."""
    ends = application.previous_key_until
    previous = application.previous_signing_key if ends and ends > timezone.now() else ""
    overlaps = [(value, words) for value, (_, words) in OVERLAPS.items()]
    return show(request, "panel/signing_key.html", {"overlaps": overlaps, "previous": previous})


@gone_is_404
@application_page(Role.ADMIN)
def rotate(request: PageRequest, application: Application) -> HttpResponse:
    """Ask, then make a new signing key. How long the old one signs too stands in the address."""
    overlap, words = OVERLAPS.get(request.GET.get("overlap", "24h"), (None, ""))
    if overlap is None:
        raise Http404
    if request.method == "POST":
        rotate_key(application=application, overlap=overlap, by=actor_of(request), now=timezone.now())
        messages.success(request, "There is a new signing key. Put it where your endpoints check signatures.")
        return redirect("panel:signing-key", application.slug)
    return ask(
        request,
        title="Rotate the signing key?",
        text=_what_happens(application, overlap, words),
        confirm="Rotate the key",
        keep="Keep the key",
        back=reverse("panel:signing-key", args=[application.slug]),
        danger=not overlap,
    )


@gone_is_404
@application_page(Role.ADMIN)
def end_key(request: PageRequest, application: Application) -> HttpResponse:
    """Ask, then stop signing with the key from before the last rotation."""
    if request.method == "POST":
        end_previous_key(application=application, by=actor_of(request), now=timezone.now())
        messages.success(request, "The old key is over: calls are signed with the new one alone.")
        return redirect("panel:signing-key", application.slug)
    return ask(
        request,
        title="End the old key now?",
        text="Endpoints that still check signatures with the old key will refuse our calls from then on.",
        confirm="End the old key",
        back=reverse("panel:signing-key", args=[application.slug]),
        danger=True,
    )


def _settings(
    request: PageRequest, application: Application, policy: PolicyForm | None = None, name: NameForm | None = None
) -> HttpResponse:
    context = {
        "policy": policy or PolicyForm(initial=initial_policy(application)),
        "name": name or NameForm(initial={"name": application.name}),
        "retries": retries_in_words(application.policy),
        "limits": limits_of(application),
        "installation": {
            "days": settings.RETENTION_DAYS,
            "background_days": settings.BACKGROUND_RETENTION_DAYS,
            "requests": settings.RATE_LIMIT_PER_SECOND,
        },
        "application": application,
    }
    return show(request, "panel/settings.html", context)


def _contents(application: Application) -> str:
    jobs = Job.objects.for_application(application).count()
    runs = Run.objects.for_application(application).order_by()[: MOST_COUNTED + 1].count()
    many = f"more than {MOST_COUNTED:,}" if runs > MOST_COUNTED else f"{runs:,}"
    return f"{jobs:,} job{'' if jobs == 1 else 's'} and {many} run{'' if runs == 1 else 's'} with their results"


def _what_happens(application: Application, overlap: timedelta, words: str) -> str:
    ends = application.previous_key_until
    before = "The key from before the last rotation is over at once. " if ends and ends > timezone.now() else ""
    if not overlap:
        return f"{before}Endpoints that check signatures will refuse our calls until they have the new key."
    return f"{before}For {words} our calls bear the signatures of both keys: time to put the new one in its place."
