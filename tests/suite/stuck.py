"""A plugin for a run of the suite: members poll, and get nothing."""

from smoke.group import Group


def pytest_configure():
    wait = Group._poll_until

    def poll_until(self, what, show, good):
        return wait(self, what, show, good if "owner" in what else lambda members: False)

    Group._poll_until = poll_until
