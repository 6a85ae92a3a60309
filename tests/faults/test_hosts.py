"""Three hosts, each with an engine of its own, one of which loses its power: another row of the table."""

import os

import pytest

from kafka_proof.workload.run import Load
from tests.faults.cluster import PREFIX, Cluster
from tests.faults.fault_table import gone
from tests.faults.test_faults import BUILD
from tests.faults.verify import verified
from tests.support import hosts
from tests.support.engine import VERSION, container, engine, image
from tests.support.fault_results import row, save

NAME = f"{PREFIX}-hosts"


class Hosts(Cluster):
    """The cluster on hosts of its own; what they run is not this engine's."""

    def __init__(self, archive):
        super().__init__(f"{NAME}-stack")
        self.archive, self.made = archive, None

    @property
    def inventories(self):
        return [str(self.made.inventory)]

    @property
    def inventory(self):
        return {"all": {"vars": self.variables | {"kafka_image_source": "load", "kafka_image_archive": self.archive}}}

    @property
    def properties(self):
        return {"bootstrap.servers": ",".join(f"{host.address}:9092" for host in self.made.hosts)}

    def start(self):
        self.remove()
        self.made = hosts.up(NAME)
        self._first()
        self.repair()

    def remove(self):
        hosts.down(NAME)


@pytest.fixture
def three_hosts(tmp_path):
    archive = tmp_path / "image.tar"
    with archive.open("wb") as file:
        file.writelines(engine().images.get(image()).save(named=image()))
    cluster = Hosts(str(archive))
    try:
        cluster.start()
        yield cluster
    except hosts.HostsError as error:
        pytest.skip(str(error))
    finally:
        cluster.remove()
        archive.unlink()


def reboot_host(cluster):
    """A host without power, then booted: its engine, its broker and its ZooKeeper are killed, and come back"""
    host = container(cluster.made.hosts[1].name)
    host.kill()
    gone(cluster, 2)
    host.start()
    cluster.wait_whole()


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="hosts are reached by their addresses only from a Linux one")
def test_nothing_is_lost(three_hosts):
    result = verified(three_hosts, reboot_host, Load())

    save(BUILD, "90-reboot_host", row(reboot_host.__doc__, VERSION, result))
    assert result["problems"] == []
