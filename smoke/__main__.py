"""Run the suite from any directory: python -m smoke [pytest's options and the suite's own].

As `pytest smoke` does in the repository. `pytest --pyargs smoke` reads the suite's options too late to accept them.
"""

import sys
from pathlib import Path

import kafka  # noqa: F401 (before pytest, which would show the warnings that smoke/__init__.py silences)
import pytest

sys.exit(pytest.main([str(Path(__file__).parent), "--rootdir=.", *sys.argv[1:]]))
