"""Wait until a Kafka cluster is ready: a controller-side action, because a module would cost 0.4 s only to start.

    kafka_ready:
      client: {bootstrap.servers: localhost:9092}   # client properties
      brokers: [1]                                  # ids that must be there
      timeout: 90                                   # seconds
      config: [log.retention.ms]                    # names of settings, which Kafka may not know

Returns what `wait_ready` returns, `seconds`, how long it took, and `warnings`, of `misspelt`.
"""

import contextlib
import time

from ansible.plugins.action import ActionBase
from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.cluster.ready import NotReadyError, wait_ready
from kafka_proof.cluster.settings import misspelt, settings_of


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            argument_spec={
                "client": {"type": "dict", "required": True},
                "brokers": {"type": "list", "elements": "int", "required": True},
                "timeout": {"type": "int", "required": True},
                "config": {"type": "list", "elements": "str", "default": []},
            }
        )
        started = time.monotonic()
        try:
            cluster = wait_ready(args["client"], args["brokers"], args["timeout"])
            seconds = round(time.monotonic() - started, 1)
            warnings = _misspelt(args["client"], args["brokers"][0], args["config"])
        except (NotReadyError, ClientPropertiesError) as error:
            return {"failed": True, "msg": f"{args['client'].get('bootstrap.servers')}: {error}"}
        return {"changed": False, "seconds": seconds, "warnings": warnings, **cluster}


def _misspelt(client, broker, names):
    if not names:
        return []
    with contextlib.suppress(KafkaError), admin_client(client, 5) as admin:
        return misspelt(names, settings_of(admin, [broker])[broker])
    return []
