"""Give each partition back to its preferred leader, after brokers were restarted.

    kafka_leaders:
      client: {bootstrap.servers: localhost:9092}   # client properties

Returns `moved`, how many partitions got another leader. Never `changed`: it is the end of a restart.
"""

from ansible.plugins.action import ActionBase
from kafka.errors import KafkaError

from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.operations.leaders import elect_preferred_leaders


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = False
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec={"client": {"type": "dict", "required": True}})
        try:
            return {"changed": False, "moved": elect_preferred_leaders(args["client"])}
        except (KafkaError, ClientPropertiesError) as error:
            return {"failed": True, "msg": f"{args['client'].get('bootstrap.servers')}: {error}"}
