"""What is wrong with the fields of a retry policy, and what would be right; and the policy that they make."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from badgerjobs.lib import words
from badgerjobs.lib.backoff import GROWTH, LIST, LONGEST, REPEATER, Retries

MOST_RETRIES = 50
MOST_STEP_S = 86_400
MOST_DELAY_S = round(LONGEST.total_seconds())
MOST_FOR_S = 30 * 86_400

POLICIES = (*GROWTH, LIST)
# Another way to say a policy of 24 retries, retry^4 seconds each.
SHORTHAND = "repeater"
FIELDS = ("retry_policy", "retries", "retry_step", "retry_delays", "retry_for")

IN_VAIN = "`retryable` is false, so nothing is tried again: leave this out, or set `retryable` to true."


class RetryFieldsError(ValueError):
    """Fields that contradict each other. `errors` maps each one's name to a sentence that says what would be right."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(f"{field}: {sentence}" for field, sentence in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whether a failed attempt is repeated, and how."""

    retryable: bool
    policy: Retries


def by_name(policy: Retries) -> dict[str, Any]:
    """A policy by the names in FIELDS."""
    values = (policy.backoff, policy.retries, policy.step_s, list(policy.delays), policy.for_s)
    return dict(zip(FIELDS, values, strict=True))


def chosen(
    given: Mapping[str, Any], *, base: Retries, retryable: bool, had_none: bool = False, stored: Retries | None = None
) -> Chosen:
    """Put what is given of FIELDS and `retryable`, each right by itself, over what there was. Raises RetryFieldsError.

    Who says how often, and not whether, means that it is. What is not retryable has a policy with no retries; what is
    may have none only if it `had_none`, or has none by default. How what is not is tried again may be said only as it
    is by default, as it is `stored`, or beside 0 retries, as it reads: what was read can be sent back.
    """
    wanted = given.get("retryable", _implied(given, retryable))
    errors = _contradictions(given, base) | _unclear(given, had_none or not base.retries)
    if errors := errors if wanted else errors | _in_vain(given, base, stored or base):
        raise RetryFieldsError(errors)
    policy = _over(given, base)
    if not wanted:
        return Chosen(retryable=False, policy=replace(policy, retries=0))
    if errors := _unreachable(policy):
        raise RetryFieldsError(errors)
    return Chosen(retryable=True, policy=policy)


def _implied(given: Mapping[str, Any], retryable: bool) -> bool:
    if "retries" in given:
        return bool(given["retries"])
    return retryable or bool(given.get("retry_delays")) or given.get("retry_policy") == SHORTHAND


def _over(given: Mapping[str, Any], base: Retries) -> Retries:
    if given.get("retry_policy") == SHORTHAND:
        return replace(REPEATER, for_s=given.get("retry_for"))
    backoff = given.get("retry_policy", base.backoff)
    delays = tuple(given.get("retry_delays", base.delays)) if backoff == LIST else ()
    retries = len(delays) if backoff == LIST else given.get("retries", base.retries)
    return Retries(backoff, retries, given.get("retry_step", base.step_s), delays, given.get("retry_for", base.for_s))


def _contradictions(given: Mapping[str, Any], base: Retries) -> dict[str, str]:
    policy = given.get("retry_policy", base.backoff)
    if policy == SHORTHAND:
        return _not_the_shorthand(given)
    delays = given.get("retry_delays", base.delays)
    if policy != LIST:
        said = f"Only the policy “{LIST}” has waits of its own: choose it, or leave `retry_delays` out."
        return {"retry_delays": said} if given.get("retry_delays") else {}
    if not delays:
        return {"retry_delays": f"The policy “{LIST}” needs its waits in seconds, like 10, 60, 600; or choose another."}
    # None at all is another way to say that it is not retryable.
    if given.get("retries", len(delays)) not in {0, len(delays)}:
        return {"retries": f"The list has {_counted(delays)}: leave `retries` out, or change `retry_delays`."}
    return {}


def _counted(delays: Any) -> str:
    return "one wait, which is one retry" if len(delays) == 1 else f"{len(delays)} waits, which are as many retries"


def _not_the_shorthand(given: Mapping[str, Any]) -> dict[str, str]:
    its = {"retries": REPEATER.retries, "retry_step": REPEATER.step_s, "retry_delays": []}
    said = f"“{SHORTHAND}” is {REPEATER.retries} retries, in steps of 1 s: leave this out, or choose “polynomial”."
    return {name: said for name, value in its.items() if name in given and given[name] != value}


def _unclear(given: Mapping[str, Any], none_is_fine: bool) -> dict[str, str]:
    """Whether it is retryable, said in two ways."""
    retryable, retries = given.get("retryable"), given.get("retries")
    if retryable is False and retries:
        return {"retries": "`retryable` is false, so there are none: leave one of the two out."}
    if retryable and retries == 0 and not none_is_fine:
        return {"retries": "`retryable` is true, and 0 are none: leave one of the two out."}
    return {}


def _in_vain(given: Mapping[str, Any], *known: Retries) -> dict[str, str]:
    """How it is tried again, said of what is not."""
    if given.get("retries") == 0:
        return {}
    said = {name: given[name] for name in FIELDS if name != "retries" and given.get(name)}
    if said.get("retry_policy") == SHORTHAND:
        said = {**said, "retry_policy": REPEATER.backoff, "retry_step": REPEATER.step_s}
    news = [name for name, value in said.items() if value not in [by_name(policy)[name] for policy in known]]
    return {name if name in given else "retry_policy": IN_VAIN for name in news}


def _unreachable(policy: Retries) -> dict[str, str]:
    if policy.for_s is not None and (first := policy.delay(1)) and first.total_seconds() > policy.for_s:
        after = words.duration(first.total_seconds() * 1000)
        return {"retry_for": f"The first retry comes after {after} only: give more seconds, or a shorter wait."}
    return {}
