"""Measure site.yml against docker-compose with the same image, in one run on one machine.

    python -m bench.compose [--rounds 3]

Needs `docker compose` or `docker-compose`. Both sides start one broker and create one topic; "nothing to do" repeats
the same command. The image holds the archives of loaded classes, so both sides start with them.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from bench.__main__ import PORT, ROOT, STACK, play, run, seconds, teardown

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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    compose = compose_command()
    environment = {**os.environ, "IMAGE": "none", "PORT": str(PORT)}
    figures = {}

    def note(name, value):
        figures.setdefault(name, []).append(value)
        print(f"  {name}: {value:.2f} s", file=sys.stderr)

    try:
        play("site.yml")  # the image is built before anything is measured
        image = run("docker", "inspect", "--format", "{{.Config.Image}}", f"{STACK}-kafka").strip()
        environment["IMAGE"] = image

        def up():
            run(*compose, "up", "--detach", "zookeeper", "kafka", env=environment)
            run(*compose, "run", "--rm", "topic", env=environment)

        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
            teardown()
            note("docker-compose, cold", seconds(up))
            note("docker-compose, nothing to do", seconds(up))
            run(*compose, "down", "--volumes", env=environment)
            note("site.yml, cold", seconds(play, "site.yml"))
            note("site.yml, nothing to do", seconds(play, "site.yml"))
    finally:
        subprocess.run([*compose, "down", "--volumes"], cwd=ROOT, env=environment, capture_output=True, check=False)
        teardown()
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"\n{os.cpu_count()} cores, {platform.machine()}; medians of {args.rounds} rounds\n")
    print("| measurement | here | docker-compose | ratio |\n|---|---|---|---|")
    for what in ("cold", "nothing to do"):
        here, there = middle[f"site.yml, {what}"], middle[f"docker-compose, {what}"]
        print(f"| {what} | {here:.2f} s | {there:.2f} s | {here / there:.2f} |")


if __name__ == "__main__":
    main()
