"""A plugin for a run of the suite: as it begins to remove what it made, it runs the command $AT_THE_END in a shell."""

import os
import subprocess

from kafka_proof.cluster import temporary


def pytest_configure():
    remove = temporary.remove

    def disturbed(admin, is_mine, what, **more):
        if what == "this run":
            subprocess.run(os.environ["AT_THE_END"], shell=True, check=True, stdout=subprocess.DEVNULL)
        return remove(admin, is_mine, what, **more)

    temporary.remove = disturbed
