"""What the verbs of this app refuse."""


class RefusedError(Exception):
    """What was asked for cannot be done. The message says why, and what would be right, in words for people."""


class NameTakenError(RefusedError):
    """Something else in the same place has this name already."""
