"""Run the suite many times on a busy machine, and show each failure.

    python -m bench.flakes [--runs 100] [--busy 2] -- --client-properties FILE

What comes after -- goes to the suite. `--busy` loops keep the processors busy meanwhile. Exit status 1 if a run failed.
"""

import argparse
import multiprocessing
import subprocess
import sys
import time


def spin():
    """Keep a processor busy."""
    while True:
        pass


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.flakes", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("suite", nargs="*", metavar="OPTION")
    options = parser.parse_args()
    loops = [multiprocessing.Process(target=spin, daemon=True) for _ in range(options.busy)]
    for loop in loops:
        loop.start()
    failed = 0
    for number in range(1, options.runs + 1):
        began = time.monotonic()
        command = [sys.executable, "-m", "kafka_proof.testing.suite", *options.suite]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            failed += 1
            print(run.stdout, run.stderr, sep="\n")
        print(
            f"run {number}: exit status {run.returncode}, {time.monotonic() - began:.1f} s, {failed} failed", flush=True
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
