"""The protoc plugin: one request on standard input, one response on standard output.

The parameter names what is written: `swift` routes, the `c` method table, `python` stubs, or the `reference` page. Each
emitter is a module `emit_<parameter>` with a function `emit(services, messages, enums) -> {file name: text}`.
`swift,request_bytes_max=N` gives methods that state no limit another one.
"""

import importlib
import sys

import options_pb2  # noqa: F401  Before the request is read: its extension is known from then on.
from google.protobuf.compiler import plugin_pb2

from messages import enums_of, messages_of
from services import services_of


def main() -> None:
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    response = plugin_pb2.CodeGeneratorResponse()
    try:
        for name, text in files_of(request).items():
            response.file.add(name=name, content=text)
    except ValueError as error:
        response.error = str(error)
    sys.stdout.buffer.write(response.SerializeToString())


def files_of(request) -> dict[str, str]:
    language, *settings = request.parameter.split(",")
    services = services_of(request, **{name: int(value) for name, value in (s.split("=") for s in settings)})
    emitter = importlib.import_module(f"emit_{language}")
    return emitter.emit(services, messages_of(request), enums_of(request))


main()
