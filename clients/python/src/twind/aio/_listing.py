"""A list of twins from asyncio, around the same pages as `twind._listing`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from twind._generated.twind.v1.twin_service_pb2 import ListTwinsResponse
from twind._listing import Pages
from twind._operations import Operation
from twind._twin import Twin


class Twins(AsyncIterator[Twin]):
    """Like `twind._listing.Twins`, with `async for`. Cancelling a task loses no twins."""

    def __init__(
        self, pages: Pages, run: Callable[[Operation[ListTwinsResponse]], Awaitable[ListTwinsResponse]]
    ) -> None:
        self._pages = pages
        self._run = run

    async def __anext__(self) -> Twin:
        pages = self._pages
        while True:
            pending = pages.pending
            if pending:
                twin = pending[0]
                del pending[0]
                return twin
            if pages.complete:
                raise StopAsyncIteration
            pages.received(await self._run(pages.operation()))
