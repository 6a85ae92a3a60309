"""Is this the right broker? An address can lead to another broker, or to another cluster.

A broker describes only its own configuration. It refuses a request for another broker's. So an answer with the id shows
that the address leads to this broker, and not to another one behind the same name or port.

`another` decides for all callers: `not_itself` asks through kafka-python, the doctor through its own connection.
plugins/remote/kafka_reach.py asks the same on hosts with Python's standard library alone, and decides for itself.
"""

import re
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResourceType
from kafka.errors import AuthorizationError, KafkaError, for_code
from kafka.protocol.admin import DescribeConfigsRequest

from kafka_proof.client.raw import send


class NotReadyError(Exception):
    """The cluster is not ready. The message is the last observation."""


def question(broker: int) -> DescribeConfigsRequest:
    """Return the request for a broker's own id, for `another`."""
    return DescribeConfigsRequest(resources=[(ConfigResourceType.BROKER, str(broker), ["broker.id", "node.id"])])


def another(broker: int, response: Any) -> str:
    """Judge the response to `question(broker)`. Return "" for this broker, else "broker 2" or "another broker".

    Raises kafka.errors.AuthorizationError when the client has no right to ask (DescribeConfigs on the cluster).
    """
    [result] = response.results
    if issubclass(error := for_code(result.error_code), AuthorizationError):
        raise error(f"broker {broker}: {result.error_message or 'DescribeConfigs on the cluster is not granted'}")
    # A broker that generated its id has -1 in its settings.
    values = {setting.value for setting in result.configs}
    if not result.error_code and (str(broker) in values or values == {"-1"}):
        return ""
    # Unexpected broker id, expected 2 or empty string, but received 1
    itself = re.search(r"expected (\d+)", result.error_message or "")
    return f"broker {itself[1]}" if itself else "another broker"


def not_itself(admin: KafkaAdminClient, broker: int, address: str) -> str:
    """Ask the broker of this id for its id, at its advertised address. Return why it is not itself; "" when it is."""
    try:
        other = another(broker, send(admin, question(broker), broker))
    except AuthorizationError as error:
        return f"broker {broker} does not show its id to this client: {error}"
    except KafkaError as error:
        return f"broker {broker} does not answer at its advertised address {address}: {error}"
    return f"{address}, which broker {broker} advertises, is answered by {other}" if other else ""


def identify(admin: KafkaAdminClient, broker: int, address: str) -> None:
    """Raise NotReadyError unless this broker answers as itself at `address`."""
    if reason := not_itself(admin, broker, address):
        raise NotReadyError(reason)


def answers(admin: KafkaAdminClient, broker: int, address: str | None) -> bool:
    """Return whether this broker answers as itself at `address`. None, for a broker that is not registered: False."""
    return address is not None and not not_itself(admin, broker, address)
