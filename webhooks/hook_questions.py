"""What is asked before something is done with a hook: what `pages.ask` is to show."""

from typing import Any

from webhooks.page import HookPage


def before_pausing(page: HookPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    text = "What comes meanwhile is stored and answered as always, and held: nothing is done with it until the webhook "
    text += "is resumed. Then it is acted upon, the oldest first. What waits now is held too; what runs goes on."
    name = page.hook.name
    return {"title": f"Pause {name}?", "text": text, "confirm": "Pause the webhook", "keep": "Keep it running"}


def before_rotating(page: HookPage) -> dict[str, Any]:
    """Ask how long the address of now is to work."""
    text = "It gets a new URL, which is shown on its page: give that to whoever calls, before this one stops working."
    if page.old_until:
        text += " The URL before this one, which works too, stops at once."
    return {
        "title": f"Give {page.hook.name} another URL?",
        "text": text,
        "confirm": "Rotate the URL",
        "keep": "Keep the URL",
        "danger": True,
    }


def before_deleting(page: HookPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    gone = f"more than {page.total:,} deliveries" if page.is_counted_in_part else _deliveries(page.total)
    waits, least = len(page.waiting), "at least " if page.is_waiting_cut else ""
    text = f"What waits or runs is aborted: {least}{_deliveries(waits)}. " if waits else ""
    text += f"With it {'goes' if page.total == 1 else 'go'} {gone}, its examples and the versions of its transform. "
    return {
        "title": f"Delete {page.hook.name}?",
        "text": f"{text}Its URL answers nobody any more. There is no way back.",
        "confirm": "Delete the webhook",
        "keep": "Keep it",
        "danger": True,
    }


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count:,} deliveries"
