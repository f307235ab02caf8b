"""The list of async jobs, the page of one, and what can be done from there."""

from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.web.pages import actor_of
from badgerjobs.workspaces.models import Application, Role
from slurps import views
from slurps.models import AsyncJob, Collection
from tests.clients import browser_in
from tests.factories import NOW, make_collection, make_run, make_source
from tests.slurps.pages.slurp_pages import (
    WROTE,
    at,
    ended,
    held_result,
    look,
    made_job,
    made_slurper,
    press,
    queries,
    text_of,
)


def test_without_any_the_list_says_what_comes_here(shop: Application) -> None:
    page = text_of(look(shop))
    assert "No async jobs yet" in page
    assert "Make a source" in page
    assert "Make a slurper" in page
    assert "Make " not in text_of(look(shop, role=Role.VIEWER))
    made_slurper(shop)
    page = text_of(look(shop))
    assert "Make the first async job" in page
    assert "Make a s" not in page


def test_the_list_tells_each_with_its_collection_its_plan_and_its_last_result(shop: Application) -> None:
    job = made_job(shop, preset="daily")
    make_collection(shop, async_job=job)
    ended(job)
    page = text_of(look(shop))
    for said in ("Import", "Clean", "into prices", "Daily", "succeeded", "1,000 rows"):
        assert said in page


def test_what_is_held_or_not_stored_or_failed_is_told(shop: Application) -> None:
    held_result(made_job(shop, "held"))
    ended(made_job(shop, "counted"), output={**WROTE, "stage": "", "collection": ""})
    ended(made_job(shop, "broken"), state=State.FAILED, error="The code failed: x is not defined", output=None)
    page = text_of(look(shop))
    for said in ("1,000 rows, held", "1,000 rows, not stored", "x is not defined"):
        assert said in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"q": "fir"}, {"first"}),
        ({"state": "paused"}, {"second"}),
        ({"state": "enabled"}, {"first", "third"}),
        ({"state": "running"}, {"third"}),
        ({"slurper": "other"}, {"third"}),
        ({"state": "nonsense"}, {"first", "second", "third"}),
    ],
)
def test_the_list_is_narrowed_by_its_address(shop: Application, query: dict[str, Any], shown: set[str]) -> None:
    made_job(shop, "first")
    made_job(shop, "second", enabled=False)
    made_slurper(shop, "other")
    make_run(made_job(shop, "third", slurper="other").runnable, State.RUNNING, number=1, started_at=NOW)
    assert {row.job.tag for row in look(shop, **query).context["rows"]} == shown


def test_the_list_costs_no_more_for_more_jobs(shop: Application) -> None:
    ended(made_job(shop))
    before = queries(shop)
    for number in range(2, 9):
        ended(made_job(shop, f"job-{number}"))
    assert queries(shop) == before


def test_its_page_leads_to_its_slurper_its_sources_and_its_collections(shop: Application) -> None:
    made_slurper(shop, sources=("shop", "stock"))
    job = made_job(shop)
    make_collection(shop, async_job=job)
    make_collection(shop, async_job=job, name="copies", mode="upserted", key=["id"], is_active=False)
    answer = look(shop, "job", "import")
    for source in ("shop", "stock"):
        assert reverse("sources:source", args=[shop.slug, source]) in answer.content.decode()
    page = text_of(answer)
    assert page.index("prices active Normal") < page.index("copies not active Upserted")


def test_its_page_tells_what_each_run_left(shop: Application) -> None:
    job = made_job(shop)
    ended(job)
    held_result(job, 2, written=7364, dropped=1)
    ended(job, 3, output={**WROTE, "dropped": 1234})
    page = text_of(look(shop, "job", "import"))
    for said in (
        "1,234 values left out",
        " 1 value left out",
        "2,000",
        "1,000",
        "+18",
        "~940",
        "7,364 rows, held",
        "Rows and time",
    ):
        assert said in page


