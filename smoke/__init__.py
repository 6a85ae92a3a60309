"""The smoke suite: one test for each property of a Kafka cluster. docs/smoke.md lists them."""

import sys
from importlib.util import find_spec

# The package, and the modules of its dependencies in pyproject.toml.
REQUIRED = (
    "javaproperties",
    "jinja2",
    "kafka",
    "kafka_proof",
    "lz4",
    "networkx",
    "prometheus_client",
    "pytest",
    "rich",
    "snappy",
    "zstandard",
)

if missing := [name for name in REQUIRED if not find_spec(name)]:
    # pytest would end with a traceback, or report properties that do not hold.
    print(
        f"smoke: not installed for {sys.executable}: {', '.join(missing)}. "
        "Install kafka-proof there, or run ./bootstrap pytest smoke in a checkout.",
        file=sys.stderr,
    )
    sys.exit(2)
