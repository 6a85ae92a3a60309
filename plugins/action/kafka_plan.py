"""Decide which brokers are changed, in which order, and what needs no restart.

    kafka_plan:
      client: {bootstrap.servers: localhost:9092}   # client properties
      brokers:                                      # of each host, in the inventory's order
        # The last three from engine_change.
        - {host: kafka-1, id: 1, config: {}, change: make, running: true, properties: null}
      gate: true                                    # change running brokers one at a time

Returns

    at_once      [host]: those that do not run, or are cut off, so that nobody misses them; of a new cluster, all
    one_by_one   [host]: those that run and have to be restarted: who does not answer first, the active controller last
    configure    {id: {key: value, or null to reset it}}: settings that brokers take while they run
    warnings     [str]: names in `config` that Kafka does not know, and that are like one it knows

Where the cluster does not answer, it is decided without it: nothing is configured, and the gate before each broker says
what is wrong.
"""

from ansible.plugins.action import ActionBase

from kafka_proof.operations.rolling_plan import decide


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
                "brokers": {"type": "list", "elements": "dict", "required": True},
                "gate": {"type": "bool", "required": True},
            }
        )
        brokers = [broker | {"id": int(broker["id"])} for broker in args["brokers"]]
        return {"changed": False, **decide(args["client"], brokers, args["gate"])}
