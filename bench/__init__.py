"""Measurements, side by side in one run; each prints its own baseline. This file has what they share."""

import argparse
import collections
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def parser(description):
    """Return a parser with the option --rounds."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--rounds", type=int, default=3)
    return found


def run(*command, **options):
    """Run a command in silence and return what it printed; if it fails, show that and stop."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def timed(work, *arguments, **variables):
    """Return how long `work` takes, in seconds, and what it returns."""
    started = time.perf_counter()
    result = work(*arguments, **variables)
    return time.perf_counter() - started, result


def seconds(work, *arguments, **variables):
    """How long `work` takes, in seconds."""
    return timed(work, *arguments, **variables)[0]


class Figures(collections.defaultdict):
    """{name: list of figures}, a figure a round. `unit`: as in " s", for the progress."""

    def __init__(self, unit=""):
        super().__init__(list)
        self._unit = unit

    def note(self, name, value):
        self[name].append(value)
        print(f"  {name}: {value:.2f}{self._unit}", file=sys.stderr)

    def medians(self):
        return {name: statistics.median(values) for name, values in self.items()}


def each_round(rounds):
    """Yield once for each round, and report its number."""
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        yield


def row(what, here, base, *target, digits=2):
    """Return a row of the report on two times: what, figure, baseline, ratio, and a target if there is one."""
    return what, f"{here:.{digits}f} s", f"{base:.{digits}f} s", f"{here / base:.2f}", *target


def show(rounds, header, rows, machine=""):
    """Print the report as a table in Markdown. `machine`: what to write about it; the default: cores and processor."""
    machine = machine or f"{os.cpu_count()} cores, {platform.machine()}"
    print(f"\n{machine}; medians of {rounds} rounds\n")
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|")
    for columns in rows:
        print(f"| {' | '.join(columns)} |")
