"""Why a reader gets no value, in words."""

from rest_framework.exceptions import APIException, NotFound


class NoKeyError(NotFound):
    """There is no such key, or it is another tenant's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no key with the name “{name}” in this application.")


class BeingFetchedError(APIException):
    """There is nothing to serve yet, and soon there may be."""

    status_code = 503
    default_detail = "This value is being fetched, and there is none that may be served meanwhile."
    wait = 2


class SourceFailsError(APIException):
    """There is nothing to serve, and the source's answer is why."""

    status_code = 502
    wait = 10

    def __init__(self, error: str) -> None:
        super().__init__(f"The source of this value fails, and there is none that may be served instead: {error}")
