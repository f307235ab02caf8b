"""How many may begin now, when only so many may in a minute: a bucket that fills steadily, and holds a second's worth.

However it is emptied, no minute sees more begin than may: what a full bucket gives at once comes off the pace at which
it fills again. So of 600 a minute 10 begin at once, and 591 in a minute that follows another.
"""


def most(per_minute: int) -> float:
    """How much a bucket holds: what may begin at once."""
    return max(1.0, per_minute / 60)


def pace(per_minute: int) -> float:
    """How much comes in each second."""
    return (per_minute + 1 - most(per_minute)) / 60


def filled(tokens: float, per_minute: int, seconds: float) -> float:
    """What is in a bucket so many seconds after it had `tokens`. A clock that went back adds nothing."""
    return min(most(per_minute), tokens + max(0.0, seconds) * pace(per_minute))


def seconds_to_one(tokens: float, per_minute: int) -> float:
    """How long until the next one may begin."""
    return max(0.0, 1 - tokens) / pace(per_minute)
