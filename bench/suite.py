"""Measure the suite against a deployed broker.

    python -m bench.suite [--client-properties FILE | --bootstrap-server HOST:PORT] [--rounds 3]

Each figure is the median of the rounds, from the start of the process. The last column is what the project aims at.
"""

import argparse
import statistics
import subprocess
import sys
import time


def run(*options, until=None):
    """Run the suite, and return the seconds to its end, or to the first line with `until`."""
    command = [sys.executable, "-m", "kafka_proof.testing.suite", *options]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        output, reached = "", None
        for line in process.stdout:
            output += line
            if until and reached is None and until in line:
                reached = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}\n{output}")
    return reached or time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.suite", description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--client-properties", metavar="FILE")
    where.add_argument("--bootstrap-server", metavar="HOST:PORT")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    to = [f"--client-properties={options.client_properties}"] if options.client_properties else []
    to += [f"--bootstrap-server={options.bootstrap_server}"] if options.bootstrap_server else []
    measured = {"whole suite": [], "--read-only": [], "start to first test": []}
    for _ in range(options.rounds):
        measured["whole suite"].append(run(*to))
        measured["--read-only"].append(run(*to, "--read-only"))
        measured["start to first test"].append(run(*to, "--read-only", until="The cluster is what was deployed"))
    aims = {"whole suite": 20, "--read-only": 3, "start to first test": 1}
    print(f"| {'what':<20} | {'seconds':>7} | {'aim':>3} |\n|{'-' * 22}|{'-' * 8}:|{'-' * 4}:|")
    for what, seconds in measured.items():
        print(f"| {what:<20} | {statistics.median(seconds):7.2f} | {aims[what]:>3} |")


if __name__ == "__main__":
    main()
