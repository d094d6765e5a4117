"""Where the page is served: host and port, taken before anything is run, and the root path."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from scenarios.errors import InputError

#: Wildcard addresses, and the loopback address for each.
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
#: Errors for an address this machine does not have, such as an IPv6 one without IPv6.
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
#: A valid path.
_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~%@:+,=-]+)*")
#: Paths Solara uses itself; a page below one of them could not be told apart.
_OWN_PATHS = ("/_solara", "/jupyter", "/static")
_ADVICE = "name one, such as 127.0.0.1, or 0.0.0.0 for all"


@dataclass(frozen=True)
class Listening:
    """Listening sockets and the address for a browser on this machine, ``http://HOST:PORT``.

    Attributes:
        to_others: whether other machines can reach it.
    """

    sockets: list[socket.socket]
    address: str
    to_others: bool


@contextmanager
def listening(host: str, port: int) -> Iterator[Listening]:
    """Listen on all addresses of a host; port 0 takes any free one. Early connections wait.

    Raises:
        InputError: the host is not an address of this machine, or the port is not available.
    """
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        for family, name in _addresses(host):
            try:
                opened = socket.create_server(
                    (name, port),
                    family=family,
                    dualstack_ipv6=name == "::" and socket.has_dualstack_ipv6(),
                )
            except OSError as error:
                if error.errno in _NOT_HERE:
                    continue
                raise InputError(_refusal(port, error)) from None
            sockets.append(stack.enter_context(opened))
            port = opened.getsockname()[1]
        if not sockets:
            raise InputError(f"--host is {host}, which is not an address of this machine; {_ADVICE}")
        shown = _EVERYWHERE.get(host, host)
        address = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        to_others = any(not ip_address(each.getsockname()[0].partition("%")[0]).is_loopback for each in sockets)
        yield Listening(sockets, address, to_others)


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """Families and addresses of a host, each once."""
    try:
        resolved = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InputError(
            f"--host is {host}, which cannot be resolved to an address of this machine; {_ADVICE}"
        ) from None
    return list(dict.fromkeys((socket.AddressFamily(family), str(address[0])) for family, *_, address in resolved))


def _refusal(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; name another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} is not allowed to this user; name another with --port, such as 8765"
    return f"cannot listen on port {port}: {error.strerror}; name another with --port"


def path_below(text: str) -> str:
    """The root path of the page, such as ``/model``, or empty.

    Args:
        text: that path, with or without slashes around it.

    Raises:
        InputError: it is not a path, or it is one that the page uses itself.
    """
    path = f"/{text.strip('/')}" if text.strip("/") else ""
    if not _PATH.fullmatch(path):
        raise InputError(f"--root-path is {text}; it must be a path such as /model, without host or query")
    if path in _OWN_PATHS:
        raise InputError(f"--root-path is {text}, which the page uses for its own files; name another path")
    return path
