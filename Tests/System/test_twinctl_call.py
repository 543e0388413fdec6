"""`twinctl call`: any method, and any field of its messages, in both directions.

What it sends and prints is compared with protobuf's own JSON.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from daemon import Daemon
from frames import DATA, NO_DATA, REMOTE_CLOSED, REQUEST, RESPONSE, field, fields, frame
from methods import METHODS, is_repeated
from twinctl import LOCAL, NAME, NOT_FOUND, Twinctl

FRACTIONS = [0.5, -1e300, 5e-324, float("inf"), float("-inf"), float("nan")]


def integer(one: FieldDescriptor, chance: random.Random) -> int:
    bits = 32 if one.cpp_type in (one.CPPTYPE_INT32, one.CPPTYPE_UINT32) else 64
    if one.cpp_type in (one.CPPTYPE_UINT32, one.CPPTYPE_UINT64):
        return chance.choice([1, 300, 2**bits - 1])
    return chance.choice([1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))])


def value(one: FieldDescriptor, chance: random.Random) -> object:
    if one.type == one.TYPE_ENUM:
        return chance.choice([v.number for v in one.enum_type.values])
    if one.type == one.TYPE_STRING:
        return chance.choice(["x", "é\u2028 \"\\\n\x01", "\U0001f600"])
    if one.type == one.TYPE_BYTES:
        return chance.randbytes(chance.randrange(5))
    if one.type == one.TYPE_BOOL:
        return True
    if one.type == one.TYPE_DOUBLE:
        return chance.choice(FRACTIONS)
    if one.type == one.TYPE_FLOAT:
        return chance.choice([0.5, float("inf")])
    return integer(one, chance)


def fill(message: Message, chance: random.Random, depth: int = 0) -> Message:
    """Sets fields of the message, and of those in it; of a oneof one."""
    for one in message.DESCRIPTOR.fields:
        taken = one.containing_oneof and message.WhichOneof(one.containing_oneof.name)
        if taken or chance.randrange(4) == 0 or depth > 3:
            continue
        for _ in range(chance.randrange(1, 4) if is_repeated(one) else 1):
            if one.message_type:
                inner = getattr(message, one.name)
                fill(inner.add() if is_repeated(one) else inner, chance, depth + 1)
                if not is_repeated(one):
                    inner.SetInParent()
            elif is_repeated(one):
                getattr(message, one.name).append(value(one, chance))
            else:
                setattr(message, one.name, value(one, chance))
    return message


class Recorder:
    """A server that takes one call a connection, keeps its request and sends the replies that it was given."""

    def __init__(self, path: Path) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.replies: list[bytes] = []
        self.streams = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:  # closed
                return
            with peer:
                header = self._take(peer, 10)
                length, stream, kind, _ = struct.unpack(">IIBB", header)
                assert kind == REQUEST
                envelope = fields(self._take(peer, length))
                method = f"{envelope[1][0].decode()}.{envelope[2][0].decode()}"
                self.requests.append((method, envelope.get(3, [b""])[0]))
                if self.streams:
                    peer.sendall(b"".join(frame(stream, DATA, 0, reply) for reply in self.replies))
                    peer.sendall(frame(stream, DATA, REMOTE_CLOSED | NO_DATA, b""))
                else:
                    peer.sendall(frame(stream, RESPONSE, 0, field(2, self.replies[0])))
                peer.recv(1)

    @staticmethod
    def _take(peer: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = peer.recv(count - len(data))
            assert more
            data += more
        return data


@pytest.fixture
def recorder(directory: Path) -> Iterator[Recorder]:
    recorder = Recorder(directory / "s")
    yield recorder
    recorder.listener.close()


def same(left: Message, right: Message) -> bool:
    """Also where a number is none."""
    return left.SerializeToString(deterministic=True) == right.SerializeToString(deterministic=True)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_field_of_every_method(name: str, recorder: Recorder, directory: Path) -> None:
    method: MethodDescriptor = METHODS[name]
    twinctl = Twinctl(directory / "s", directory)
    request, reply = (message_factory.GetMessageClass(m) for m in (method.input_type, method.output_type))
    recorder.streams = method.server_streaming
    chance = random.Random(name)
    for round in range(8):
        sent = fill(request(), chance) if round else request()
        answers = [fill(reply(), chance) if round else reply() for _ in range(3 if method.server_streaming else 1)]
        recorder.replies = [answer.SerializeToString() for answer in answers]
        # The names of the proto, and those that protobuf's JSON has by itself.
        text = json_format.MessageToJson(sent, preserving_proto_field_name=round % 2 == 0, indent=None)
        shown = twinctl("call", name, "--json", "-", stdin=text) if round else twinctl("call", name)
        called, payload = recorder.requests[-1]
        assert called == name
        assert same(request.FromString(payload), sent), text
        lines = shown.splitlines()
        assert len(lines) == len(answers)
        for line, answer in zip(lines, answers):
            assert same(json_format.Parse(line, reply()), answer), line


def test_what_is_wrong_is_named(daemon: Daemon, directory: Path) -> None:
    twinctl = Twinctl(daemon.socket, directory)

    def fails(request: str, message: str, code: int = LOCAL, method: str = "UpdateTwin") -> None:
        ended = twinctl.run("call", method, "--json", request)
        assert ended.returncode == code and message in ended.stderr.replace("\\\"", '"'), ended

    fails('{"nam": "x"}', "has no field nam: did you mean name?")
    fails('{"name": 1}', "name must be a string")
    fails('{"changes": {}}', "changes must be a list")
    fails('{"changes": [{}, 7]}', "changes[1] must be an object, a twind.v1.Change")
    fails('{"changes": [{"set": {"int_value": 1.5}}]}', "changes[0].set.int_value must be a 64-bit integer, not 1.5")
    fails('{"changes": [{"set": {"int_value": 1, "bool_value": true}}]}', "int_value and changes[0].set.bool_value are both given")
    fails('{"expected_revision": -1}', "expected_revision must be a 64-bit integer of at least 0, not -1")
    fails('{"durability": "SYNCED"}', "durability cannot be SYNCED")
    fails('{"name": "a", "name": "b"}', "name appears twice")
    fails('{"name"', "is not valid JSON")
    fails("{}", "there is no method GetTwn: did you mean GetTwin?", method="GetTwn")
    fails('{"name": "%s"}' % NAME, "does not exist", NOT_FOUND, "GetTwin")
    assert "give a method, or use --list" in twinctl.fails(LOCAL, "call")


def test_the_list_has_every_method(daemon: Daemon, directory: Path) -> None:
    listed = Twinctl(daemon.socket, directory)("call", "--list")
    assert max(map(len, listed.splitlines())) <= 80
    assert {line.split()[0] for line in listed.splitlines()[1:]} == {".".join(n.split(".")[-2:]) for n in METHODS}


def test_numbers_and_defaults(daemon: Daemon, directory: Path) -> None:
    twinctl = Twinctl(daemon.socket, directory)
    change = '{"attribute": "n", "set": {"int_value": "9007199254740993"}}'
    done = twinctl("call", "UpdateTwin", "--json", f'{{"name": "{NAME}", "changes": [{change}], "purpose": null}}')
    assert '"fact_count":1' in done
    assert '"int_value":9007199254740993' in twinctl("call", "twind.v1.TwinService/GetTwin", "--json", f'{{"name": "{NAME}"}}')
