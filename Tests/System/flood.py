"""A noisy neighbour: connections that always have a given number of calls in flight.

It uses raw frames, to need little CPU itself, and only counts the replies by status. `FloodProcess` runs it in a
separate process. Used by test_neighbours.py and by Tests/Bench/neighbours.py.
"""

from __future__ import annotations

import multiprocessing
import os
import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from frames import DATA, OK, REMOTE_CLOSED, REQUEST, RESPONSE, TWINS, envelope

# The frame of the next call, of the stream named.
Calls = Callable[[int], bytes]
HEADER_BYTES = 10


def same(method: str, payload: bytes = b"", flags: int = 0, service: str = TWINS) -> Calls:
    """The same call, again and again."""
    body = envelope(service, method, payload)
    return lambda stream: struct.pack(">IIBB", len(body), stream, REQUEST, flags) + body


class Flood:
    """`connections` connections that each keep `in_flight` calls under way; `codes` counts how calls ended."""

    def __init__(self, path: Path | str, connections: int, in_flight: int, call: Calls) -> None:
        self._path = str(path)
        self._connections = connections
        self._in_flight = in_flight
        self._call = call
        self.codes: Counter[int] = Counter()
        self.on_answers: Callable[[], None] = lambda: None

    def run(self, is_stopped: Callable[[], bool], seconds: float = 60) -> None:
        """Until it is told to stop; at most so long, and until the daemon closes all connections."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for _ in range(self._connections):
                caller = _Caller(self._path, self._call)
                selector.register(caller.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, caller)
                caller.begin(self._in_flight)
            try:
                while not is_stopped() and time.monotonic() < end and selector.get_map():
                    for key, _ in selector.select(0.05):
                        self._turn(selector, key.data)
            finally:
                for key in list(selector.get_map().values()):
                    key.data.socket.close()

    def _turn(self, selector: selectors.BaseSelector, caller: _Caller) -> None:
        try:
            codes = caller.receive()
            caller.begin(len(codes))
            caller.send()
        except ConnectionError:
            selector.unregister(caller.socket)
            caller.socket.close()
            return
        self.codes.update(codes)
        if codes:
            self.on_answers()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if caller.has_unsent else 0)
        if selector.get_key(caller.socket).events != events:
            selector.modify(caller.socket, events, caller)


class FloodProcess:
    """A flood in a process of its own for as long as a `with` lasts. Its priority is low, so that what it takes itself
    is not felt where cores are few."""

    def __init__(self, flood: Flood, seconds: float = 60) -> None:
        fork = multiprocessing.get_context("fork")
        self._stop = fork.Event()
        # A call has been answered.
        self.answered = fork.Event()
        self._reading, self._writing = fork.Pipe(duplex=False)
        self._process = fork.Process(target=self._run, args=(flood, seconds), daemon=True)
        # How calls ended, and how long it lasted, once it is over.
        self.codes: Counter[int] = Counter()
        self.seconds = 0.0

    def _run(self, flood: Flood, seconds: float) -> None:
        os.nice(10)
        began = time.monotonic()
        flood.on_answers = self.answered.set
        try:
            flood.run(self._stop.is_set, seconds)
        except ConnectionError:  # the daemon has ended
            pass
        self._writing.send((flood.codes, time.monotonic() - began))

    def __enter__(self) -> FloodProcess:
        self._process.start()
        self._writing.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._reading.poll(10):
            self.codes, self.seconds = self._reading.recv()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
        self._reading.close()


class _Caller:
    """One connection: what is to be sent, and how far the frame that arrives has come."""

    def __init__(self, path: str, call: Calls) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self._call = call
        self._stream = 1
        self._unsent = bytearray()
        self._received = bytearray()
        # Bytes of the present frame that are still to come, and are not looked at.
        self._skip = 0

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def begin(self, calls: int) -> None:
        for _ in range(calls):
            self._unsent += self._call(self._stream)
            self._stream += 2

    def send(self) -> None:
        if self._unsent:
            try:
                sent = self.socket.send(self._unsent)
            except BlockingIOError:
                return
            del self._unsent[:sent]

    def receive(self) -> list[int]:
        """Status codes of the calls that have ended."""
        try:
            data = self.socket.recv(256 << 10)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError
        self._received += data
        received, at, ended = self._received, 0, []
        while True:
            step = min(self._skip, len(received) - at)
            at += step
            self._skip -= step
            # With the first bytes of a response, which tell its code.
            if self._skip or len(received) - at < HEADER_BYTES:
                break
            length, _, kind, flags = struct.unpack_from(">IIBB", received, at)
            start = at + HEADER_BYTES
            if kind == RESPONSE:
                if len(received) - start < min(length, 16):
                    break
                ended.append(_code(bytes(received[start : start + min(length, 16)])))
            elif kind == DATA and flags & REMOTE_CLOSED:
                ended.append(OK)
            at, self._skip = start, length
        del received[:at]
        return ended


def _code(response: bytes) -> int:
    """Of a Response's first bytes: a status stands first, and its code first in it."""
    if response[:1] != b"\x0a":
        return OK
    # The status's length takes one byte or two.
    at = 2 if response[1] < 0x80 else 3
    return response[at + 1] if response[at : at + 1] == b"\x08" else OK
