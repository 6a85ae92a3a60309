"""Topics as data: what is created, grown, configured and deleted, what is refused, and what check mode says of it."""

import subprocess
import sys

import pytest

from tests.deploy.conftest import LOCALHOST

OWN = "kp_topics"


@pytest.fixture
def topics(stack):
    """Have topics: topics(wanted, absent). `check`: first in check mode, which must change nothing and say the same."""

    def run(*wanted, absent=(), check=False):
        variables = {"kafka_topics_present": list(wanted), "kafka_topics_absent": list(absent)}
        before = everything(stack)
        told = stack.play("site.yml", "--tags", "topics", "--check", "--diff", **variables) if check else None
        assert everything(stack) == before
        play = stack.play("site.yml", "--tags", "topics", "--diff", **variables)
        assert play.ok or everything(stack) == before
        if told:
            assert (told.ok, told.message) == (play.ok, play.message)
            for key in ("changed", "created", "grown", "configured", "deleted", "diff") if play.ok else ():
                assert told.result("Apply the topics")[key] == play.result("Apply the topics")[key]
        return play

    yield run
    stack.play("site.yml", "--tags", "topics", kafka_topics_present=[], kafka_topics_absent=[OWN, f"{OWN}_other"])


def everything(stack):
    return {
        name: (count, stack.topic_config(name) if name.startswith(OWN) else None)
        for name, count in stack.topics().items()
    }


def test_life_of_a_topic(stack, topics):
    def have(*wanted, **options):
        play = topics(*wanted, **options)
        assert play.ok, play.message
        return play.result("Apply the topics")

    other = {"name": f"{OWN}_other", "partitions": 1}
    done = have({"name": OWN, "partitions": 1, "config": {"retention.ms": 60000}}, other, check=True)
    assert done["created"] == [OWN, f"{OWN}_other"]
    stack.produce("one", "two", topic=OWN)

    grown = {"name": OWN, "partitions": 3, "config": {"cleanup.policy": "compact", "retention.ms": 60000}}
    done = have(grown, check=True)
    assert (done["grown"], done["configured"]) == ([OWN], [OWN])
    assert done["diff"]["before"][OWN] == {
        "partitions": 1,
        "replication_factor": 1,
        "config": {"retention.ms": "60000"},
    }
    assert done["diff"]["after"][OWN] == {
        "partitions": 3,
        "replication_factor": 1,
        "config": {"cleanup.policy": "compact", "retention.ms": "60000"},
    }
    assert stack.topics()[OWN] == 3
    assert stack.topic_config(OWN) == {"cleanup.policy": "compact", "retention.ms": "60000"}

    done = have({"name": OWN, "config": {"retention.ms": 60000}})
    assert done["configured"] == [OWN]
    assert stack.topic_config(OWN) == {"retention.ms": "60000"}

    for same in ({"name": OWN, "partitions": 3, "config": {"retention.ms": 60000}}, {"name": OWN}):
        assert not have(same)["changed"]
    assert stack.topic_config(OWN) == {"retention.ms": "60000"}
    assert stack.messages(OWN) == ["one", "two"]

    # Kafka writes these values anew.
    anew = {"cleanup.policy": "compact, delete", "min.cleanable.dirty.ratio": 0.0001, "preallocate": "False"}
    anew |= {"segment.bytes": "01048576"}
    assert have({"name": OWN, "config": anew})["configured"] == [OWN]
    assert not have({"name": OWN, "config": anew})["changed"]
    assert not have({"name": OWN, "config": anew | {"cleanup.policy": ["compact", "delete"]}})["changed"]

    done = have(absent=[OWN], check=True)
    assert done["deleted"] == [OWN]
    assert OWN not in stack.topics()
    assert f"{OWN}_other" in stack.topics()


def test_what_the_broker_would_lose_or_does_not_know_is_refused(topics):
    topics({"name": OWN, "partitions": 2, "config": {}})
    for wanted, words in [
        ({"partitions": 1}, ["has 2 partitions and 1", "Set partitions: 2"]),
        ({"config": {"retention.msec": 1}}, ["retention.msec", "nothing was changed"]),
        ({"config": {"retention.ms": "long"}}, ["retention.ms", "long"]),
    ]:
        # A valid change beside it is not made either.
        beside = {"name": f"{OWN}_other", "partitions": 1}
        play = topics({"name": OWN, **wanted}, beside, check="partitions" in wanted)
        assert not play.ok
        assert not [word for word in [OWN, "localhost:", *words] if word not in play.message], play.message


def test_a_cluster_that_deletes_no_topics(spare):
    """Neither the topics of the inventory nor the suite begin with what could not be undone."""
    spare.site(kafka_config={"delete.topic.enable": False})
    before = spare.topics()
    play = spare.play(
        *("site.yml", "--tags", "topics"),
        kafka_config={"delete.topic.enable": False},
        kafka_topics_present=[{"name": OWN}],
        kafka_topics_absent=["kafka_demo"],
    )
    assert not play.ok
    assert "nothing was changed" in play.message
    assert "delete.topic.enable is false. Set it to true" in play.message
    assert spare.topics() == before

    command = [sys.executable, "-m", "kafka_proof.testing.suite", "--bootstrap-server", f"localhost:{spare.port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stdout
    assert "This cluster deletes no topics (delete.topic.enable=false)" in done.stdout
    assert "--existing-topic NAME" in done.stdout

    # The other programs that create a topic and remove it.
    where = ["--bootstrap-server", f"localhost:{spare.port}"]
    for module, options, status, words in (
        ("kafka_proof.workload", ["--seconds", "1"], 2, "--topic NAME"),
        ("kafka_proof.doctor", ["--write"], 0, "this cluster deletes no topics"),
    ):
        command = [sys.executable, "-m", module, *where, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == status, done.stdout + done.stderr
        assert words in done.stdout + done.stderr
    assert spare.topics() == before


def test_another_replication_factor_is_refused(stack, topics):
    # The inventory's check would stop this sooner; a cluster that has fewer brokers than the inventory gets this far.
    topics({"name": OWN, "partitions": 1})
    other = "other kafka_broker_id=2 kafka_advertised_host=127.0.0.2 kafka_bind_address=127.0.0.2"
    two = LOCALHOST.replace("[kafka]\nlocalhost", f"[kafka]\nlocalhost\n{other}")
    for name, words in [
        (OWN, ["has replication factor 1 and 2", "rebalance_replication"]),
        (f"{OWN}_other", ["eplication factor", "InvalidReplicationFactor"]),
    ]:
        wanted = [{"name": name, "replication_factor": 2}]
        play = stack.play("site.yml", "--tags", "topics", inventory=two, kafka_topics_present=wanted)
        assert not play.ok
        assert not [word for word in [name, "localhost:", *words] if word not in play.message], play.message


def test_the_cluster_is_that_of_the_inventory_and_not_of_client_properties(stack):
    """Which may be that of another inventory, and be of another cluster."""
    good = stack.client_properties.read_text()
    stack.client_properties.write_text("bootstrap.servers=127.0.0.1:1\n")
    try:
        wanted = [{"name": OWN, "partitions": 1}]
        play = stack.play("site.yml", "--tags", "topics", kafka_topics_present=wanted)
        assert play.ok, play.message
        assert OWN in stack.play("playbooks/status.yml").result("Show the cluster")["msg"]
        play = stack.play("site.yml", "--tags", "topics", kafka_topics_present=[], kafka_topics_absent=[OWN])
        assert play.result("Apply the topics")["deleted"] == [OWN]
    finally:
        stack.client_properties.write_text(good)