def test_where_all_rows_were_replaced_none_is_said_to_be_added_or_removed(shop: Application) -> None:
    ended(made_job(shop), output={**WROTE, "added": 1000, "changed": 0, "removed": 990})
    page = text_of(look(shop, "job", "import"))
    assert "replaced 990" in page
    assert "+1,000" not in page


def told_of(shop: Application, **output: Any) -> Any:
    run = ended(made_job(shop), output={**WROTE, **output})
    return browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk]))


def test_the_page_of_a_run_says_what_it_was_to_the_rows_that_were_there(shop: Application) -> None:
    page = text_of(told_of(shop, unchanged=0, dropped=2, rows=1042))
    for said in ("Added 18", "Changed 940", "Values left out 2", "Rows of the version 1,042"):
        assert said in page
    assert "Unchanged" not in page
    assert "The collection" not in page  # it is not there


def test_the_page_of_a_run_that_replaced_all_rows_leads_to_the_collection(shop: Application) -> None:
    answer = told_of(shop, added=1000, removed=990)
    assert "Replaced 990" in text_of(answer)
    assert "Added" not in text_of(answer)
    make_collection(shop, async_job=AsyncJob.objects.get())
    again = browser_in(shop).get(answer.request["PATH_INFO"])
    assert f'href="{at(shop, "collection", "prices")}">The collection<' in again.content.decode()


@pytest.mark.parametrize(
    ("became", "in_list", "on_page", "drawn"),
    [
        ({"stage": "ready", "version": 3, "approved": True}, "approved as version 3", "approved as version 3", "wrote"),
        ({"stage": "dropped"}, "dropped", "dropped: readers never saw it", "unseen"),
        ({"stage": "replaced", "replaced_by": 7}, "replaced by run 7", "replaced by run 7 before it was", "unseen"),
        ({"stage": "held"}, "waits no longer", "waits no longer: it was dropped, or a later run", "unseen"),
    ],
)
def test_what_became_of_a_result_that_waited_is_told_where_its_run_is(
    shop: Application, became: Any, in_list: str, on_page: str, drawn: str
) -> None:
    job = made_job(shop)
    ended(job)
    run = ended(job, 2, output={**WROTE, "version": None, **became})
    answer = look(shop, "job", "import")
    assert f"1,000 rows, {in_list}" in text_of(answer)
    assert "rows, held" not in text_of(answer)
    assert answer.context["page"].drawing.marks[-1].became == drawn
    page = text_of(browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk])))
    assert f"Result {on_page}" in page
    assert f"1,000 rows, {in_list}" in text_of(look(shop))


def test_the_page_of_a_run_says_that_its_result_waits(shop: Application) -> None:
    run = held_result(made_job(shop))
    page = text_of(browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk])))
    assert "Result waits for approval" in page
    assert "Rows of the version" not in page


def test_what_sources_gave_nothing_to_go_on_from_is_not_told(shop: Application) -> None:
    job = made_job(shop)
    AsyncJob.objects.filter(pk=job.pk).update(remembered={"shop": None})
    page = text_of(look(shop, "job", "import"))
    assert "Goes on from" not in page
    assert "Pull everything anew" not in page
    AsyncJob.objects.filter(pk=job.pk).update(remembered={"shop": 7, "stock": None})
    assert "Goes on from shop 7 " in text_of(look(shop, "job", "import"))
    assert "remembered of shop to go on" in text_of(look(shop, "forget", "import"))


def test_few_runs_are_drawn_no_wider_than_many(shop: Application) -> None:
    job = made_job(shop)
    ended(job)
    ended(job, 2, State.FAILED)
    drawn = look(shop, "job", "import").context["page"].drawing
    assert drawn.width < 8
    assert all(mark.x > 200 for mark in drawn.marks)
    assert [mark.title for mark in drawn.marks] == ["Run 1: 1,000 rows; took 0 ms", "Run 2: failed; took 0 ms"]


