"""Decide which brokers change, in which order, and what needs no restart. ansible-doc -t module kafka_rolling_plan."""

from kafka_proof.action import Action, ActionError
from kafka_proof.operations.rolling_plan import decide, decide_controllers


class ActionModule(Action):
    def act(self, arguments):
        if arguments["kind"] == "controller":
            return decide_controllers(arguments["client"], arguments["brokers"], arguments["gate"])
        plan = decide(arguments["client"], arguments["brokers"], arguments["gate"])
        if invalid := plan.pop("invalid"):
            raise ActionError("\n".join([*invalid, "No broker was changed."]))
        return plan
