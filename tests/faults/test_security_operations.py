"""Access control is turned on, kept and turned off under a workload: no acknowledged message is lost."""

import pytest

from kafka_proof.client.properties import read
from kafka_proof.workload.run import Load
from tests.faults.cluster import ROOT, Cluster, running
from tests.faults.modes import KRaft, ZooKeeper
from tests.faults.verify import verified

SECURITY = {"clients": "sasl_ssl"}


class Changing(Cluster):
    """A cluster whose clients connect as client.properties says."""

    def __init__(self, mode, directory, **options):
        self.directory = directory
        super().__init__(mode, **options)

    def _first(self):
        super()._first()
        self.variables["stack_secrets"] = str(self.directory)

    @property
    def properties(self):
        return read(ROOT / "build" / self.name / "client.properties")

    def secure(self, on, shift):
        """Describe a cluster with or without access control, on ports that differ by `shift` from the first ones."""
        self.variables["kafka_security"] = SECURITY if on else {"clients": "none"}
        self.variables["kafka_port"] = f"{{{{ {self.port - 1 + shift} + kafka_broker_id }}}}"
        if self.mode is ZooKeeper:
            self.variables["zookeeper_port"] = f"{{{{ {self.port + 9 + shift} + kafka_broker_id }}}}"

    @property
    def inventory(self):
        found = super().inventory
        for variables in found["all"]["hosts"].values():
            for name in ("kafka_port", "zookeeper_port"):
                if name in self.variables:
                    variables.pop(name, None)
        return found


@pytest.fixture(params=[KRaft, ZooKeeper], ids=lambda mode: mode.name, scope="module")
def changing(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("secrets")
    with running(Changing(request.param, directory, name="kp-changing", port=29700)) as cluster:
        yield cluster


def lost(cluster, *plays, **variables):
    """Run playbooks under a workload. Return the problems of its result."""

    def do(cluster):
        for play in plays:
            cluster.play(play, **variables)

    return verified(cluster, do, Load())["problems"]


def test_access_control_is_turned_on_and_off(changing):
    changing.secure(on=True, shift=20)
    assert lost(changing, "playbooks/secure.yml", secure_until="both") == []
    assert changing.properties["security.protocol"] == "SASL_SSL"
    before = changing.lives()
    assert lost(changing, "playbooks/secure.yml") == []
    assert before.keys() == changing.lives().keys()

    before = changing.lives()
    assert lost(changing, "playbooks/rotate.yml") == []
    brokers = {*changing.brokers.values()}
    assert {name: changing.lives()[name] for name in brokers} == {name: before[name] for name in brokers}
    assert lost(changing, "playbooks/rotate.yml", rotate_authority=True, rotate_until="trust") == []
    assert lost(changing, "playbooks/rotate.yml", rotate_authority=True) == []
    assert "changed=0" in changing.play("site.yml")
    # Every connection begins anew, by what the nodes have now.
    assert lost(changing, "playbooks/restart.yml") == []

    changing.secure(on=False, shift=0)
    assert lost(changing, "playbooks/secure.yml", secure_until="both") == []
    assert changing.properties["security.protocol"] == "PLAINTEXT"
    assert lost(changing, "playbooks/secure.yml") == []
    assert "changed=0" in changing.play("site.yml")
