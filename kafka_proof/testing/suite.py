"""kafka-smoke: prove a Kafka cluster with the smoke suite, from any directory.

    kafka-smoke                                      the broker in build/client.properties
    kafka-smoke --bootstrap-server localhost:9092    any other, without security
    kafka-smoke --client-properties FILE             any other

Every other option is pytest's. Exit status: 0, all properties hold; 1, one does not; 2, nothing could be proved.
"""

import sys
from pathlib import Path

from kafka_proof.client.command import UNUSABLE

_PACKAGE = Path(__file__).resolve().parents[1]
# Inside the installed package, or beside it in a checkout.
SUITE = next(path for path in (_PACKAGE / "smoke", _PACKAGE.parent / "smoke") if path.is_dir())


def main(argv=None):
    """Run the suite with pytest. Returns the exit status."""
    import pytest  # noqa: PLC0415 (0.2 s that --help of other commands need not spend)

    # The suite's own configuration: that of the user's project is about other tests.
    configuration = ["--rootdir", str(SUITE), "--config-file", str(SUITE / "pytest.ini")]
    status = pytest.main([*configuration, *(sys.argv[1:] if argv is None else argv), str(SUITE)])
    # pytest has more of them: 3, an internal error; 4, an unknown option; 5, no test was selected.
    return int(status) if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) else UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