def test_what_became_of_each_run_is_drawn_and_counted_and_leads_to_its_log(shop: Application) -> None:
    job = made_job(shop)
    outputs: list[dict[str, Any]] = [WROTE, {**WROTE, "written": 0}]
    runs = [ended(job, number, output=output) for number, output in enumerate(outputs, 1)]
    runs += [
        held_result(job, 3),
        ended(job, 4, State.FAILED, output=None, error="The code failed"),
        ended(job, 5, State.ABORTED, output=None),
    ]
    runs += [make_run(job.runnable, State.SKIPPED, skip_reason="overlap", skipped_count=3, started_at=None)]
    make_run(job.runnable, State.RUNNING, number=6, started_at=NOW)
    answer = look(shop, "job", "import")
    drawn = answer.context["page"].drawing
    assert [mark.became for mark in drawn.marks] == ["wrote", "nothing", "held", "failed", "aborted", "skipped"]
    assert [mark.address for mark in drawn.marks] == [reverse("runs:run", args=[shop.slug, run.pk]) for run in runs]
    assert drawn.marks[3].title == "Run 4: failed: The code failed; took 0 ms"
    assert "3 occurrences" in drawn.marks[5].title
    said = "1 wrote rows 1 wrote none 1 held for approval 1 failed 1 aborted 1 skipped"
    assert said in text_of(answer)


def test_a_long_history_is_drawn_in_part(shop: Application) -> None:
    job = made_job(shop)
    for number in range(1, 41):
        ended(job, number, output={**WROTE, "written": number})
    drawn = look(shop, "job", "import").context["page"].drawing
    assert [(mark.title.partition(":")[0], mark.place) for mark in (drawn.marks[0], drawn.marks[-1])] == [
        ("Run 11", 0), ("Run 40", 232),
    ]  # fmt: skip
    assert (drawn.most_rows, drawn.last_rows, drawn.marks[-1].rows, drawn.marks[0].rows) == (40, 40, 40, 11)


def test_its_page_costs_no_more_for_more_runs_and_collections(shop: Application) -> None:
    job = made_job(shop)
    make_collection(shop, async_job=job)
    ended(job)
    ended(job, 2)
    before = queries(shop, "job", "import")
    for number in range(3, 9):
        ended(job, number)
        make_collection(shop, async_job=job, name=f"copy-{number}", is_active=False)
    assert queries(shop, "job", "import") == before


def test_who_may_only_look_is_offered_nothing_to_press(shop: Application) -> None:
    job = made_job(shop)
    make_collection(shop, async_job=job)
    make_run(job.runnable, State.QUEUED, number=1)
    for name, *args in (["list"], ["job", "import"]):
        html = look(shop, name, *args, role=Role.VIEWER).content.decode()
        main = html[html.index("<main") : html.index("</main>")]
        assert 'method="post"' not in main
        assert not any(verb in main for verb in ("/edit/", "/pause/", "/delete/", "new-"))


def test_running_it_makes_a_run(shop: Application) -> None:
    job = made_job(shop, enabled=False)
    answer = press(shop, "run", "import")
    run = Run.objects.get(runnable=job.runnable)
    assert (run.cause, run.input) == ("manual", None)
    assert reverse("runs:run", args=[shop.slug, run.pk]) in answer.content.decode()


def test_one_whose_sources_ask_for_values_is_run_with_them(shop: Application) -> None:
    make_source(shop, "asking", type="JSONL", configuration={"url": "https://example.com/{{DAY}}"}, variables=["DAY"])
    made_slurper(shop, sources=("asking",))
    job = made_job(shop)
    assert "Run now…" in text_of(look(shop, "job", "import"))
    asked = press(shop, "run", "import")
    assert "ask for 1 value" in text_of(asked)
    assert not Run.objects.filter(runnable=job.runnable).exists()
    values: dict[str, Any] = {"value:DAY": "2026-11-01"}
    press(shop, "run", "import", **values)
    assert Run.objects.get(runnable=job.runnable).input == {"values": {"DAY": "2026-11-01"}}


