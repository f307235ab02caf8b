"""What travels between host, keeper and sandbox: frames whose length is said, and bounded, in front."""

import socket
import struct

# Host → keeper: the call's number, its limits (ms, bytes resident, bytes of output), the length of what follows.
CALL = struct.Struct("!QIQII")
# Keeper → host: the call's number, one of the words below, seconds that it took, the length of the answer.
ANSWER = struct.Struct("!QBdI")
# Keeper → sandbox: the limits as above, the length. Sandbox → keeper: seconds, the length.
ORDER = struct.Struct("!IQII")
REPLY = struct.Struct("!dI")

READY = b"R"
ANSWERED, TIMEOUT, MEMORY, OUTPUT, CRASHED = range(5)

# What an answer may hold beside its value: console lines, a message, a stack.
MOST_BESIDE = 1024 * 1024


def read(door: socket.socket, length: int) -> bytes:
    """Read exactly so many bytes. Raises EOFError when the other end is closed before."""
    parts = bytearray()
    while len(parts) < length:
        part = door.recv(min(length - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
