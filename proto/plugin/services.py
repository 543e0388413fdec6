"""The services and messages of a code generator request, as plain values that every emitter reads."""

import re
from dataclasses import dataclass

# A method whose comment states no "Request limit: N KiB|MiB." has this one.
DEFAULT_REQUEST_BYTES_MAX = 256 * 1024


@dataclass(frozen=True)
class Method:
    name: str  # "GetTwin"
    request: str  # "twind.v1.GetTwinRequest"
    response: str  # "twind.v1.GetTwinResponse"
    client_streaming: bool
    server_streaming: bool
    request_bytes_max: int
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


def services_of(request) -> list[Service]:
    wanted = set(request.file_to_generate)
    return [
        service
        for file in request.proto_file
        if file.name in wanted
        for service in _services_in(file)
    ]


def messages_of(request) -> list[str]:
    """Full names of the messages in the files asked for, in order."""
    wanted = set(request.file_to_generate)
    return [
        f"{file.package}.{message.name}"
        for file in request.proto_file
        if file.name in wanted
        for message in file.message_type
    ]


def _services_in(file):
    comments = {tuple(l.path): l.leading_comments for l in file.source_code_info.location}
    for s, service in enumerate(file.service):
        methods = tuple(
            _method(method, _clean(comments.get((6, s, 2, m), "")))
            for m, method in enumerate(service.method)
        )
        comment = _clean(comments.get((6, s), ""))
        yield Service(file.package, service.name, file.name, methods, comment)


def _method(method, comment: str) -> Method:
    limit = re.search(r"Request limit: (\d+) (KiB|MiB)\.", comment)
    unit = {"KiB": 1024, "MiB": 1024 * 1024}
    return Method(
        name=method.name,
        request=method.input_type.lstrip("."),
        response=method.output_type.lstrip("."),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        request_bytes_max=int(limit[1]) * unit[limit[2]] if limit else DEFAULT_REQUEST_BYTES_MAX,
        comment=comment,
    )


def _clean(comment: str) -> str:
    return "\n".join(line.strip() for line in comment.strip().splitlines())


def snake(name: str) -> str:
    """"GetTwin" -> "get_twin"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def c_prefix(full_name: str) -> str:
    """"twind.v1.GetTwinRequest" -> "twind__v1__get_twin_request", as protoc-c names symbols."""
    return "__".join(snake(part) for part in full_name.split("."))


def c_type(full_name: str) -> str:
    """"twind.v1.GetTwinRequest" -> "Twind__V1__GetTwinRequest", as protoc-c names types."""
    return "__".join(part[0].upper() + part[1:] for part in full_name.split("."))
