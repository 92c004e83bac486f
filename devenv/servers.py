"""Start and stop the stand-in store and Odoo; busy ports are found before anything starts."""

import socket


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
