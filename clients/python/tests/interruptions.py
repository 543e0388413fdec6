"""Exceptions out of nowhere: at every place where a signal handler can raise one, in turn.

CPython runs signal handlers at the start of a Python function, after a call, and where a loop goes back. `each_place`
raises at the first such place in twind's code, then at the second, and so on: what random signals hit in hours.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import twind

HOME = str(Path(twind.__file__).parent)
PLACES_MAX = 3000

_START = -1


class Interrupted(Exception):
    """What the imagined handler raises, unless a test has it raise something else."""


class Interruption:
    """Raises `error` at one place. Only for what runs in the thread that makes it."""

    def __init__(self, place: int, error: BaseException) -> None:
        self._left = place
        self._error = error
        # The offset of each frame's last instruction.
        self._last: dict[FrameType, int] = {}
        self.struck = False

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(HOME) or "_generated" in code.co_filename or _in_del(frame):
            return None
        self._last[frame] = _START
        frame.f_trace = self._opcode
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if sys.version_info[:2] == (3, 12):
            sys.settrace(self.trace)  # which takes notice of f_trace_opcodes only then
        return self._opcode

    def _opcode(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            last, now = self._last.get(frame, 0), frame.f_lasti
            self._last[frame] = now
            if _is_place(frame, last, now):
                self._left -= 1
                if self._left < 0 and not self.struck:
                    self.struck = True
                    raise self._error
        return self._opcode


def _is_place(frame: FrameType, last: int, now: int) -> bool:
    """Whether signal handlers run between the instructions at these two offsets."""
    if last == _START:
        return True
    code = frame.f_code.co_code
    before, after = dis.opname[code[last]], dis.opname[code[now]]
    if sys.version_info < (3, 11) and before.startswith(("POP_JUMP_IF", "JUMP_ABSOLUTE")):
        return now != last + 2  # it has jumped
    if before.startswith("CALL"):
        return not before.startswith("CALL_INTRINSIC")
    return "JUMP_BACKWARD" in after and not after.endswith("NO_INTERRUPT")


def _in_del(frame: FrameType | None) -> bool:
    """What is raised in there nobody hears of."""
    while frame is not None and frame.f_code.co_filename.startswith(HOME):
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


@contextmanager
def interrupted_at(place: int, error: BaseException) -> Iterator[Interruption]:
    """Swallows the error, if it strikes; whether it did is in `struck`."""
    interruption = Interruption(place, error)
    sys.settrace(interruption.trace)
    try:
        yield interruption
    except BaseException as caught:
        sys.settrace(None)
        if caught is not error:
            raise
    finally:
        sys.settrace(None)


def each_place(work: Callable[[int], None], error: Callable[[], BaseException] = Interrupted) -> int:
    """Runs the work once for each place, until it is not struck any more; the number of places.

    The work gets the number of the place. Whether it swallows the error or lets it out, the error must not be replaced
    by another.
    """
    for place in range(PLACES_MAX):
        with interrupted_at(place, error()) as interruption:
            work(place)
        if not interruption.struck:
            return place
    raise AssertionError(f"there are more than {PLACES_MAX} places")
