"""Forbid network connections in this process. Kernels reach their notebook over the loopback, which stays open."""

import sys
from typing import Any

LOOPBACK = ("127.", "::1", "localhost")


def _forbid_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:1]
    else:
        return
    # A Unix socket's address is a path, not a tuple; getaddrinfo may be asked for no host at all.
    if isinstance(address, tuple) and address[0] is not None and not str(address[0]).startswith(LOOPBACK):
        raise PermissionError(f"lessons and tests use no network, but something tried to reach {address[0]!r}")


sys.addaudithook(_forbid_network)
