"""Reading more twins by name than one call may hold. No I/O; called by both clients' `get_many`."""

from __future__ import annotations

from collections.abc import Iterable

from twind import _arguments
from twind._generated.twind.v1.twin_service_pb2 import BatchGetTwinsResponse
from twind._operations import BATCH_TWINS_MAX
from twind._twin import Twin
from twind.errors import Code, ResourceExhausted, error_of_code


class NamesLeft:
    """The names still to be read, and the twins that were."""

    def __init__(self, names: Iterable[str]) -> None:
        if isinstance(names, str):
            raise TypeError(f"get_many takes several names: write [{names!r}]")
        self._names = list(dict.fromkeys(_arguments.text(name, "a name in names") for name in names))
        self._left = self._names
        self._twins: dict[str, Twin] = {}

    def batch(self) -> list[str]:
        """What to ask for next; empty = all is read."""
        return self._left[:BATCH_TWINS_MAX]

    def received(self, reply: BatchGetTwinsResponse) -> None:
        """Keeps what came. What found no room in the reply is asked for again; raises other errors of single names."""
        crowded_out = []
        for result in reply.results:
            if result.HasField("twin"):
                redactions = [r for r in reply.redactions if r.twin == result.name]
                self._twins[result.name] = Twin(result.twin, reply.sequence, redactions)
            elif result.status.code == Code.RESOURCE_EXHAUSTED:
                crowded_out.append(result.name)
            elif result.status.code != Code.NOT_FOUND:
                raise error_of_code(result.status.code, result.status.message)
        if len(crowded_out) == len(reply.results):
            raise ResourceExhausted(f"the reply is too small for any of the remaining {len(crowded_out)} twins")
        self._left = crowded_out + self._left[BATCH_TWINS_MAX:]

    def twins(self) -> dict[str, Twin]:
        return {name: self._twins[name] for name in self._names if name in self._twins}
