"""Write down what a cluster has, or verify that it still has all of it. ansible-doc -t module kafka_snapshot."""

import json
from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.operations import snapshot

_MOST = 20  # lines in a message


class ActionModule(Action):
    def act(self, arguments):
        path = Path(arguments["path"])
        try:
            before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
            now = snapshot.take(arguments["client"], arguments["timeout"])
            if arguments["state"] == "written":
                # That of an interrupted run has the items before all changes.
                if not before or before.get(snapshot.CLUSTER) != now[snapshot.CLUSTER]:
                    self._write(path, now)
                return {"items": len(now)}
        except (OSError, ValueError) as error:
            raise ActionError(f"{path}: {error}. Remove the file, or make it readable, and run this again.") from None
        if before is None:
            return {"items": len(now)}
        if missing := snapshot.lost(before, now):
            more = [f"and {len(missing) - _MOST} more"] if len(missing) > _MOST else []
            raise ActionError(
                "\n".join(
                    [
                        f"{arguments['client']['bootstrap.servers']}: {len(missing)} of {len(before)} items are not "
                        "as they were before this phase:",
                        *missing[:_MOST],
                        *more,
                        f"If all of this was changed on purpose meanwhile, remove {path} and run this again.",
                    ]
                )
            )
        if not self.check_mode:
            path.unlink()
        return {"items": len(now)}

    def _write(self, path, items):
        if self.check_mode:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_text(json.dumps(items, indent=1), encoding="utf-8")
        new.replace(path)
