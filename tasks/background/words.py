"""What pages say of a definition: its limits, and what follows when it is over."""

from badgerjobs.lib import words
from badgerjobs.runs.saying import retries_in_words
from tasks.background.definitions import Definition

# Hook → when it is called.
HOOKS = {
    "on_before_trigger": "before it is triggered",
    "on_done": "when it is done",
    "on_error": "when it failed",
    "on_abort": "when it was aborted",
    "on_max_iterations": "when it made too many iterations",
}
CLEANED = {"done": "is done", "error": "failed", "abort": "was aborted"}


def facts_of(definition: Definition) -> list[tuple[str, str]]:
    """Name and value of what people want to know of it; what is as usual and says nothing is left out."""
    return [(name, said) for name, said in _facts(definition) if said]


def _facts(definition: Definition) -> list[tuple[str, str]]:
    hooks = [said for name, said in HOOKS.items() if definition.hook(name)]
    return [
        ("Iterations", f"{definition.max_iterations:,} at most, each of {words.length(definition.timeout_s)}"),
        ("Retries", retries_in_words(definition.policy)),
        ("At once", f"{definition.concurrency:,} at most in an application" if definition.concurrency else ""),
        ("The same again", "not while it is unfinished" if definition.deduplicate else ""),
        ("Code is called", ", ".join(hooks)),
        ("Log", "" if definition.database_logs else "of errors only"),
        ("Deleted", _cleaned(definition)),
        ("Kept", _kept(definition)),
    ]


def _cleaned(definition: Definition) -> str:
    ends = [said for word, said in CLEANED.items() if word in definition.self_cleanup]
    return f"as soon as it {' or '.join(ends)}" if ends else ""


def _kept(definition: Definition) -> str:
    if definition.retention_days is None:
        return ""
    return words.counted(definition.retention_days, "day") if definition.retention_days else "for good"
