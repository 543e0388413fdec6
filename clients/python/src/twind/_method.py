"""What a call of one method needs to know of it. Made once a method by the generated stubs."""

from collections.abc import Callable
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError

from twind._envelope import method_prefix, payload_of
from twind.errors import Internal

Req = TypeVar("Req")
Res = TypeVar("Res")


class Method(Generic[Req, Res]):
    """A method's names, its codec, and the envelope's first bytes, which are the same in every call."""

    __slots__ = ("_parse", "name", "prefix", "serialize", "service")

    def __init__(
        self, service: str, name: str, serialize: Callable[[Req], bytes], parse: Callable[[bytes], Res]
    ) -> None:
        self.service = service
        self.name = name
        self.serialize = serialize
        self._parse = parse
        self.prefix = method_prefix(service, name)

    def reply(self, body: bytes) -> Res:
        """The message in a response's frame body. Raises the TwindError that the response states."""
        return self.message(payload_of(body))

    def message(self, payload: bytes) -> Res:
        try:
            return self._parse(payload)
        except DecodeError as error:
            raise Internal(f"{self.name}: the daemon's message cannot be decoded") from error
