"""The services of a code generator request, as plain values that the emitters read.

What a method states in its options stands here too, checked: see twind/v1/options.proto.
"""

import re
from dataclasses import dataclass

import options_pb2
from comments import comments_in

DEFAULT_REQUEST_BYTES_MAX = 256 * 1024
# A frame's.
REQUEST_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Method:
    name: str  # "GetTwin"
    request: str  # "twind.v1.GetTwinRequest"
    response: str  # "twind.v1.GetTwinResponse"
    client_streaming: bool
    server_streaming: bool
    request_bytes_max: int
    caller: str  # ANYONE or OPERATORS
    idempotency: str  # IDEMPOTENT, IDEMPOTENT_WITH_KEY or NOT_IDEMPOTENT
    comment: str  # the proto's comment, one line each, without markers

    @property
    def shape(self) -> str:
        """unary, client_stream, server_stream or bidi_stream."""
        return {
            (False, False): "unary",
            (True, False): "client_stream",
            (False, True): "server_stream",
            (True, True): "bidi_stream",
        }[self.client_streaming, self.server_streaming]


@dataclass(frozen=True)
class Service:
    package: str  # "twind.v1"
    name: str  # "TwinService"
    proto: str  # "twind/v1/twin_service.proto"
    methods: tuple[Method, ...]
    comment: str

    @property
    def full_name(self) -> str:
        return f"{self.package}.{self.name}"


def services_of(request, request_bytes_max: int = DEFAULT_REQUEST_BYTES_MAX) -> list[Service]:
    """Those in the files asked for. `request_bytes_max` is the limit of methods that state none."""
    wanted = set(request.file_to_generate)
    keyed = set(_messages_with_keys(request))
    return [
        service
        for file in request.proto_file
        if file.name in wanted
        for service in _services_in(file, keyed, request_bytes_max)
    ]


def _messages_with_keys(request):
    for file in request.proto_file:
        for message in file.message_type:
            if any(field.name == "idempotency_key" for field in message.field):
                yield f".{file.package}.{message.name}"


def _services_in(file, keyed: set[str], request_bytes_max: int):
    comments = comments_in(file)
    for s, service in enumerate(file.service):
        methods = []
        for m, method in enumerate(service.method):
            stated = method.options.Extensions[options_pb2.method]
            if problem := _problem(file, method, stated, keyed):
                raise ValueError(f"{file.name}: {service.name}.{method.name} {problem}")
            methods.append(_method(method, stated, comments.get((6, s, 2, m), ""), request_bytes_max))
        # Where nothing stands above the service, what stands above the file, which is above its `syntax`.
        comment = comments.get((6, s)) or comments.get((12,), "")
        yield Service(file.package, service.name, file.name, tuple(methods), comment)


def _problem(file, method, stated, keyed: set[str]) -> str | None:
    """What is wrong with a method's options. Their names and types protoc has checked."""
    if stated.request_bytes_max > REQUEST_BYTES_MAX:
        return f"has a request_bytes_max over {REQUEST_BYTES_MAX}, the most that a frame holds"
    if file.package == "twind.v1" and not (stated.caller and stated.idempotency):
        return "must state caller and idempotency: write `option (method) = {caller: ..., idempotency: ...};`"
    if stated.idempotency == stated.IDEMPOTENT_WITH_KEY and method.input_type not in keyed:
        return "is IDEMPOTENT_WITH_KEY, but its request has no field idempotency_key"
    return None


def _method(method, stated, comment: str, request_bytes_max: int) -> Method:
    return Method(
        name=method.name,
        request=method.input_type.lstrip("."),
        response=method.output_type.lstrip("."),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        request_bytes_max=stated.request_bytes_max or request_bytes_max,
        # Methods of others, which state nothing, only read.
        caller=stated.Caller.Name(stated.caller or stated.ANYONE),
        idempotency=stated.Idempotency.Name(stated.idempotency or stated.IDEMPOTENT),
        comment=comment,
    )


def snake(name: str) -> str:
    """"GetTwin" -> "get_twin"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def c_prefix(full_name: str) -> str:
    """"twind.v1.GetTwinRequest" -> "twind__v1__get_twin_request", as protoc-c names symbols."""
    return "__".join(snake(part) for part in full_name.split("."))


def c_type(full_name: str) -> str:
    """"twind.v1.GetTwinRequest" -> "Twind__V1__GetTwinRequest", as protoc-c names types."""
    return "__".join(part[0].upper() + part[1:] for part in full_name.split("."))
