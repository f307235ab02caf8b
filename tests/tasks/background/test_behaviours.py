"""Which tests show which behaviour of Webiny's, by the numbers of docs/adr/0018; and what is shown nowhere else."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.db import transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import FINAL, State
from badgerjobs.workspaces.models import Application
from tasks.background import perform
from tasks.models import BackgroundRun
from tests.factories import NOW, make_background_run

TESTS = Path(__file__).resolve().parents[2]
HERE = "tasks/background/"
DECISION = TESTS.parent / "docs" / "adr" / "0018-where-background-tasks-differ-from-webinys.md"

# Each: the file of a test, and its name.
SHOWN: Mapping[int, Sequence[str]] = {
    # Triggering
    1: [f"{HERE}test_triggering.py test_an_unknown_definition_is_refused"],
    2: [
        f"{HERE}test_triggering.py test_the_hook_comes_first_and_then_the_delay_and_then_the_input",
        f"{HERE}test_triggering.py test_what_a_hook_raises_keeps_its_code_and_what_it_wrote_is_gone",
    ],
    3: [f"{HERE}test_triggering.py test_the_task_is_there_exactly_if_the_transaction_commits"],
    4: [f"{HERE}test_triggering.py test_a_triggered_task_is_a_queued_run_with_a_row"],
    5: [
        f"{HERE}test_triggering.py test_the_longest_delay_is_below_355_days",
        f"{HERE}test_triggering.py test_a_delay_that_is_no_whole_number_of_seconds_is_refused",
    ],
    6: [
        f"{HERE}test_triggering.py test_a_delayed_task_waits_and_is_pending",
        f"{HERE}test_perform.py test_with_the_first_iteration_it_has_begun",
    ],
    7: [
        f"{HERE}test_triggering.py test_a_private_definition_is_for_code_alone",
        "graphql/test_background_verbs.py test_private_and_unknown_definitions_are_no_values_of_the_enum",
        "graphql/test_background.py test_public_definitions_are_listed_and_private_ones_are_not",
        "graphql/test_background.py test_runs_of_private_definitions_are_listed",
    ],
    # Iterations
    8: [
        f"{HERE}test_perform.py test_with_the_first_iteration_it_has_begun",
        f"{HERE}test_perform.py test_each_iteration_counts_and_the_start_stays",
    ],
    9: [
        f"{HERE}test_perform.py test_after_its_most_iterations_it_fails_and_its_code_does_not_run",
        f"{HERE}test_following.py test_the_hooks_of_an_end_run_by_themselves",
        f"{HERE}test_hooks.py test_two_hooks_have_an_iteration_each",
    ],
    10: [
        f"{HERE}test_behaviours.py test_what_is_over_is_never_performed_again",
        f"{HERE}test_services.py test_what_is_over_cannot_be_aborted",
    ],
    11: [
        f"{HERE}test_behaviours.py test_a_run_whose_task_is_gone_is_left_out",
        f"{HERE}test_reading.py test_one_of_another_application_is_not_there",
    ],
    12: [
        f"{HERE}test_context.py test_a_context_has_the_application_the_settings_and_verbs_of_that_application",
        f"{HERE}test_process.py test_code_knows_its_application_and_its_run",
    ],
    13: [f"{HERE}test_process.py test_whatever_code_raises_is_an_error_and_the_process_goes_on"],
    # Answers
    14: [
        f"{HERE}test_responses.py test_done_takes_a_message_an_output_or_both",
        f"{HERE}test_perform.py test_what_is_done_is_stored_and_told",
        f"{HERE}test_perform.py test_what_says_nothing_at_its_end_is_told_to_be_done",
    ],
    15: [
        f"{HERE}test_responses.py test_continue_merges_over_the_input",
        f"{HERE}test_responses.py test_a_wait_is_as_documented",
        f"{HERE}test_perform.py test_what_goes_on_is_told_with_its_input",
    ],
    16: [
        f"{HERE}test_responses.py test_an_error_is_kept_as_the_output",
        f"{HERE}test_perform.py test_the_error_of_code_stays_as_it_is",
    ],
    17: [
        f"{HERE}test_responses.py test_aborted_keeps_what_there_is",
        f"{HERE}test_following.py test_children_of_what_aborted_itself_are_aborted",
        "runs/test_iterations.py test_what_gives_itself_up_is_aborted",
    ],
    18: [
        f"{HERE}test_outputs.py test_the_bound_is_the_documented_one",
        f"{HERE}test_outputs.py test_stacks_are_dropped_first_wherever_they_are",
        f"{HERE}test_outputs.py test_what_is_a_byte_too_long_is_replaced",
    ],
    19: [f"{HERE}test_hooks.py test_one_that_raises_is_told_and_changes_nothing_else"],
    # Aborting
    20: [
        f"{HERE}test_services.py test_what_is_not_over_can_be_aborted",
        f"{HERE}test_services.py test_what_is_over_cannot_be_aborted",
    ],
    21: [
        f"{HERE}test_services.py test_what_is_not_over_can_be_aborted",
        f"{HERE}test_services.py test_without_a_message_it_says_that_it_was_aborted",
        f"{HERE}test_following.py test_the_hooks_of_an_end_run_by_themselves",
    ],
    22: [f"{HERE}test_pool.py test_an_abort_is_seen_in_the_database"],
    23: [
        "runs/test_iterations.py test_an_abort_in_the_middle_of_an_iteration_wins",
        "e2e/test_background.py test_what_was_aborted_never_ends_otherwise",
    ],
    # Time, children, and what is left
    24: [f"{HERE}test_params.py test_the_remaining_time_runs_out_and_is_never_less_than_none"],
    25: [
        f"{HERE}test_services.py test_children_are_aborted_too_unless_they_are_spared",
        f"{HERE}test_following.py test_children_of_what_ended_otherwise_go_on",
    ],
    26: [
        f"{HERE}test_definitions.py test_what_cleans_up_after_itself_keeps_no_logs",
        f"{HERE}test_hooks.py test_after_its_hook_a_task_is_deleted_with_what_descends_from_it",
        f"{HERE}test_hooks.py test_a_task_that_cannot_be_deleted_stays",
    ],
    27: [f"{HERE}test_services.py test_who_asked_stands_in_the_audit_log_and_code_does_not"],
    28: [
        f"{HERE}test_retention.py test_the_definition_decides_and_then_the_application_and_then_the_setting",
        "panel/test_application_settings.py test_background_tasks_are_kept_for_a_time_of_their_own",
        "panel/test_application_settings.py test_settings_that_cannot_be_are_refused_and_stay_typed",
    ],
}


@pytest.mark.parametrize("number", range(1, 29))
def test_each_behaviour_is_shown_by_tests_that_are_there(number: int) -> None:
    assert SHOWN[number]
    for one in SHOWN[number]:
        file, name = one.split()
        assert f"def {name}(" in (TESTS / file).read_text(), one


def test_the_decision_says_of_those_that_differ_why() -> None:
    rows = re.findall(r"^\| (\d+) \|(.+)\|$", DECISION.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == [3, 5, 9, 10, 11, 12, 17, 19, 21, 22, 23, 24, 25, 26, 27]
    assert all(all(cell.strip() for cell in cells.split(" | ")) and cells.count(" | ") == 2 for _, cells in rows)


def claimed() -> list[Claimed]:
    with transaction.atomic():
        return lifecycle.claim(queue="compute", worker=uuid7(), limit=10, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_over_is_never_performed_again(shop: Application, state: State) -> None:
    make_background_run(shop, state)
    assert claimed() == []


@pytest.mark.django_db
def test_a_run_whose_task_is_gone_is_left_out(shop: Application) -> None:
    gone, there = make_background_run(shop), make_background_run(shop)
    BackgroundRun.objects.filter(pk=gone.pk).delete()
    with transaction.atomic():
        assert set(perform.load(claimed())) == {there.pk}
