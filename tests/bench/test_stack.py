"""When web counts as ready, for what measures it, breaks it or tries it."""

import socket

from bench.stack import answers, free_port


def test_a_server_that_only_takes_connections_does_not_answer_yet() -> None:
    """gunicorn listens before it has read the code: bench counted 0 calls a second, on a busy machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not answers(server.getsockname()[1])


def test_nobody_does_not_answer() -> None:
    assert not answers(free_port())
