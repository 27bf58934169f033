"""Two servers on loopback, each on a thread of its own: one that answers HTTP, one that shows a certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

#: Of `localhost`, signed by itself, 2020 to 2119, with its key; good for nothing else.
CERTIFICATE = Path(__file__).with_name("localhost.pem")


@contextmanager
def website(status: int) -> Iterator[str]:
    """Answer every request with a status; return the address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def certified() -> Iterator[str]:
    """Show the certificate to whoever comes, as often as they like; return the host and port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, context))
        thread.start()
        try:
            yield f"localhost:{listener.getsockname()[1]}"
        finally:
            # Closing it would not wake the thread; a connection without a handshake does, and ends it.
            socket.create_connection(listener.getsockname()).close()
            thread.join()


def unused_address() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if not connection.recv(1, socket.MSG_PEEK):
                return
            # A client that does not trust us says so and leaves.
            with suppress(ssl.SSLError, OSError), context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
