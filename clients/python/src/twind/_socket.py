"""Where the daemon's socket is, and what a failure to connect to it means. Called by both transports.

System calls are written `(result,) = map(call, (argument,))` in this package, with nothing but that line inside the
`try`. It is `result = call(argument)`, and a signal handler cannot come between the call and the assignment: CPython
runs handlers after the calls that Python code makes, and here the unpacking makes the call. So

- an OSError caught there is the system call's, never one that a handler raised, and
- bytes that were taken are accounted for as long as no other call follows before they are.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping

from twind import _process
from twind.errors import PermissionDenied, TwindError, Unavailable

# What sockaddr_un holds, less the final NUL.
PATH_BYTES_MAX = 107

# A daemon that is starting, or whose queue of connections is full, may be there a moment later.
_PASSING = {errno.ENOENT, errno.ECONNREFUSED, errno.EAGAIN, errno.ECONNRESET, errno.EINTR}

# Why the system gives no socket at all.
_NO_SOCKET = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class ConnectFailed(Exception):
    """The system refused to connect, for the reason in `error`."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def default_path(environment: Mapping[str, str] | None = None) -> str:
    """$TWIND_SOCKET, else $XDG_RUNTIME_DIR/twind.sock, else ./twind.sock: as the daemon has it."""
    environment = os.environ if environment is None else environment
    path = environment.get("TWIND_SOCKET")
    if path:
        return path
    directory = environment.get("XDG_RUNTIME_DIR")
    return os.path.join(directory, "twind.sock") if directory else "./twind.sock"


def checked_path(path: str | os.PathLike[str] | None) -> str:
    """Raises ValueError for a path that no socket can have."""
    text = default_path() if path is None else os.fspath(path)
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError(f"the socket path {text!r} contains half of a surrogate pair, which is not valid") from None
    if b"\0" in encoded:
        raise ValueError(f"the socket path {text!r} contains a NUL character")
    length = len(encoded)
    if length == 0 or length > PATH_BYTES_MAX:
        raise ValueError(
            f"the socket path {text!r} has {length} bytes; it must have 1 to {PATH_BYTES_MAX}: "
            "use a shorter one, for example below $XDG_RUNTIME_DIR"
        )
    return text


def connect(path: str) -> socket.socket:
    """A connected socket that does not block. Never waits: a full queue of connections is a ConnectFailed too."""
    try:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno in _NO_SOCKET:
            raise ConnectFailed(error) from None
        raise
    connected.setblocking(False)
    attempt = map(connected.connect, (path,))
    try:
        (_,) = attempt
    except OSError as error:
        connected.close()
        raise ConnectFailed(error) from None
    _process.own(connected)
    return connected


def is_passing(error: OSError) -> bool:
    """Whether another try may succeed."""
    return error.errno in _PASSING


def connect_error(path: str, error: OSError) -> TwindError:
    """Says why there is no connection, and what to do."""
    match error.errno:
        case errno.ENOENT:
            text = "there is no such socket. Start the daemon (twind), or set TWIND_SOCKET to its socket"
        case errno.ECONNREFUSED:
            text = "nothing is listening: the daemon has ended and left its socket. Start the daemon (twind)"
        case errno.EAGAIN:
            text = "the daemon does not accept connections: its queue is full"
        case errno.EACCES | errno.EPERM:
            return PermissionDenied(
                f"twind at {path}: permission denied. See the daemon's --socket-mode and --socket-group"
            )
        case errno.ENOTSOCK | errno.EPROTOTYPE:
            text = "this is not a stream socket. Set TWIND_SOCKET to the daemon's socket"
        case _:
            text = error.strerror or str(error)
    return Unavailable(f"twind at {path}: {text}")


def hang_up(connected: socket.socket) -> None:
    """Ends the connection for both sides, and wakes whoever waits on it; the descriptor stays."""
    attempt = map(connected.shutdown, (socket.SHUT_RDWR,))
    try:
        (_,) = attempt
    except OSError:
        pass  # it has ended already
