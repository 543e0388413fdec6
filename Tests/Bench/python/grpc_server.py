"""A grpcio server that answers GetTwin with a fixed number of bytes, unparsed: the least that grpcio can do.

Usage: grpc_server.py SOCKET BYTES

A peer of `twinbench compare`, which starts it.
"""

from __future__ import annotations

import signal
import sys
from concurrent import futures

import grpc


def main() -> None:
    socket, reply = sys.argv[1], bytes(int(sys.argv[2]))
    handler = grpc.method_handlers_generic_handler(
        "twind.v1.TwinService", {"GetTwin": grpc.unary_unary_rpc_method_handler(lambda request, context: reply)}
    )
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"unix:{socket}")
    # twinbench ignores this signal, and what it starts would, too.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server.start()
    server.wait_for_termination()


main()
