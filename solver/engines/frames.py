"""Messages between a process and its child: a length, then a pickle.

The streams are unbuffered: a buffer has a lock, and a process that forks may copy it locked.
"""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO

__all__ = ["STOP", "read_frame", "write_frame"]

STOP = "stop"

_HEADER = struct.Struct("!Q")
_MOST_AT_ONCE = 1 << 24


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Write one message."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    for part in (_HEADER.pack(len(body)), body):
        view = memoryview(part)
        while view:
            view = view[stream.write(view[:_MOST_AT_ONCE]) :]


def read_frame(stream: BinaryIO) -> Any:
    """Read one message; EOFError once the other side is gone."""
    (length,) = _HEADER.unpack(_read(stream, _HEADER.size))
    return pickle.loads(_read(stream, length))


def _read(stream: BinaryIO, size: int) -> bytearray:
    body = bytearray()
    while len(body) < size:
        part = stream.read(min(size - len(body), _MOST_AT_ONCE))
        if not part:
            raise EOFError
        body += part
    return body
