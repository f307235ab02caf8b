"""What a hook says of itself, in words: whom it believes, what it answers, and what it takes."""

from functools import cached_property

from badgerjobs.lib import words
from badgerjobs.lib.amounts import in_words_of
from badgerjobs.web.definitions.configurations import masked
from badgerjobs.web.definitions.facts import Fact, facts_of
from webhooks.looks import CHALLENGES, REPEATS, RESPONSES, TOKEN, label_of, setting_fields
from webhooks.models import Challenge, Hook, Repeats, Response, Verification
from webhooks.verification import scheme_of


class HookFacts:
    """Of one hook. Secrets are stars."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    @property
    def sentence(self) -> str:
        """Whom it believes, and what then happens."""
        hook = self.hook
        believes = "Believes whoever knows its URL"
        if hook.verification != Verification.NONE:
            believes = f"Verified by {label_of(hook.verification)}"
        if hook.task:
            return f"{believes}, then runs the task {hook.task.name}."
        does = words.counted(len(hook.actions), "action")
        steps = [*(["a transform"] if hook.transform else []), *([does] if hook.actions else [])]
        return f"{believes}, then {' and '.join(steps)}." if steps else f"{believes}, and only stores what comes."

    @cached_property
    def facts(self) -> list[Fact]:
        """All that is worth knowing, in the order of the form."""
        return [
            Fact("Believes", self._believes()),
            *self._settings(),
            Fact("Takes", self._takes()),
            Fact("Answers", self._answers()),
            *([Fact("Challenge", CHALLENGES[self.hook.challenge])] if self.hook.challenge != Challenge.NONE else []),
            Fact("Repeats", self._repeats()),
        ]

    def _believes(self) -> str:
        if self.hook.verification == Verification.NONE:
            return "whoever knows its URL"
        return label_of(self.hook.verification)

    def _settings(self) -> list[Fact]:
        scheme = self.hook.verification
        fields = setting_fields(scheme)
        shown = masked(
            {name: one for name, one in self.hook.settings.items() if name != TOKEN}, scheme_of(scheme).secrets
        )
        looks = {name: look for name, (_, look) in fields.items()}
        return facts_of(shown, {name: one for name, (one, _) in fields.items()}, looks, scheme)

    def _takes(self) -> str:
        hook = self.hook
        rate = f", {words.counted(hook.rate, 'call')} a second at most" if hook.rate else ""
        return f"{', '.join(hook.methods)}, up to {words.size(hook.max_bytes)}{rate}"

    def _answers(self) -> str:
        hook = self.hook
        if hook.response != Response.FIXED:
            return RESPONSES[Response(hook.response)]
        size = len(hook.response_body.encode())
        return f"{hook.response_status}, {hook.response_type}, {words.counted(size, 'byte')}"

    def _repeats(self) -> str:
        hook = self.hook
        if hook.repeats == Repeats.NONE:
            return "not looked for"
        by = hook.repeats_header if hook.repeats == Repeats.HEADER else REPEATS[Repeats(hook.repeats)].lower()
        return f"known by {by}, for {' '.join(in_words_of(hook.repeats_window_s))}"
