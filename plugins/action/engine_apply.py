"""Carry out a change on a host's engine. ansible-doc -t module engine_apply."""

from kafka_proof.action import Action

_DONE = {"remove": "removed", "stop": "stopped"}


class ActionModule(Action):
    def act(self, arguments):
        change = arguments["change"]
        changed = change["change"] != "nothing"
        if changed and not self.check_mode:
            if change.get("notice"):
                self.say(change["notice"])
            self.docker(change["script"], f"{change['name']} could not be {_DONE.get(change['change'], 'run')}", True)
        return {"changed": changed, "diff": change["diff"]}
