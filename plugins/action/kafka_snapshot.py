"""Write down what a cluster has, or verify that it still has all of it. ansible-doc -t module kafka_snapshot."""

from pathlib import Path

from kafka.errors import KafkaError

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import NoKafkaError
from kafka_proof.client.text import one_line
from kafka_proof.operations import snapshot


class ActionModule(Action):
    def act(self, arguments):
        path, where = Path(arguments["path"]), arguments["client"]["bootstrap.servers"]
        try:
            before = snapshot.read(path)
            now = snapshot.take(arguments["client"], arguments["timeout"], before)
            if arguments["state"] == "written":
                # That of an interrupted run has the items before all changes.
                same = before and before.get(snapshot.CLUSTER) == now[snapshot.CLUSTER]
                if not self.check_mode and (arguments["anew"] or not same):
                    snapshot.write(path, now)
            elif missing := snapshot.lost(before, now):
                raise ActionError(f"{where}: {snapshot.complaint(missing, len(before), path)}")
            elif not self.check_mode:
                path.unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            raise ActionError(f"{path}: {error}. Remove the file, or make it readable, and run this again.") from None
        except (NoKafkaError, KafkaError) as error:
            if arguments["state"] == "verified" or arguments["must_answer"]:
                raise
            # Brokers that an interrupted run left without an answer are for this phase to repair.
            self._display.warning(
                f"{where}: the cluster does not answer: {one_line(str(error))}. At the end, it is compared with "
                + (f"{path}, of the run before." if before else "nothing.")
            )
            return {"items": len(before)}
        return {"items": len(now)}
