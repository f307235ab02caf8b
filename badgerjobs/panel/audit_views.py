"""The audit log of a workspace: who did what, when and from where, to read and to take away."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.panel.audit_filters import AuditFilters
from badgerjobs.panel.audit_lines import as_csv, as_json_lines, in_chunks, line_of
from badgerjobs.web.pages import PageRequest, actor_of, only_posted, show, workspace_page
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit_reading import PIECE, Found, all_back, look_back
from badgerjobs.workspaces.models import Application, AuditEntry, Role, Workspace
from badgerjobs.workspaces.querysets import AuditQuerySet

PAGE = 50

FORMATS: dict[str, Any] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_json_lines, "application/x-ndjson; charset=utf-8"),
}


@require_safe
@workspace_page(Role.ADMIN)
def audit_log(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """A page of the log, newest first, as narrow as the address says."""
    filters = _filters(request, workspace, request.GET)
    found = Found([], None, is_cut=False)
    if filters.is_valid():
        before = _id(request.GET.get("before", ""))
        found = look_back(filters.within(_log(request, workspace)), wanted=filters.wanted, count=PAGE, before=before)
    context = {
        "filters": filters,
        "lines": [line_of(entry) for entry in found.entries],
        "found": found,
        "looked_at": PIECE,
        "days": settings.AUDIT_DAYS,
        "is_newest": not request.GET.get("before"),
    }
    return show(request, "panel/audit.html", context)


@workspace_page(Role.ADMIN)
@only_posted
def export_audit_log(request: PageRequest, workspace: Workspace) -> HttpResponse:
    """All that matches, as a file that is written while it is read. The log says who took it."""
    filters, form = _filters(request, workspace, request.POST), request.POST.get("format", "")
    if not filters.is_valid() or form not in FORMATS:
        raise BadRequest("These filters, or this format, are not on the page.")
    now = timezone.now()
    audit.record(
        by=actor_of(request),
        action="audit.export",
        subject=form.upper(),
        now=now,
        workspace=workspace,
        changes={name: [None, value] for name, value in filters.given.items()},
    )
    log = filters.within(_log(request, workspace))
    lines_of, content_type = FORMATS[form]
    name = f"audit-{workspace.slug}-{now:%Y-%m-%d}.{form}"
    # Django has a class of its own for it, which is no HttpResponse to a checker of types.
    answer: Any = StreamingHttpResponse(
        in_chunks(lines_of(all_back(log, wanted=filters.wanted, before=uuid7_floor(now)))),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
    return answer  # type: ignore[no-any-return]


def _log(request: PageRequest, workspace: Workspace) -> AuditQuerySet:
    return AuditEntry.objects.for_user(request.user).filter(workspace=workspace)


def _filters(request: PageRequest, workspace: Workspace, asked: QueryDict) -> AuditFilters:
    applications = Application.objects.for_user(request.user).filter(workspace=workspace).order_by("name")
    return AuditFilters(asked, applications=applications)


def _id(text: str) -> UUID | None:
    """What is no id of ours begins at the newest."""
    try:
        return UUID(text)
    except ValueError:
        return None
