"""A twin's history from asyncio, around the same parts as `twind._facts`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType

from twind._facts import FactParts
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import ListFactsRequest
from twind._twin import Fact, Redaction
from twind.aio._channel import Channel


class Facts:
    """As `twind.Facts`, in `async for`. It begins at its first use."""

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

    def __aiter__(self) -> AsyncIterator[Fact]:
        return self

    async def __anext__(self) -> Fact:
        while not self._closed:
            found = self._parts.next()
            if found is not None:
                return found
            async for part in self._stream:
                self._parts.receive(part)
                break
            else:
                if not self._closed:
                    self._parts.ended()
                self._closed = True
        raise StopAsyncIteration

    async def __aenter__(self) -> Facts:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True
        self._stream.close()
