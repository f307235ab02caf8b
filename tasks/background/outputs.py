"""What a background task leaves: JSON of at most 232 KB."""

from typing import Any

from badgerjobs.lib.json_copies import length_of

MOST_BYTES = 232 * 1024
TOO_LARGE = "Output size exceeds the maximum allowed size."


def bounded(output: Any) -> Any:
    """The output if it is not too long as JSON. Stacks are dropped first; if that is not enough, all but its size."""
    if length_of(output) <= MOST_BYTES:
        return output
    output = _without_stacks(output)
    size = length_of(output)
    return output if size <= MOST_BYTES else {"message": TOO_LARGE, "size": size, "max": MOST_BYTES}


def _without_stacks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_stacks(inner) for name, inner in value.items() if name != "stack"}
    if isinstance(value, list):
        return [_without_stacks(inner) for inner in value]
    return value
