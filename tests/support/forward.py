"""A port of the loopback address that leads to another one, as a router or a tunnel does."""

import contextlib
import socket
import threading


def _pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for side in (source, sink):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def forwarded(port):
    """Forward connections to `port` while the block runs. Yields the port to connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    try:
                        broker = socket.create_connection(("127.0.0.1", port), timeout=5)
                    except OSError:
                        client.close()
                        continue
                    broker.settimeout(None)
                    for pair in ((client, broker), (broker, client)):
                        threading.Thread(target=_pump, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)  # ends accept(), which close() alone does not
