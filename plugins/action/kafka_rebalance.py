"""Move replicas between brokers until the load is even. ansible-doc -t module kafka_rebalance."""

from kafka.errors import KafkaError

from kafka_proof.action import Action, ActionError
from kafka_proof.advice import explained
from kafka_proof.client.connection import connect
from kafka_proof.client.properties import kafka_python
from kafka_proof.operations import reassign

_EXPECTED = "The hosts of the group kafka are expected. playbooks/decommission.yml drains a broker."
_STATUS = "playbooks/status.yml shows the partitions that are not in sync."


class ActionModule(Action):
    def act(self, arguments):
        where = arguments["client"]["bootstrap.servers"]
        try:
            with connect(kafka_python(arguments["client"])) as admin, reassign.stop_signals() as stop:
                return self._have(admin, arguments, stop)
        except reassign.MismatchError as error:
            raise ActionError(f"{where}: {error} {_EXPECTED}") from None
        except reassign.StalledError as error:
            raise ActionError(f"{where}: {error} {_STATUS}", changed=True) from None
        except (reassign.ImpossibleError, reassign.Interrupted, RuntimeError) as error:
            raise ActionError(f"{where}: {error}", isinstance(error, reassign.Interrupted)) from None

    def _have(self, admin, arguments, stop):
        wanted = reassign.Wanted(arguments["brokers"], arguments["drain"], _replication(arguments["replication"]))
        changes = reassign.plan(admin, wanted)
        result = {"changed": bool(changes) or reassign.is_unfinished(admin), "diff": reassign.render(changes)}
        if self.check_mode:
            return result | {"partitions": len(changes)}
        live = {"say": self.say, "timeout": arguments["timeout"], "stop": stop}
        try:
            count = reassign.rebalance(admin, wanted, throttle=arguments["throttle"], **live)
            reassign.prove_empty(admin, wanted.drain, **live)
        except KafkaError as error:
            raise ActionError(
                f"{arguments['client']['bootstrap.servers']}: {explained(error)} Then run this again: it continues.",
                changed=result["changed"],
            ) from None
        return result | {"partitions": count}


def _replication(wanted):
    for topic, count in wanted.items():
        if not str(count).isdecimal():
            raise reassign.ImpossibleError(f"topic {topic} cannot have {count!r} replicas. Give a number, 1 or more.")
    return {topic: int(count) for topic, count in wanted.items()}
