"""A twin's history: facts that come in parts over a stream.

`FactParts` holds what has come and does no I/O; `Facts` moves it over a stream. The asyncio client has a `Facts` of its
own around the same parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import TracebackType

from twind._channel import Channel
from twind._generated.twind.v1 import twin_pb2, twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import ListFactsRequest, ListFactsResponse
from twind._twin import Fact, Redaction, fact
from twind.errors import Internal


class FactParts:
    """What has come and is not handed out yet."""

    def __init__(self) -> None:
        self._pending: deque[twin_pb2.Fact] = deque()
        self.sequence: int | None = None
        self.redactions: tuple[Redaction, ...] = ()

    def receive(self, part: ListFactsResponse) -> None:
        self._pending.extend(part.facts)
        new = (Redaction(r.twin, r.attribute, r.reason) for r in part.redactions)
        self.redactions += tuple(redaction for redaction in new if redaction not in self.redactions)
        if part.sequence:
            self.sequence = part.sequence

    def next(self) -> Fact | None:
        """None = receive more first."""
        return fact(self._pending.popleft()) if self._pending else None

    def ended(self) -> None:
        """Raises Internal when the last part has not come."""
        if self.sequence is None:
            raise Internal("ListFacts: the daemon ended the facts without their last part")


class Facts:
    """An iterator of facts, made by `Client.facts`. Use it up, or in `with`, or close it: it has a connection."""

    def __init__(self, channel: Channel, request: ListFactsRequest, timeout: float | None) -> None:
        self._parts = FactParts()
        seconds = channel.timeout if timeout is None else timeout
        self._closed = False
        self._stream = channel.server_stream(twin_service_stub.LIST_FACTS, request, seconds)

    @property
    def sequence(self) -> int | None:
        """The facts are complete up to here; None while the last part has not come."""
        return self._parts.sequence

    @property
    def redactions(self) -> tuple[Redaction, ...]:
        """What was withheld, as far as it has come."""
        return self._parts.redactions

    def __iter__(self) -> Iterator[Fact]:
        return self

    def __next__(self) -> Fact:
        while not self._closed:
            found = self._parts.next()
            if found is not None:
                return found
            part = next(self._stream, None)
            if part is None:
                if not self._closed:
                    self._parts.ended()
                self._closed = True
            else:
                self._parts.receive(part)
        raise StopIteration

    def __enter__(self) -> Facts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the iteration, from any thread."""
        self._closed = True
        self._stream.close()
