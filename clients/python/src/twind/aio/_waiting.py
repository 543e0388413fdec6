"""Waiting in an event loop, with a deadline.

A task that is cancelled while it waits here has taken nothing: bytes are taken after the wait, and accounted for
before the next one. Called by the connections and streams.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time


async def done(future: asyncio.Future[bool], deadline: float) -> bool:
    """Waits for the future, whose result is true; False = the deadline passed first. On time.monotonic()'s clock."""
    if deadline == math.inf:
        return await future
    timer = future.get_loop().call_later(max(0.0, deadline - time.monotonic()), resolve, future, False)
    try:
        return await future
    finally:
        timer.cancel()


async def readable(connected: socket.socket, deadline: float) -> bool:
    """False = the deadline passed first. One task at a time."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()
    loop.add_reader(connected, resolve, future, True)
    try:
        return await done(future, deadline)
    finally:
        loop.remove_reader(connected)


async def writable(connected: socket.socket, deadline: float) -> bool:
    """As `readable`."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()
    loop.add_writer(connected, resolve, future, True)
    try:
        return await done(future, deadline)
    finally:
        loop.remove_writer(connected)


def resolve(future: asyncio.Future[bool], result: bool) -> None:
    if not future.done():
        future.set_result(result)
