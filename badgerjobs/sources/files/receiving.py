"""A file out of a request, while it arrives: of a form, or as the whole body."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, Protocol

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from badgerjobs.sources.files.keeping import FileError
from badgerjobs.web import problems
from badgerjobs.web.late_bodies import BODY_S, Arriving
from badgerjobs.web.lengths import length_of
from badgerjobs.web.trials import Places, TooManyTrialsError

FIELD = "file"
PIECE = 256 * 1024
# A line that is slower than this keeps a thread of ours for too long. Bytes a second.
SLOWEST = 500_000
CUT_OFF = "The request ended before all of its file had come. Send it again."
NO_FORM = "The form cannot be read: {}"
NONE = "The request has no file: send it as the body, or as the field `file` of a form."


# Files that arrive: each holds a thread of the web server for as long as that takes.
PLACES = Places()
CROWDED = "Other files are being uploaded right now: try again when they have come."


@contextmanager
def room(application_id: int) -> Iterator[None]:
    """For one file to arrive. Raises FileError."""
    with ExitStack() as place:
        try:
            place.enter_context(PLACES.one(application_id))
        except TooManyTrialsError:
            raise FileError(CROWDED, 429) from None
        yield


class Taking(Protocol):
    """What is made of a file that arrives."""

    def write(self, piece: bytes) -> None:
        """Its next bytes. Raises TooLongError and FullError."""

    def end(self) -> Any:
        """All of it came. Raises FullError."""

    def drop(self) -> None:
        """It is not needed."""


Begin = Callable[[str], Taking]


class Peek:
    """Takes the beginning of a file alone, to try it."""

    MOST = 1024 * 1024

    def __init__(self, _: str) -> None:
        self.begun = b""

    def write(self, piece: bytes) -> None:
        """As far as that goes."""
        if len(self.begun) < self.MOST:
            self.begun += piece[: self.MOST - len(self.begun)]

    def end(self) -> bytes:
        """What was taken."""
        return self.begun

    def drop(self) -> None:
        """Nothing is kept."""


class FileHandler(FileUploadHandler):
    """Of a form, the field `file` alone, as it comes: neither memory nor a disk of ours holds it."""

    chunk_size = PIECE

    def __init__(self, begin: Begin) -> None:
        super().__init__()
        self._begin = begin
        self.taking: Taking | None = None
        self.taken: Any = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """The first one. Raises SkipFile for any other."""
        super().new_file(field_name, file_name, *args, **kwargs)
        if field_name != FIELD or self.taking:
            raise SkipFile
        self.taking = self._begin(file_name)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        """Its next bytes. Raises TooLongError and FullError."""
        assert self.taking  # noqa: S101
        self.taking.write(raw_data)

    def file_complete(self, file_size: int) -> None:  # noqa: ARG002
        """What was made of it is `taken`; there is no file of Django's. Raises FullError."""
        assert self.taking  # noqa: S101
        self.taken = self.taking.end()

    def drop(self) -> None:
        """Forget what was not kept by anybody."""
        if self.taking:
            self.taking.drop()


View = Callable[..., HttpResponse]


def takes_file(begin: Callable[..., Taking]) -> Callable[[View], View]:
    """Decorate a page, below who may see it: the file of its form is `request.taken`; None where none was chosen.

    `begin` is given the request and the file's name. Nothing of the body is read before it is known who sends it, so
    the page is `unguarded` outside, and its token is looked at here.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def page(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            handler = FileHandler(lambda name: begin(request, name))
            request.taken = None

            @csrf_protect
            def guarded(request: Any) -> HttpResponse:
                if request.method == "POST":
                    _ = request.POST
                    ensure_whole(request)
                    request.taken = handler.taken
                return view(request, *args, **kwargs)

            if request.content_type != "multipart/form-data":
                return guarded(request)
            request.upload_handlers = [handler]
            give_time(request)
            try:
                with room(request.application.pk):
                    return guarded(request)
            except FileError as error:
                return problems.page(request, error.status, str(error))
            finally:
                handler.drop()

        return page

    return decorate


# What a page is outside that looks at its token itself.
unguarded = csrf_exempt


def taken_of(request: HttpRequest, begin: Begin) -> Any:
    """What was made of the file of a request to the API: the field `file` of a form, or all of its body.

    Raises FileError for one that is too long, cut off, or not there, and where the workspace has no room for it.
    """
    give_time(request)
    if request.content_type == "multipart/form-data":
        return _of_form(request, begin)
    if not length_of(request):
        raise FileError(NONE)
    taking = begin(request.GET.get("name", ""))
    try:
        while piece := request.read(PIECE):
            taking.write(piece)
        ensure_whole(request)
        return taking.end()
    except BaseException:
        taking.drop()
        raise


def _of_form(request: HttpRequest, begin: Begin) -> Any:
    handler = FileHandler(begin)
    request.upload_handlers = [handler]
    try:
        request.parse_file_upload(request.META, request)  # what Django does with nothing but a POST
        ensure_whole(request)
    except MultiPartParserError as error:
        handler.drop()
        raise FileError(NO_FORM.format(error)) from None
    except BaseException:
        handler.drop()
        raise
    if handler.taken is None:
        raise FileError(NONE)
    return handler.taken


def give_time(request: HttpRequest) -> None:
    """As much as its length needs."""
    body: Any = request.META.get("wsgi.input")
    if isinstance(body, Arriving):
        body.allow(BODY_S + (length_of(request) or 0) / SLOWEST)


def ensure_whole(request: HttpRequest) -> None:
    """Raises FileError where less came than was announced: half a file must not be taken for a whole one."""
    came = getattr(request._stream, "_pos", None)  # Django counts, and tells nobody
    if came is not None and came < (length_of(request) or 0):
        raise FileError(CUT_OFF)
