"""The work of the suite's hooks around pytest's own."""

import contextlib
import gc
from types import SimpleNamespace

from smoke.run_control import RunControl


def test_no_finalizer_runs_while_a_failure_is_shown():
    hook = RunControl.pytest_runtest_makereport(None, None, None)
    next(hook)
    assert not gc.isenabled()
    with contextlib.suppress(StopIteration):
        hook.send(SimpleNamespace(failed=False))
    assert gc.isenabled()
