"""Measure site.yml against docker-compose with the same image, in one run on one machine.

    python -m bench.compose [--rounds 3]

Needs `docker compose` or `docker-compose`. Both sides start one broker and create one topic; "nothing to do" repeats
the same command. The image holds the archives of loaded classes, so both sides start with them.
"""

import os
import subprocess
import sys
from pathlib import Path

from bench import ROOT, Figures, each_round, parser, row, run, seconds, show
from bench.__main__ import PORT, STACK, deployed_image, play, teardown

FILE = Path(__file__).with_name("compose.yml")


def compose_command():
    """Return the command of docker-compose on this machine, as a list of words; ends the program without one."""
    for words in (["docker", "compose"], ["docker-compose"]):
        try:
            subprocess.run([*words, "version"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return [*words, "--project-name", f"{STACK}-compose", "--file", str(FILE)]
    sys.exit("This machine has neither `docker compose` nor `docker-compose`. Install one of them.")


def main():
    """Run as a command."""
    rounds = parser(__doc__).parse_args().rounds
    compose = compose_command()
    environment = {**os.environ, "IMAGE": "none", "PORT": str(PORT)}
    figures = Figures(" s")
    note = figures.note
    try:
        environment["IMAGE"] = deployed_image()

        def up():
            run(*compose, "up", "--detach", "zookeeper", "kafka", env=environment)
            run(*compose, "run", "--rm", "topic", env=environment)

        for _ in each_round(rounds):
            teardown()
            note("docker-compose, cold", seconds(up))
            note("docker-compose, nothing to do", seconds(up))
            run(*compose, "down", "--volumes", env=environment)
            note("site.yml, cold", seconds(play, "site.yml"))
            note("site.yml, nothing to do", seconds(play, "site.yml"))
    finally:
        subprocess.run([*compose, "down", "--volumes"], cwd=ROOT, env=environment, capture_output=True, check=False)
        teardown()
    middle = figures.medians()
    steps = ("cold", "nothing to do")
    rows = [row(step, middle[f"site.yml, {step}"], middle[f"docker-compose, {step}"]) for step in steps]
    show(rounds, ("measurement", "here", "docker-compose", "ratio"), rows)


if __name__ == "__main__":
    main()
