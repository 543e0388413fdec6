"""Which process this is. A connection belongs to the process that opened it: in the child of a fork both ends of one
socket would read each other's replies.

Everything that holds a socket keeps the `current` of its birth, and finds another one in a child. There the descriptors
are closed at once, which ends nothing for the parent: if they stayed, the daemon would not notice the parent's end.
"""

from __future__ import annotations

import os
import socket
import weakref

current: object = object()

_sockets: set[weakref.ref[socket.socket]] = set()


def own(connected: socket.socket) -> None:
    """It belongs to this process."""
    _sockets.add(weakref.ref(connected, _sockets.discard))


def foreign(what: str) -> RuntimeError:
    """What is raised for a stream or a pipeline that a child inherited, or that was sent to another process."""
    return RuntimeError(f"this {what} belongs to the process that opened it: open another one in this process")


def _enter_child() -> None:
    global current
    current = object()
    for reference in list(_sockets):
        connected = reference()
        if connected is not None:
            connected.close()
    _sockets.clear()


os.register_at_fork(after_in_child=_enter_child)
