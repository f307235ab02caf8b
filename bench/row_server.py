"""The server whose rows are collected, in a process of its own: JSON lines, of six fields, two of them nested.

`GET /ROWS/CHANGED` gives so many rows, of which the first ones are changed by so much: `GET /1000000/10000` after
`GET /1000000/0` changes one in a hundred. `GET /ended` says when the last byte was given, as Unix time.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

# So many rows go out at once.
PIECE = 2000


class Rows(BaseHTTPRequestHandler):
    """One answer over one connection."""

    ended_at = 0.0

    def do_GET(self) -> None:
        if self.path == "/ended":
            self._answer(json.dumps(type(self).ended_at).encode())
            return
        count, changed = map(int, self.path.strip("/").split("/"))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.end_headers()
        lines = (line(number, is_changed=number < changed) for number in range(count))
        while piece := "".join(islice(lines, PIECE)):
            self.wfile.write(piece.encode())
        type(self).ended_at = time.time()

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def line(number: int, *, is_changed: bool) -> str:
    """A row as it goes out."""
    return (
        f'{{"id":{number},"name":"name {number}","age":{number % 97 + 100 * is_changed},'
        f'"email":"user{number}@example.com","address":{{"city":"city {number % 1000}","zip":"{number % 99999:05}"}},'
        f'"tags":["a","b",{{"n":{number % 7}}}]}}\n'
    )


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Rows)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
