"""A door to a server at which a test may hold whoever asks it for one thing, and kill them there."""

import contextlib
import socket
import socketserver
import threading

from tests.stand_ins import Listener


class Checkpoint(Listener):
    """Lets TCP through to a server, on a Unix socket or on loopback. Use it as a context.

    What is sent to it the `nth` time with this word in it waits until the test lets it through: `is_held` meanwhile.
    """

    def __init__(self, to: str | int) -> None:
        super().__init__(_Passing)
        self.to = to
        self.word, self.left = b"", 0
        self.held, self.released = threading.Event(), threading.Event()

    def __exit__(self, *_: object) -> None:
        self.let_through()
        super().__exit__()

    def hold(self, word: bytes, *, nth: int = 1) -> None:
        """From now on."""
        self.held.clear()
        self.released.clear()
        self.word, self.left = word, nth

    def let_through(self) -> None:
        """All there is, from now on."""
        self.word = b""
        self.released.set()

    def look(self, data: bytes) -> None:
        """Wait here, if this is what is held."""
        if self.word and self.word in data:
            self.left -= 1
            if self.left == 0:
                self.held.set()
                self.released.wait()


class _Passing(socketserver.BaseRequestHandler):
    server: Checkpoint

    def handle(self) -> None:
        to = self.server.to
        with socket.socket(socket.AF_UNIX if isinstance(to, str) else socket.AF_INET) as far:
            far.connect(to if isinstance(to, str) else ("127.0.0.1", to))
            threading.Thread(target=self._back, args=(far,), daemon=True).start()
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    self.server.look(data)
                    far.sendall(data)

    def _back(self, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                self.request.sendall(data)
            self.request.shutdown(socket.SHUT_RDWR)
