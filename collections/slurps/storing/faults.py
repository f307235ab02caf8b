"""What keeps a result from being stored. Each message is a sentence that says what to do next."""


class UnstorableError(ValueError):
    """The rows cannot be stored as they are: another try with the same rows ends alike."""


class BusyError(Exception):
    """Another run is loading rows into the same collection just now."""


class HeldError(Exception):
    """A result waits for approval, and what is loaded behind it would come before it."""


class SupersededError(Exception):
    """Somebody else has this run by now, or it was aborted: nothing of this attempt may be stored."""
