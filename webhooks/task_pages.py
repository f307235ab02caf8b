"""What the pages of a webhook task show of its hook: the row `page` of `tasks/hooks.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse

from tasks.models import Task
from webhooks.deliveries.rows import Row, rows_of
from webhooks.models import Delivery, Hook

# So many of the last deliveries are listed on the page of a task.
DELIVERIES = 5


@dataclass(frozen=True)
class HookOnPage:
    """The hook of a task. `page`, `edit`, `transform` are addresses, and `all` that of the list of its deliveries."""

    hook: Hook
    page: str
    edit: str
    transform: str
    all: str

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The last deliveries, the newest first: three queries and one."""
        found = Delivery.objects.for_application(self.hook.application).of(self.hook).defer("body", "headers")
        return rows_of(self.hook.application, found.order_by("-pk")[:DELIVERIES])

    @property
    def verification(self) -> str:
        """How its callers prove who they are, as people call it; empty where nothing is asked of them."""
        return "" if self.hook.verification == "none" else str(self.hook.get_verification_display())


def hook_on_page(task: Task) -> HookOnPage | None:
    """What is shown of a task's hook; None where it has none."""
    hook = Hook.objects.for_application(task.application).filter(task=task).first()
    if hook is None:
        return None
    hook.application = task.application
    slug = task.application.slug
    page, edit, transform = (
        reverse(f"webhooks:{name}", args=[slug, hook.tag]) for name in ("hook", "edit", "transform")
    )
    deliveries = f"{reverse('webhooks:deliveries', args=[slug])}?{urlencode({'hook': hook.tag})}"
    return HookOnPage(hook, page, edit, transform, deliveries)
