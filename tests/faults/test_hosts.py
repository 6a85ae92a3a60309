"""Rows of the table for three hosts with separate engines: one host loses its power, or its engine restarts."""

import os

import pytest

from kafka_proof.workload.run import Load
from tests.faults.cluster import PREFIX, Cluster
from tests.faults.modes import MODES
from tests.faults.steps import gone
from tests.faults.test_faults import BUILD
from tests.faults.verify import verified
from tests.support import hosts
from tests.support.engine import container, engine, image
from tests.support.fault_results import row, save

NAME = f"{PREFIX}-hosts"


class Hosts(Cluster):
    """The cluster on separate hosts; their containers are not this engine's."""

    def __init__(self, mode, directory):
        super().__init__(mode, f"{NAME}-stack")
        self.archive, self.file, self.made = directory / "image.tar", directory / "hosts", None

    @property
    def inventories(self):
        return [str(self.file)]

    @property
    def inventory(self):
        return {
            "all": {"vars": self.variables | {"kafka_image_source": "load", "kafka_image_archive": str(self.archive)}}
        }

    @property
    def properties(self):
        return {"bootstrap.servers": ",".join(f"{host.address}:9092" for host in self.made.hosts)}

    def start(self):
        self.remove()
        name = image(self.mode.version)
        with self.archive.open("wb") as file:
            file.writelines(engine().images.get(name).save(named=name))
        self.made = hosts.up(NAME)
        self.file.write_text(hosts.inventory(self.made.hosts, self.made.directory, group=self.mode.group))
        self._first()
        self.repair()

    def remove(self):
        hosts.down(NAME)
        self.archive.unlink(missing_ok=True)


@pytest.fixture(scope="module", params=MODES, ids=lambda mode: mode.name)
def three_hosts(request, tmp_path_factory):
    cluster = Hosts(request.param, tmp_path_factory.mktemp("hosts"))
    try:
        cluster.start()
        yield cluster
    except hosts.HostsError as error:
        pytest.skip(str(error))
    finally:
        cluster.remove()


def reboot_host(cluster):
    """A host without power, then booted: its engine and all nodes on it are killed, and come back"""
    host = container(cluster.made.hosts[1].name)
    host.kill()
    gone(cluster, 2)
    host.start()
    cluster.wait_whole()


def restart_engine(cluster):
    """The engine of a host restarted: `service docker restart`"""
    container(cluster.made.hosts[1].name).exec_run(["service", "docker", "restart"], detach=True)
    gone(cluster, 2)
    cluster.wait_whole()


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="hosts are reached by their addresses only from a Linux one")
@pytest.mark.parametrize(("number", "do"), [(90, reboot_host), (91, restart_engine)], ids=["reboot", "engine"])
def test_nothing_is_lost(three_hosts, number, do):
    result = verified(three_hosts, do, Load())

    mode = three_hosts.mode
    save(BUILD, f"{number}-{do.__name__}-{mode.name}", row(do.__doc__, mode.name, mode.version, result))
    assert result["problems"] == []
