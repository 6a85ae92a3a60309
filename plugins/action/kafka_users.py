"""Users that log in by SCRAM as data, over Kafka's own protocol. ansible-doc -t module kafka_users."""

from kafka_proof.action import Action
from kafka_proof.operations.access.users import have


class ActionModule(Action):
    def act(self, arguments):
        return have(arguments, self.check_mode, self.say)
