"""Which process this is. A connection belongs to the process that opened it: in the child of a fork both ends of one
socket would read each other's replies.

Called by everything that holds a socket: it keeps the `current` of its birth, and a child has another one.
"""

from __future__ import annotations

import os

current: object = object()


def foreign(what: str) -> RuntimeError:
    """What is raised for a stream or a pipeline that a child inherited, or that was sent to another process."""
    return RuntimeError(f"this {what} belongs to the process that opened it: open another one in this process")


def _enter_child() -> None:
    global current
    current = object()


os.register_at_fork(after_in_child=_enter_child)
