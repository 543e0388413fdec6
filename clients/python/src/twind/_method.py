"""What a call of one method needs to know of it. Made once a method by the generated stubs."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from google.protobuf.message import DecodeError

from twind._envelope import method_prefix
from twind.errors import Internal

Req = TypeVar("Req")
Res = TypeVar("Res")


def always(_request: object) -> bool:
    return True


def never(_request: object) -> bool:
    return False


def with_key(request: Any) -> bool:
    return bool(request.idempotency_key)


class Method(Generic[Req, Res]):
    """A method's names, its codec, and the envelope's first bytes, which are the same in every call."""

    __slots__ = ("_parse", "name", "prefix", "repeatable", "serialize", "service")

    def __init__(
        self,
        service: str,
        name: str,
        serialize: Callable[[Req], bytes],
        parse: Callable[[bytes], Res],
        repeatable: Callable[[Req], bool] = never,
    ) -> None:
        self.service = service
        self.name = name
        self.serialize = serialize
        # Whether calling twice does what calling once does: the call may be sent again when its outcome is unknown.
        self.repeatable = repeatable
        # The runtimes of protobuf read any buffer; their types know bytes only.
        self._parse = cast(Callable[[bytes | memoryview], Res], parse)
        self.prefix = method_prefix(service, name)

    def message(self, payload: bytes | memoryview) -> Res:
        """Raises Internal for what cannot be decoded."""
        try:
            return self._parse(payload)
        except DecodeError as error:
            raise Internal(f"{self.name}: cannot decode the daemon's message") from error
