"""Containers of the previous version carried their settings in the variable PROPERTIES. Their facts become labels here.

Such a container is recreated once, in its turn, with its data; after that nothing reads this file.
"""

from collections.abc import Iterable

import javaproperties


def labels(environment: Iterable[str]) -> dict[str, str]:
    """Return the labels, without their prefix, that the container would carry today. `environment`: NAME=VALUE."""
    variables = dict(item.partition("=")[::2] for item in environment)
    settings = javaproperties.loads(variables.get("PROPERTIES", ""))
    servers = [key.removeprefix("server.") for key in settings if key.startswith("server.")]
    return {
        "kind": "zookeeper" if "clientPort" in settings else "broker",
        "id": settings.get("broker.id", ""),
        "advertised": settings.get("advertised.listeners", ""),
        "protocol": settings.get("inter.broker.protocol.version", ""),
        "ensemble": ",".join(sorted(servers, key=int)),
    }
