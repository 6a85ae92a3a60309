"""Give each partition back to its preferred leader. ansible-doc -t module kafka_elect_leaders."""

from kafka_proof.action import Action
from kafka_proof.operations.leaders import elect_preferred_leaders


class ActionModule(Action):
    _supports_check_mode = False

    def act(self, arguments):
        return {"moved": elect_preferred_leaders(arguments["client"])}
