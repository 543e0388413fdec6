"""Waiting until a socket can be read or written, for no longer than is left.

`poll` counts down across signals; a socket's own timeout (SO_RCVTIMEO) would start anew at each. Under gevent `poll` is
gevent's; under eventlet, which has none, it is `select`. Sockets never block and are never given a timeout.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

READ = 1
WRITE = 2

# One wait is at most this long; whoever has more time waits again.
WAIT_SECONDS_MAX = 1e6

# Given milliseconds; true = the socket is ready.
Wait = Callable[[float], object]


def readable(connected: socket.socket) -> Wait:
    """What waits until the socket can be read. Made once a connection; for one thread at a time."""
    if not hasattr(select, "poll"):
        return lambda millis: select.select([connected], [], [], millis / 1000)[0]
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return poll.poll


def wait(connected: socket.socket, wanted: int, seconds: float) -> int:
    """Waits at most so long. Which of READ and WRITE can be done; a connection that has ended can do both."""
    seconds = min(max(0.0, seconds), WAIT_SECONDS_MAX)
    if not hasattr(select, "poll"):
        reads, writes = [connected] if wanted & READ else [], [connected] if wanted & WRITE else []
        readable, writable, _ = select.select(reads, writes, [], seconds)
        return (READ if readable else 0) | (WRITE if writable else 0)
    poll = select.poll()
    poll.register(connected, (select.POLLIN if wanted & READ else 0) | (select.POLLOUT if wanted & WRITE else 0))
    events = 0
    for _, found in poll.poll(1000 * seconds):
        events |= found
    if events & ~(select.POLLIN | select.POLLOUT):
        return wanted
    return (READ if events & select.POLLIN else 0) | (WRITE if events & select.POLLOUT else 0)
