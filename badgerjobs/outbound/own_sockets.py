"""Whether the other end of a connection on loopback is this process, as the kernel knows it."""

import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

# Linux: <linux/netlink.h>, <linux/inet_diag.h>. One question about one socket: its addresses, any interface and cookie.
SOCK_DIAG, ASK, FOUND = 4, 1, 20
HEADER = struct.Struct("=IHHII")
QUESTION = struct.Struct("=BBBBI2s2s4s12x4s12xIII")
# In the answer, after its header: where the inode is.
INODE_AT, INODE = HEADER.size + 68, struct.Struct("=I")
ANY = 0xFFFFFFFF


def is_from_here(near: socket.socket) -> bool:
    """Whether this process made the connection at whose other end `near` is; by IPv4.

    True where the kernel does not tell: outside of Linux, and where a container may not ask.
    """
    try:
        ours, theirs = near.getsockname(), near.getpeername()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
            kernel.settimeout(0)  # the answer is there when the question is sent
            tells = _inode(kernel, ours, theirs) == os.fstat(near.fileno()).st_ino
            return not tells or _is_open(_inode(kernel, theirs, ours))
    except (OSError, AttributeError):
        return True


def _inode(kernel: socket.socket, local: tuple[str, int], remote: tuple[str, int]) -> int:
    """Of the socket between these addresses; 0 where there is none."""
    (host, port), (to_host, to_port) = local, remote
    ports, hosts = [struct.pack(">H", one) for one in (port, to_port)], map(socket.inet_aton, (host, to_host))
    question = QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ANY, *ports, *hosts, 0, ANY, ANY)
    kernel.send(HEADER.pack(HEADER.size + len(question), FOUND, ASK, 1, 0) + question)
    answer = kernel.recv(4096)
    return int(INODE.unpack_from(answer, INODE_AT)[0]) if HEADER.unpack_from(answer)[1] == FOUND else 0


def _is_open(inode: int) -> bool:
    """Whether it is a socket of this process."""
    for opened in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found = os.fstat(int(opened.name))
            if found.st_ino == inode and stat.S_ISSOCK(found.st_mode):
                return True
    return False
