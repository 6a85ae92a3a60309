"""The parts that all commands share: connection options, exit statuses, and one-line errors."""

import argparse
import functools
import io
import logging
import math
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from kafka_proof.client.properties import DEFAULT_PATH, ClientPropertiesError, kafka_python, read
from kafka_proof.client.text import printable

OK = 0  # the command did its work and found nothing wrong
PROBLEM = 1  # the command did its work and reported a problem
UNUSABLE = 2  # the command could not do its work, and one line says why
INTERRUPTED = 130
NO_READER = 128 + signal.SIGPIPE  # the reader of the output went away, as in `| head`; shells show other programs alike


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong option in one line and exits with UNUSABLE."""

    def __init__(self, prog: str, description: str | None, **more: Any) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, formatter_class=formatter, allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        self.exit(UNUSABLE, f"{self.prog}: {message}. See {self.prog} --help.\n")


def add_connection_options(parser: argparse.ArgumentParser, timeout: float = 5) -> None:
    """Add --bootstrap-server, --client-properties and --timeout. `timeout`: the default, in seconds."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--client-properties", metavar="FILE", default=DEFAULT_PATH, help="default: %(default)s")
    where.add_argument("--bootstrap-server", metavar="HOST:PORT", help="a broker without security, instead of a file")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=timeout, help="for each answer (default: %(default)g)"
    )


def properties_of(options: Any) -> dict[str, str]:
    """Return the client properties that the options name. Raises ClientPropertiesError.

    `options`: any object with the attributes bootstrap_server and client_properties; without both, the default file.
    """
    if not options.bootstrap_server:
        return read(options.client_properties or DEFAULT_PATH)
    properties = {"bootstrap.servers": options.bootstrap_server}
    try:
        kafka_python(properties)
    except ClientPropertiesError as error:
        raise ClientPropertiesError(f"--bootstrap-server: {error}") from None
    return properties


def where(options: Any) -> str:
    """Return the name of the cluster in the options, for messages: HOST:PORT or a file."""
    return str(options.bootstrap_server or options.client_properties or DEFAULT_PATH)


def above_zero(kind: type[int] | type[float], unit: str, most: int) -> Callable[[str], float]:
    """Return the `type` of an option: a number of `unit`, above 0 and at most `most`."""

    def value(text: str) -> float:
        try:
            number: float = kind(text)
        except ValueError:
            number = math.nan
        if not 0 < number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {unit} above 0 and up to {most}")
        return number

    return value


seconds = above_zero(float, "seconds", 3600)  # to wait for an answer
duration = above_zero(float, "seconds", 10**9)  # of a run or an age: days, or years


def entry(main: Callable[..., int]) -> Callable[..., int]:
    """Decorate the `main` of a command, so that it ends in the same way whatever goes wrong.

    An exception that no part of the command expects becomes one line and UNUSABLE: a traceback would leave with
    PROBLEM, which means something else. KAFKA_PROOF_TRACEBACK=1 shows it. Characters that the terminal does not have
    are escaped. When the reader of the output goes away, the command ends without a word. The signal SIGPIPE could do
    that, too, but it would also end a command whose broker closes a connection. SIGTERM, the end of a container or of a
    job, is like Ctrl-C: the command cleans up, and ends with INTERRUPTED.
    """

    @functools.wraps(main)
    def run(*arguments: Any, **options: Any) -> int:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        main_thread = threading.current_thread() is threading.main_thread()  # another one may set no signals
        before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main_thread else None
        try:
            status = main(*arguments, **options)
            sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            drop_output()
            return NO_READER
        except Exception as error:  # see above
            if os.environ.get("KAFKA_PROOF_TRACEBACK") == "1":
                raise
            at = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(at.filename).name} line {at.lineno}"
            return fail(
                f"an unexpected {type(error).__name__} ({error}) at {place}. Please report this fault of kafka-proof, "
                "with the output under KAFKA_PROOF_TRACEBACK=1."
            )
        finally:
            if main_thread:
                signal.signal(signal.SIGTERM, before or signal.SIG_DFL)

    return run


def quiet() -> None:
    """Keep kafka-python's log off the terminal. Each command reports errors in its own words."""
    logging.getLogger("kafka").addHandler(logging.NullHandler())


def drop_output() -> None:
    """Write the rest of the output nowhere, because its reader went away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: object) -> int:
    """Print one line to standard error and return UNUSABLE."""
    print(printable(" ".join(str(message).split())), file=sys.stderr)
    return UNUSABLE
