"""Read containers of other images that run Kafka or ZooKeeper. ansible-doc -t module engine_foreign."""

import json

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy import foreign


class ActionModule(Action):
    SECRET = True  # environments hold passwords

    def act(self, arguments):
        wanted = arguments["containers"]
        shown = self.docker(foreign.INSPECT, "its containers are unreadable")
        there = {foreign.name_of(item): item for item in json.loads(shown or "[]")}
        layouts = {name: layout for name, item in there.items() if (layout := foreign.layout_of(item))}
        if unknown := sorted(name for name in wanted if name in there and name not in layouts):
            raise ActionError(
                f"{self.host}: adopt_containers names {', '.join(unknown)}, of a layout that is not known. Known are "
                f"{', '.join(sorted({layout.image for layout in foreign.LAYOUTS}))}."
            )
        found = [self._read(there[name], layout) for name, layout in layouts.items() if not wanted or name in wanted]
        names = self.docker(foreign.HOST_NAMES, "the name of the host is unreadable")
        return {"containers": [each | {"answers": each["answers"] | {"host_names": names}} for each in found]}

    def _read(self, item, layout):
        name = foreign.name_of(item)
        answers = self._ask(foreign.settings_script(name, layout))
        settings = foreign.settings_of(item, layout, answers["settings"])
        answers |= self._ask(foreign.data_script(name, foreign.data_paths(item, layout, settings)))
        return {"host": self.host, "inspected": item, "settings": settings, "answers": answers}

    def _ask(self, script):
        return foreign.sections(self.docker(script, "a container is unreadable"))
