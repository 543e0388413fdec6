"""The client for asyncio: `twind.aio.Client` is `twind.Client` with `await`."""

from twind.aio._client import Client
from twind.aio._facts import Facts
from twind.aio._pipeline import Pending, Pipeline
from twind.aio._watch import Watch

__all__ = ["Client", "Facts", "Pending", "Pipeline", "Watch"]
