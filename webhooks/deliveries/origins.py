"""From which delivery a run came: the row of `runs/origins.py`."""

from badgerjobs.runs.models import Run
from badgerjobs.runs.origins import Origin
from webhooks.deliveries.page import page_of
from webhooks.models import KIND, Act, Delivery


def delivery_of(run: Run) -> Origin | None:
    """The delivery whose action made this run; None where that is not kept any more.

    A run of a delivery shows it as what was asked of it.
    """
    if run.kind == KIND:
        return None
    acts = Act.objects.for_application(run.application).filter(caused=run.pk)
    found = Delivery.objects.for_application(run.application).filter(pk__in=acts.values("delivery_id"))
    delivery = found.only("pk", "application_id").first()
    return Origin("a delivery", page_of(run.application, delivery.pk)) if delivery else None
