"""What somebody wants done with several cache keys, and the question that is asked before it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from badgerjobs.web.bulk_choice import BulkChoice
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.models import Application
from tasks.counts import keys_in_words
from tasks.keys.many import MOST, delete_keys
from tasks.querysets import CacheKeyQuerySet
from tasks.syncs.asking import refresh_keys


class Words(NamedTuple):
    """What the question's button says, what happens, and what is said when it is done."""

    label: str
    text: str
    done: str


# By the word that the forms send.
VERBS: Mapping[str, Words] = {
    "sync": Words("Sync", "Fetched now, in one run, whatever the age of what is stored.", "being synced"),
    "delete": Words(
        "Delete", "What is stored goes too, and tasks that name them do so no more. No way back.", "deleted"
    ),
}
# Verb → what its button in the list says.
BUTTONS = {"sync": "Sync now…", "delete": "Delete…"}


@dataclass(frozen=True, slots=True)
class KeyChoice(BulkChoice):
    """A verb of VERBS, and the names of keys."""

    field = "key"
    verbs = VERBS

    def narrow(self, matching: CacheKeyQuerySet) -> CacheKeyQuerySet:
        """Of the keys that match, those that are meant."""
        if not self.everything:
            return matching.filter(name__in=self.names)
        return matching if self.shown is None else matching.filter(pk__in=self.shown)

    def refusal(self, count: int) -> str:
        """Why it cannot be done with so many; empty where it can."""
        if not self.verb:
            return "Choose what to do: sync or delete."
        if not count:
            return "Tick the keys that you mean, or choose all that match. Those that you ticked may be gone."
        if count > MOST:
            return f"More than {MOST:,} keys match: no more can be taken at once. Set a filter, and go on in parts."
        return ""

    def question(self, ids: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
        """What `pages.ask` is to show. `names` are those of some of them."""
        count, words = len(ids), VERBS[self.verb]
        more, what = count - len(names), keys_in_words(len(ids))
        return {
            "title": f"{words.label} {what}?",
            "text": " ".join(filter(None, [self.grown(count), words.text])),
            "items": [*names, f"and {more:,} more"] if more else names,
            "confirm": f"{words.label} {what}" + (" now" if self.verb == "sync" else ""),
            "keep": "Keep as they are" if count > 1 else "Keep as it is",
            "danger": self.verb == "delete",
            "hidden": self.hidden(ids),
        }

    def do(self, *, application: Application, ids: Sequence[int], by: Actor, now: datetime) -> str:
        """Do it. Returns the sentence that says how many it was done with."""
        if self.verb == "delete":
            done = delete_keys(application=application, ids=ids, by=by, now=now)
        else:
            done = len(ids) if refresh_keys(application=application, key_ids=ids, by=by, now=now) else 0
        return f"{keys_in_words(done)} {'is' if done == 1 else 'are'} {VERBS[self.verb].done}."