def test_it_is_paused_and_resumed(shop: Application) -> None:
    job = made_job(shop, preset="daily")
    assert "Pause Import?" in text_of(look(shop, "pause", "import"))
    assert "Paused." in text_of(press(shop, "pause", "import", reason="the shop moves"))
    row = Runnable.objects.get(pk=job.runnable_id)
    assert (row.enabled, row.pause_reason) == (False, "the shop moves")
    assert "the shop moves" in text_of(look(shop, "job", "import"))
    press(shop, "resume", "import")
    assert Runnable.objects.get(pk=job.runnable_id).enabled


def test_what_its_sources_gave_to_go_on_from_is_forgotten(shop: Application) -> None:
    job = made_job(shop)
    assert "Nothing is remembered" in text_of(press(shop, "forget", "import"))
    AsyncJob.objects.filter(pk=job.pk).update(remembered={"shop": "2026-11-01"})
    assert "What is remembered of shop" in text_of(look(shop, "forget", "import"))
    press(shop, "forget", "import")
    job.refresh_from_db()
    assert job.remembered == {}


def test_what_is_to_be_forgotten_of_a_job_that_was_deleted_meanwhile_is_gone(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    AsyncJob.objects.filter(pk=made_job(shop).pk).update(remembered={"shop": 1})
    monkeypatch.setattr(views, "actor_of", lambda request: (AsyncJob.objects.all().delete(), actor_of(request))[1])
    assert "This async job was deleted in the meantime." in text_of(press(shop, "forget", "import"))


def test_deleting_it_is_asked_with_what_goes_with_it(shop: Application) -> None:
    job = made_job(shop)
    make_collection(shop, async_job=job)
    ended(job)
    page = text_of(look(shop, "delete", "import"))
    assert "With it go 1 run and the collection prices." in page
    assert AsyncJob.objects.filter(pk=job.pk).exists()
    press(shop, "delete", "import")
    assert not AsyncJob.objects.exists()
    assert not Collection.objects.exists()


def test_it_is_made_in_a_form_and_changed(shop: Application) -> None:
    made_slurper(shop)
    given: dict[str, Any] = {
        "name": "prices", "slurper": "clean", "when": "preset", "preset": "daily", "time_zone": "UTC", "enabled": "on",
        "overlap": "queue_one", "timeout": "60",
    }  # fmt: skip
    answer = press(shop, "new", **given)
    assert answer.redirect_chain[-1][0] == at(shop, "job", "prices")
    job = AsyncJob.objects.get(tag="prices")
    assert (job.timeout_s, job.runnable.preset, job.runnable.overlap) == (60, "daily", "queue_one")
    seen = look(shop, "edit", "prices").context["seen"]
    press(shop, "edit", "prices", **given | {"name": "Prices", "timeout": "90", "seen": seen})
    job.refresh_from_db()
    assert (job.name, job.timeout_s) == ("Prices", 90)
    stale = press(shop, "edit", "prices", **given | {"name": "Other", "seen": seen})
    assert stale.context["form"].non_field_errors()


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"slurper": ""}, "slurper", "Choose the slurper"),
        ({"slurper": "gone"}, "slurper", "There is no slurper “gone”"),
        ({"name": ""}, "name", "Give the async job a name"),
        ({"timeout": "soon"}, "timeout", "whole seconds"),
        ({"when": "cron", "cron": "x"}, "cron", "five fields"),
        ({"overlap": "allow"}, "overlap", "allow"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(shop: Application, given: dict[str, str], field: str, said: str) -> None:
    made_slurper(shop)
    whole: dict[str, Any] = {
        "name": "prices",
        "slurper": "clean",
        "when": "hand",
        "enabled": "on",
        "timeout": "60",
        **given,
    }
    errors = press(shop, "new", **whole).context["form"].errors
    assert list(errors) == [field]
    assert said in str(errors[field])
    assert not AsyncJob.objects.exists()


def test_a_schedule_that_is_typed_is_shown_before_it_is_saved(shop: Application) -> None:
    given: dict[str, Any] = {"when": "every", "every": "15", "unit": "minutes", "time_zone": "UTC", "enabled": "on"}
    answer = press(shop, "preview", **given)
    assert "Every 15 minutes" in text_of(answer)
