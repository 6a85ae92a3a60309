"""Move replicas between a cluster's brokers until the load is even: kafka_proof.operations.reassign.

    kafka_rebalance:
      client: {bootstrap.servers: "localhost:9092"}  # client properties
      brokers: [1, 2, 3]        # ids that the inventory names
      drain: [3]                # of these, those that are to hold nothing; default: none
      replication: {orders: 3}  # topics that are to have another number of replicas; default: none
      throttle: 50000000        # bytes/s that a broker may send, and receive, for this; 0: no limit
      timeout: 600              # seconds without progress after which to give up

While it runs it says how far it is. Interrupted, it calls off what is under way, removes its throttle, and goes on when
it is run again. When it succeeds, brokers in `drain` hold nothing: their disks are asked. Check mode shows as a diff
which partitions would change. Returns `partitions`, how many changed.
"""

from ansible.plugins.action import ActionBase
from kafka.errors import KafkaError

from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.operations import reassign


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        ids = {"type": "list", "elements": "int"}
        _, args = self.validate_argument_spec(
            argument_spec={
                "client": {"type": "dict", "required": True},
                "brokers": {**ids, "required": True},
                "drain": {**ids, "default": []},
                "replication": {"type": "dict", "default": {}},
                "throttle": {"type": "int", "required": True},
                "timeout": {"type": "int", "required": True},
            }
        )
        try:
            with connect(kafka_python(args["client"])) as admin, reassign.stop_signals() as stop:
                return self._have(admin, args, stop)
        except (
            reassign.ImpossibleError,
            reassign.StalledError,
            reassign.Interrupted,
            KafkaError,
            RuntimeError,
        ) as error:
            return {"failed": True, "msg": f"{args['client']['bootstrap.servers']}: {error}"}
        except (ClientPropertiesError, NoKafkaError) as error:
            return {"failed": True, "msg": str(error)}

    def _have(self, admin, args, stop):
        replication = {}
        for topic, count in args["replication"].items():
            if not str(count).isdecimal():
                raise reassign.ImpossibleError(
                    f"topic {topic} is to have {count!r} replicas. Give a number, 1 or more."
                )
            replication[topic] = int(count)
        wanted = reassign.Wanted(args["brokers"], args["drain"], replication)
        changes = reassign.plan(admin, wanted)
        result = {"changed": bool(changes), "partitions": len(changes), "diff": reassign.render(changes)}
        if self._task.check_mode:
            return result
        live = {"say": self._display.display, "timeout": args["timeout"], "stop": stop}
        count = reassign.rebalance(admin, wanted, throttle=args["throttle"], **live)
        reassign.prove_empty(admin, wanted.drain, **live)
        return result | {"changed": count > 0, "partitions": count}
