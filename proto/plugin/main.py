"""The protoc plugin: one request on standard input, one response on standard output.

The parameter names what is written: `swift` routes, the `c` method table, or `python` stubs. Each emitter is a
module `emit_<language>` with a function `emit(services) -> {file name: text}`; one that also writes something for each
message has `emit_messages(messages) -> {file name: text}`.
"""

import importlib
import sys

from google.protobuf.compiler import plugin_pb2

from services import messages_of, services_of


def main() -> None:
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    response = plugin_pb2.CodeGeneratorResponse()
    emitter = importlib.import_module(f"emit_{request.parameter}")
    files = emitter.emit(services_of(request))
    if hasattr(emitter, "emit_messages"):
        files |= emitter.emit_messages(messages_of(request))
    for name, text in files.items():
        response.file.add(name=name, content=text)
    sys.stdout.buffer.write(response.SerializeToString())


main()
