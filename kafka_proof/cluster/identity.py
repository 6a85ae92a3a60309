"""Is this the right broker? An address can lead to another broker, or to another cluster."""

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError


class NotReadyError(Exception):
    """The deadline passed. The message says what was last seen."""


def identify(admin, broker_id, address):
    """Ask the broker of this id, at the address that it advertises, who it is. Raises NotReadyError."""
    # A broker describes its own configuration only: one that is asked for another's id refuses. So an answer with this
    # id says that the advertised address leads to this broker, and not to another behind the same name or port.
    resource = ConfigResource(ConfigResourceType.BROKER, str(broker_id), ["broker.id", "node.id"])
    try:
        answer = admin.describe_configs([resource], config_filter="all")["broker"][str(broker_id)]
    except KafkaError as error:
        raise NotReadyError(
            f"broker {broker_id} does not answer at its advertised address {address}: {error}"
        ) from error
    if str(broker_id) not in {setting["value"] for setting in answer.values()}:
        raise NotReadyError(f"{address}, which broker {broker_id} advertises, is answered by another broker")


def answers(admin, broker, address):
    """Whether this broker answers as itself at `address`, at which it is registered; None if it is not."""
    if address is None:
        return False
    try:
        identify(admin, broker, address)
    except NotReadyError:
        return False
    return True
