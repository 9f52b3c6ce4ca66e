"""A server of HTTP/2 for `tests.support.servers.hostile`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events

if TYPE_CHECKING:
    import socket
    import threading

    from tests.support.servers import Behaviour


def http2(body: bytes, *, silent: bool = False) -> Behaviour:
    """Return what answers each request with ``body``, or never ends its answer."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        while not over.is_set():
            connection.sendall(state.data_to_send())
            if not (data := connection.recv(65536)):
                return
            for event in state.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    state.send_headers(event.stream_id, [(":status", "200")])
                    state.send_data(event.stream_id, body, end_stream=not silent)

    return behave
