"""Measure the suite against a deployed broker, from the start of the process.

python -m bench.suite [--client-properties FILE | --bootstrap-server HOST:PORT] [--rounds 3]
"""

import subprocess
import sys
import time

from bench import Figures, each_round, parser, show

AIMS = {"whole suite": 20, "--read-only": 3, "start to first test": 1}  # seconds


def run(*options, until=""):
    """Run the suite, and return the seconds to its end, or to the first line that begins with `until`.

    The line of a test is indented.
    """
    command = [sys.executable, "-m", "kafka_proof.testing.suite", *options]
    began, output, reached = time.perf_counter(), "", None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            output += line
            if reached is None and until and line.startswith(until):
                reached = time.perf_counter() - began
    if process.returncode or (until and reached is None):
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}, no line begins with {until!r}\n{output}")
    return reached or time.perf_counter() - began


def main():
    found = parser(__doc__)
    where = found.add_mutually_exclusive_group()
    where.add_argument("--client-properties", metavar="FILE")
    where.add_argument("--bootstrap-server", metavar="HOST:PORT")
    options = found.parse_args()
    to = [f"--client-properties={options.client_properties}"] if options.client_properties else []
    to += [f"--bootstrap-server={options.bootstrap_server}"] if options.bootstrap_server else []
    figures = Figures(" s")
    for _ in each_round(options.rounds):
        figures.note("whole suite", run(*to))
        figures.note("--read-only", run(*to, "--read-only"))
        figures.note("start to first test", run(*to, "--read-only", until="  "))
    rows = [(what, f"{value:.2f} s", f"{AIMS[what]} s") for what, value in figures.medians().items()]
    show(options.rounds, ("measurement", "seconds", "aim"), rows)


if __name__ == "__main__":
    main()
