"""A list of twins, read page by page. `Pages` knows where it stands and does no I/O; `Twins` reads them.

The asyncio client has a `Twins` of its own. They are no generators: one of those is at its end when it is interrupted
or cancelled, which would look as if there were no more twins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from twind import _operations
from twind._generated.twind.v1.twin_service_pb2 import ListTwinsResponse
from twind._operations import Operation
from twind._twin import Twin


class Pages:
    """What to ask for next, and what has come and is not handed out yet."""

    def __init__(self, prefix: str, attributes: Iterable[str], names_only: bool, page_size: int, purpose: str) -> None:
        self._prefix = prefix
        self._attributes = list(_operations.request_names(attributes))
        self._names_only = names_only
        self._page_size = page_size
        self._purpose = purpose
        self._token = ""
        self.pending: deque[Twin] = deque()
        # There are no more pages.
        self.complete = False

    def operation(self) -> Operation[ListTwinsResponse]:
        """Asks for the next page."""
        return _operations.list_page(
            self._prefix, self._token, self._attributes, self._names_only, self._page_size, self._purpose
        )

    def received(self, page: ListTwinsResponse) -> None:
        twins = deque(_operations.listed_twins(page))
        token = _operations.next_token(page, self._token)
        # No call from here on: all of it or nothing.
        self.pending = twins
        self._token = token
        self.complete = not token


class Twins(Iterator[Twin]):
    """An iterator over twins, made by `Client.list`."""

    def __init__(self, pages: Pages, run: Callable[[Operation[ListTwinsResponse]], ListTwinsResponse]) -> None:
        self._pages = pages
        self._run = run

    def __next__(self) -> Twin:
        pages = self._pages
        while True:
            pending = pages.pending
            if pending:
                twin = pending[0]
                # No call from here on: the twin is taken if and only if it is returned.
                del pending[0]
                return twin
            if pages.complete:
                raise StopIteration
            pages.received(self._run(pages.operation()))
