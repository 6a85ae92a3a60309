"""Pull an image and give it a name. ansible-doc -t module image_pull."""

import shlex

from kafka_proof.action import Action, engine_error

# The engine prints a line as soon as the registry answers. A large layer may then take long without one.
_SCRIPT = """
output=$(mktemp)
trap 'rm -f "$output"' EXIT
docker pull {reference} >"$output" 2>&1 &
pull=$!
polls=0
while kill -0 "$pull" 2>/dev/null && ! [ -s "$output" ]; do
    if [ "$polls" -ge {polls} ]; then
        kill "$pull"
        echo "the registry did not answer within {timeout} s" >&2
        exit 1
    fi
    polls=$((polls + 1))
    sleep 0.2
done
wait "$pull" || {{ cat "$output" >&2; exit 1; }}
timeout 60 docker tag {reference} {name}
"""


class ActionModule(Action):
    def act(self, arguments):
        reference, name, timeout = (arguments[key] for key in ("reference", "name", "timeout"))
        if self.check_mode:
            present = self.shell(f"timeout 60 docker image inspect {shlex.quote(reference)} >/dev/null 2>&1")["rc"] == 0
            return {"changed": not present, "refusal": ""}
        words = {"reference": shlex.quote(reference), "name": shlex.quote(name)}
        done = self.shell(_SCRIPT.format(**words, timeout=timeout, polls=5 * timeout))
        if done["rc"]:
            said = engine_error(done["stdout"], done["stderr"])
            return {"changed": False, "refusal": said.removeprefix("Error response from daemon: ")}
        return {"changed": True, "refusal": ""}
