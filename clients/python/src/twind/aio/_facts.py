"""A twin's history from asyncio, around the same parts as `twind._facts`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import NoReturn

from twind import _process
from twind._facts import FactParts
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import ListFactsRequest
from twind._twin import Fact, Redaction, fact
from twind.aio._channel import Channel


class Facts:
    """Like `twind.Facts`, with `async for`. It connects at its first use. Cancelling a task loses no facts."""

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

    def __aiter__(self) -> AsyncIterator[Fact]:
        return self

    async def __anext__(self) -> Fact:
        parts = self._parts
        while not self._closed:
            self._check_process()
            if parts.pending:
                found = fact(parts.pending[0])
                del parts.pending[0]
                return found
            if parts.incoming is None:
                async for parts.incoming in self._stream:
                    break
                else:
                    if not self._closed:
                        parts.ended()
                    self._closed = True
            parts.account()
        raise StopAsyncIteration

    async def __aenter__(self) -> Facts:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise _process.foreign("history")

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True
        self._stream.close()

    def _check_process(self) -> None:
        if self._process is not _process.current:
            raise _process.foreign("history")
