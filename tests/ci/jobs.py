"""Run a GitHub workflow and a GitLab job here, step by step, as their runners would.

Only what this project's files use is understood, and anything else raises: `run` and `uses` of local actions, inputs,
outputs, $GITHUB_ENV, `if`, a few expressions; `extends`, `!reference`, `variables` and the three kinds of script.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml


@dataclass
class Job:
    """The result of a job. `env` is that of its last step, `uses` are the foreign actions: (name, inputs)."""

    directory: Path
    env: dict
    status: int = 0
    output: str = ""
    outputs: dict = field(default_factory=dict)
    uses: list = field(default_factory=list)

    def shell(self, script, env=()):
        """Run a script in the job's directory. Returns its exit status; the first that is not 0 is the job's."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            check=False,
            cwd=self.directory,
            env=self.env | dict(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output += done.stdout
        self.status = self.status or done.returncode
        return done.returncode


# GitHub


def workflow(steps, directory, env, actions):
    """Run the steps of a workflow's job; `actions`: dict[name in `uses`, Path of the local one]. Returns a Job."""
    job = Job(directory, env)
    _steps(job, steps, {}, actions, None)
    return job


def action(path, directory, env, **inputs):
    """Run a composite action. Returns a Job, whose `outputs` are the action's."""
    job = Job(directory, env)
    job.outputs = _action(job, path, inputs)
    return job


def _action(job, path, given):
    definition = yaml.safe_load((path / "action.yml").read_text())
    declared = definition.get("inputs", {})
    assert given.keys() <= declared.keys(), f"no such input: {given.keys() - declared.keys()}"
    inputs = {name: item.get("default", "") for name, item in declared.items()} | given
    results = _steps(job, definition["runs"]["steps"], inputs, {}, path)
    return {name: _text(item["value"], inputs, results) for name, item in definition.get("outputs", {}).items()}


def _steps(job, steps, inputs, actions, action_path):
    """Run steps, and return dict[id, dict of outputs].

    Whether one failed is asked among these only: an action that runs after a failure runs all its steps.
    """
    results, failed = {}, False
    for step in steps:
        condition = step.get("if", "success()")
        if not _value(condition, inputs, results) or (failed and "always()" not in condition):
            continue
        if "uses" in step:
            given = {name: _text(value, inputs, results) for name, value in step.get("with", {}).items()}
            name = step["uses"].split("@")[0]
            if name in actions:
                before, job.status = job.status, 0
                results[step.get("id")] = _action(job, actions[name], given)
                failed = job.status != 0 or failed
                job.status = before or job.status
            else:
                job.uses.append((step["uses"], given))
            continue
        files = {name: job.directory.parent / name for name in ("GITHUB_ENV", "GITHUB_OUTPUT")}
        for path in files.values():
            path.write_text("")
        env = {name: _text(value, inputs, results) for name, value in step.get("env", {}).items()}
        env |= {name: str(path) for name, path in files.items()}
        if action_path:
            env["GITHUB_ACTION_PATH"] = str(action_path)
        failed = job.shell(step["run"], env) != 0 or failed
        job.env |= _pairs(files["GITHUB_ENV"])
        results[step.get("id")] = _pairs(files["GITHUB_OUTPUT"])
    return results


def _pairs(path):
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _text(template, inputs, results):
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(_value(match[1], inputs, results)), str(template))


def _value(expression, inputs, results):
    """Evaluate an expression of GitHub's: the few forms that this project writes are Python's, but for their names."""

    def look_up(match):
        name = match[0]
        if name.startswith("inputs."):
            return repr(inputs[name.removeprefix("inputs.")])
        if name.startswith("steps."):
            _, step, _, output = name.split(".")
            return repr(results.get(step, {}).get(output, ""))
        return repr({"github.job": "test", "strategy.job-index": 0}[name])

    python = re.sub(r"\b(inputs|steps|github|strategy)\.[\w.-]+", look_up, expression)
    python = python.replace("&&", " and ").replace("||", " or ")
    functions = {
        "always": lambda: True,
        "success": lambda: True,
        "format": lambda text, *of: text.format(*of),
    }
    return eval(python, {"__builtins__": {}}, functions)


# GitLab


class _Loader(yaml.SafeLoader):
    """YAML with GitLab's !reference."""


class _Reference(list):
    pass


_Loader.add_constructor("!reference", lambda loader, node: _Reference(loader.construct_sequence(node)))


def gitlab(path, template, directory, env, skip):
    """Run the only job of the .gitlab-ci.yml at `path`, which extends `template`, but for lines that begin with `skip`.

    `env` wins over the job's variables, as what a pipeline is started with does. Returns a Job, whose `outputs` are its
    artifacts; after_script does not change its status, as on GitLab.
    """
    templates = yaml.load(template.read_text(), _Loader)
    [definition] = [item for name, item in yaml.load(path.read_text(), _Loader).items() if name != "include"]
    definition = _merged(templates[definition["extends"]], definition)

    job = Job(directory, env | {"CI_PROJECT_DIR": str(directory), "CI_JOB_ID": "1"}, outputs=definition["artifacts"])
    for name, value in definition["variables"].items():
        job.env.setdefault(name, re.sub(r"\$(\w+)", lambda match: job.env[match[1]], value))

    def script(*kinds):
        for line in [line for kind in kinds for line in definition[kind]]:
            if isinstance(line, _Reference):
                yield from templates[line[0]][line[1]]
            elif not line.startswith(skip):
                yield line

    job.shell("\n".join(script("before_script", "script")))
    status = job.status
    job.shell("\n".join(script("after_script")))
    job.status = status
    return job


def _merged(below, above):
    both = {
        name: _merged(below[name], above[name]) for name in below.keys() & above.keys() if isinstance(below[name], dict)
    }
    return below | above | both


def environment(**variables):
    """An environment for a job: this one's, without what says where a Kafka is, and with this Python in front."""
    theirs = ("KAFKA_", "GITHUB_", "PYTEST_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return inherited | {"PATH": path} | variables
