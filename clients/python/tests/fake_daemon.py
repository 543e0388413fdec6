"""A ttrpc server in threads, for tests of what a real daemon does only when things go wrong.

It serves FakeTwins and a service `test.Streams` with the other two streaming shapes. Faults are told in advance, by
method: `daemon.faults["GetTwin"] = [drop_before, ...]`; each is used once.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from google.protobuf.message import Message

from fake_twins import FakeTwins, Refused
from twind._generated.grpc.health.v1 import health_pb2
from twind._generated.ttrpc.ttrpc_pb2 import Any, KeyValue, Request, Response, Status
from twind._generated.twind.v1 import twin_service_pb2 as pb
from twind.errors import Code

REQUEST, RESPONSE, DATA, CANCEL = 1, 2, 3, 0x10
REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4
STREAMING = {
    "WatchTwins": REMOTE_CLOSED, "ListFacts": REMOTE_CLOSED, "Watch": REMOTE_CLOSED, "Collect": REMOTE_OPEN,
    "Chat": REMOTE_OPEN,
}  # fmt: skip


@dataclass
class Peer:
    """One client's connection."""

    socket: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)
    gone: bool = False
    # Messages received on open streams; None = the client sends no more.
    received: dict[int, list[bytes | None]] = field(default_factory=lambda: defaultdict(list))

    def send(self, stream: int, kind: int, body: bytes = b"", flags: int = 0) -> None:
        self.send_raw(struct.pack(">IIBB", len(body), stream, kind, flags) + body)

    def send_raw(self, data: bytes) -> None:
        with self.lock, contextlib.suppress(OSError):
            self.socket.sendall(data)

    def drop(self) -> None:
        self.gone = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


# A fault gets the daemon, the peer, the stream id, and what serves the request and replies.
Fault = Callable[["FakeDaemon", Peer, int, Callable[[], None]], None]


def drop_before(daemon, peer, stream, serve) -> None:
    peer.drop()


def drop_after(daemon, peer, stream, serve) -> None:
    """The request takes effect and the reply is lost."""
    with peer.lock:
        peer.socket.shutdown(socket.SHUT_WR)
    serve()
    peer.drop()


def hang(daemon, peer, stream, serve) -> None:
    pass


def delayed(seconds: float) -> Fault:
    def fault(daemon, peer, stream, serve):
        time.sleep(seconds)
        serve()

    return fault


def raw(data: bytes) -> Fault:
    return lambda daemon, peer, stream, serve: peer.send_raw(data)


class FakeDaemon:
    def __init__(self, path: str) -> None:
        self.path = path
        self.twins = FakeTwins()
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        # (method, envelope, flags) of all requests; ids of cancelled streams.
        self.requests: list[tuple[str, Request, int]] = []
        self.cancelled: list[int] = []
        self.peers: list[Peer] = []
        self.accepted = 0
        # No connection reads while this is cleared.
        self.reading = threading.Event()
        self.reading.set()
        self.start()

    def start(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self) -> None:
        """Like a daemon that ends: no more connections, and no socket file."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.drop_all()

    def drop_all(self) -> None:
        for peer in self.peers:
            peer.drop()
        self.peers.clear()

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            peer = Peer(accepted)
            self.accepted += 1
            self.peers.append(peer)
            threading.Thread(target=self._serve_peer, args=(peer,), daemon=True).start()

    def _serve_peer(self, peer: Peer) -> None:
        with peer.socket, contextlib.suppress(OSError):
            for stream, kind, flags, body in self._frames(peer.socket):
                if kind == REQUEST:
                    self._request(peer, stream, flags, body)
                elif kind == DATA:
                    if not flags & NO_DATA:
                        peer.received[stream].append(body)
                    if flags & REMOTE_CLOSED:
                        peer.received[stream].append(None)
                elif kind == CANCEL:
                    self.cancelled.append(stream)
        peer.gone = True

    def _frames(self, source: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
        file = source.makefile("rb")
        while True:
            self.reading.wait()
            header = file.read(10)
            if len(header) < 10:
                return
            length, stream, kind, flags = struct.unpack(">IIBB", header)
            self.reading.wait()
            body = file.read(length)
            if len(body) < length:
                return
            yield stream, kind, flags, body

    def _request(self, peer: Peer, stream: int, flags: int, body: bytes) -> None:
        request = Request.FromString(body)
        self.requests.append((request.method, request, flags))
        agent = next((pair.value for pair in request.metadata if pair.key == "twind-agent"), "root")

        def serve() -> None:
            try:
                if flags != STREAMING.get(request.method, 0):
                    raise Refused(Code.INVALID_ARGUMENT, f"{request.method} with flags {flags}")
                if request.method in STREAMING:
                    self._stream(peer, stream, request)
                    return
                message = self.twins.call(request.method, request.payload, agent)
                payload = message.SerializeToString()
                # An empty reply is a frame without a body, as containerd's server sends it.
                body = Response(payload=payload).SerializeToString()
                peer.send(stream, RESPONSE, body)
            except Refused as refused:
                peer.send(stream, RESPONSE, _refusal(refused))
            except KeyError:
                peer.send(stream, RESPONSE, _refusal(Refused(Code.UNIMPLEMENTED, f"no method {request.method}")))

        fault = self.faults[request.method].pop(0) if self.faults[request.method] else None
        work = serve if fault is None else lambda: fault(self, peer, stream, serve)
        if request.method in STREAMING or fault is not None:
            threading.Thread(target=work, daemon=True).start()
        else:
            work()

    def _stream(self, peer: Peer, stream: int, request: Request) -> None:
        def send(message: Message) -> None:
            peer.send(stream, DATA, message.SerializeToString())

        end = REMOTE_CLOSED | NO_DATA
        if request.method == "WatchTwins":
            self.twins.watch(pb.WatchTwinsRequest.FromString(request.payload), send, lambda: peer.gone)
        elif request.method == "ListFacts":
            self.twins.list_facts(pb.ListFactsRequest.FromString(request.payload), send)
            peer.send(stream, DATA, b"", end)
        elif request.method == "Watch":
            for status in (1, 2):
                send(health_pb2.HealthCheckResponse(status=status))
            peer.send(stream, DATA, b"", end)
        elif request.method == "Collect":
            texts = [KeyValue.FromString(message).value for message in _messages(peer, stream)]
            if "bad" in texts:
                raise Refused(Code.INVALID_ARGUMENT, "bad is not collected")
            reply = KeyValue(key=str(len(texts)), value="".join(texts)).SerializeToString()
            peer.send(stream, RESPONSE, Response(payload=reply).SerializeToString())
        else:
            for message in _messages(peer, stream):
                send(KeyValue(value=KeyValue.FromString(message).value.upper()))
            peer.send(stream, DATA, b"", end)


def _messages(peer: Peer, stream: int) -> Iterator[bytes]:
    while True:
        while not peer.received[stream]:
            if peer.gone:
                return
            time.sleep(0.002)
        message = peer.received[stream].pop(0)
        if message is None:
            return
        yield message


def _refusal(refused: Refused) -> bytes:
    details = [
        Any(type_url=f"type.googleapis.com/{detail.DESCRIPTOR.full_name}", value=detail.SerializeToString())
        for detail in refused.details
    ]
    status = Status(code=refused.code, message=refused.message, details=details)
    return Response(status=status).SerializeToString()
