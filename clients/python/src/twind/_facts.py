"""A twin's history: facts that arrive in parts over a stream.

`FactParts` keeps what has arrived and does no I/O; `Facts` reads it from a stream. The asyncio client has its own
`Facts` with the same parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import NoReturn

from twind import _process
from twind._channel import Channel
from twind._generated.twind.v1 import twin_pb2, twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import ListFactsRequest, ListFactsResponse
from twind._twin import Fact, Redaction, fact
from twind.errors import Internal


class FactParts:
    """What has come and is not handed out yet."""

    def __init__(self) -> None:
        self.pending: deque[twin_pb2.Fact] = deque()
        # A part that was taken from the stream and is not accounted for in the others yet.
        self.incoming: ListFactsResponse | None = None
        self.sequence: int | None = None
        self.redactions: tuple[Redaction, ...] = ()

    def account(self) -> None:
        """For what is incoming, if there is anything."""
        part = self.incoming
        if part is None:
            return
        facts = list(part.facts)
        new = (Redaction(r.twin, r.attribute, r.reason) for r in part.redactions)
        redactions = self.redactions + tuple(redaction for redaction in new if redaction not in self.redactions)
        sequence = part.sequence or self.sequence
        # No call from here on: all of it or nothing.
        self.pending += facts
        self.redactions = redactions
        self.sequence = sequence
        self.incoming = None

    def ended(self) -> None:
        """Raises Internal when the last part has not come."""
        if self.sequence is None:
            raise Internal("ListFacts: the daemon ended the stream before the last facts")


class Facts:
    """An iterator over facts, made by `Client.facts`. It has a connection: read it to the end, use `with`, or close it.

    If a signal handler raises an exception in `for fact in facts`, no fact is lost.
    """

    def __init__(self, channel: Channel, request: ListFactsRequest, timeout: float | None) -> None:
        self._process = _process.current
        self._parts = FactParts()
        seconds = channel.timeout if timeout is None else timeout
        self._closed = False
        self._stream = channel.server_stream(twin_service_stub.LIST_FACTS, request, seconds)

    @property
    def sequence(self) -> int | None:
        """The sequence up to which the facts are complete; None before the end."""
        return self._parts.sequence

    @property
    def redactions(self) -> tuple[Redaction, ...]:
        """What was withheld, as far as received."""
        return self._parts.redactions

    def __iter__(self) -> Iterator[Fact]:
        return self

    def __next__(self) -> Fact:
        parts = self._parts
        while not self._closed:
            self._check_process()
            if parts.pending:
                found = fact(parts.pending[0])
                # No call from here on: the fact is taken if and only if it is returned.
                del parts.pending[0]
                return found
            if parts.incoming is None:
                # From the stream into the parts in one step, as the loop's first.
                for parts.incoming in self._stream:
                    break
                else:
                    if not self._closed:
                        parts.ended()
                    self._closed = True
            parts.account()
        raise StopIteration

    def __enter__(self) -> Facts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise _process.foreign("history")

    def close(self) -> None:
        """Ends the iteration. May be called from any thread."""
        self._closed = True
        self._stream.close()

    def _check_process(self) -> None:
        if self._process is not _process.current:
            raise _process.foreign("history")
