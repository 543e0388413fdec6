"""One Python client under measurement: twind's, redis-py, or grpcio.

Usage: client.py twind|redis|grpc SOCKET KEYS

A peer of `twinbench compare`, which starts it and talks to it: each line on standard input is a number of seconds; for
so long random keys are read one after the other, and the median latency in nanoseconds and the calls per second are
printed on one line. The three loops are the same but for the call.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable


def twind_read(socket: str) -> Callable[[str], object]:
    import twind

    client = twind.Client(socket, agent="bench")
    return client.get


def redis_read(socket: str) -> Callable[[str], object]:
    import redis

    client = redis.Redis(unix_socket_path=socket)
    return client.get


def grpc_read(socket: str) -> Callable[[str], object]:
    import grpc

    channel = grpc.insecure_channel(f"unix:{socket}")
    call = channel.unary_unary("/twind.v1.TwinService/GetTwin")
    return lambda name: call(name.encode())


def measure(read: Callable[[str], object], names: list[str], seconds: float) -> tuple[int, float]:
    latencies = []
    clock = time.perf_counter_ns
    began = clock()
    end = began + int(seconds * 1e9)
    now = began
    while now < end:
        name = random.choice(names)
        start = clock()
        read(name)
        now = clock()
        latencies.append(now - start)
    return int(statistics.median(latencies)), len(latencies) / ((now - began) / 1e9)


def main() -> None:
    kind, socket, keys = sys.argv[1], sys.argv[2], int(sys.argv[3])
    read = {"twind": twind_read, "redis": redis_read, "grpc": grpc_read}[kind](socket)
    names = [f"twinbench/customer/{number:08}" for number in range(keys)]
    read(names[0])
    print("ready", flush=True)
    for line in sys.stdin:
        median, rate = measure(read, names, float(line))
        print(median, rate, flush=True)


main()
