"""Addresses of ours that others call, what came there, and what it led to."""

from webhooks.models.delivery import Act, ActState, Delivery, Seen, Standing
from webhooks.models.hook import KIND, Challenge, Hook, Repeats, Response, Verification
from webhooks.models.transform import Example, TransformVersion

__all__ = [
    "KIND",
    "Act",
    "ActState",
    "Challenge",
    "Delivery",
    "Example",
    "Hook",
    "Repeats",
    "Response",
    "Seen",
    "Standing",
    "TransformVersion",
    "Verification",
]
