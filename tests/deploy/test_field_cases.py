"""Environments, inventories and places of users, from public reports. tests/unit has the values that are refused."""

import os
import shutil
import subprocess
import threading

import pytest
import yaml

from tests.deploy.conftest import LOCALHOST, LOGIN, ROOT
from tests.platforms.checkout import checkout
from tests.support.engine import docker

DEAD = "http://127.0.0.1:9"  # a proxy where nothing listens


@pytest.mark.parametrize(
    "env",
    [
        {"HTTP_PROXY": DEAD, "HTTPS_PROXY": DEAD, "ALL_PROXY": DEAD, "no_proxy": ""}
        | {"ANSIBLE_STRATEGY": "free", "ANSIBLE_HASH_BEHAVIOUR": "merge", "ANSIBLE_FORKS": "1"},
        {"ANSIBLE_STRATEGY": "host_pinned", "ANSIBLE_PIPELINING": "False", "ANSIBLE_GATHERING": "smart"}
        | {"ANSIBLE_BECOME": "True", "ANSIBLE_TRANSPORT": "ssh", "ANSIBLE_JINJA2_NATIVE": "True"},
    ],
    ids=["proxies and free", "pinned and become"],
)
def test_settings_of_the_environment_do_no_harm(stack, env):
    play = stack.play("site.yml", env=env)
    assert play.ok, play.message
    assert play.changed == 0


@pytest.mark.long
def test_a_chroot_in_zookeeper(spare):
    spare.variables["kafka_zookeeper_connect"] = f"{spare.zookeeper}:2181/kafka"
    spare.site()
    assert spare.site().changed == 0
    spare.produce("kept")
    assert spare.messages() == ["kept"]

    spare.variables |= {
        "kafka_security": LOGIN,
        "kafka_port": spare.port + 5,
        "zookeeper_port": spare.port + 6,
        "kafka_zookeeper_connect": f"{spare.zookeeper}:2182/kafka",
    }
    play = spare.play("playbooks/secure.yml")
    assert play.ok, play.message
    assert spare.site().changed == 0
    assert spare.messages() == ["kept"]
    ask = "/opt/kafka/bin/zookeeper-shell.sh localhost:2181 getAcl /kafka/brokers/topics"
    assert "'x509,'CN=node" in docker("exec", spare.zookeeper, "bash", "-c", ask)


@pytest.mark.long
def test_two_stacks_deployed_at_the_same_moment(stack, spare):
    plays = {}
    threads = [
        threading.Thread(target=lambda each=each: plays.update({each.name: each.play("site.yml", kafka_heap="270m")}))
        for each in (stack, spare)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(play.ok for play in plays.values()), [play.message for play in plays.values()]
    stack.site()


def test_a_second_run_on_one_stack_is_told_to_wait(spare):
    plays = []
    threads = [threading.Thread(target=lambda: plays.append(spare.play("site.yml"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [play for play in plays if not play.ok]
    assert len(refused) == 1
    assert "another run changes this stack: process" in refused[0].message
    assert spare.site().changed == 0


def test_groups_of_groups(stack):
    hosts = LOCALHOST.replace("[zookeeper]\nlocalhost", "[zookeeper:children]\nkafka")
    assert hosts != LOCALHOST
    play = stack.play("site.yml", inventory=hosts)
    assert play.ok, play.message
    assert play.changed == 0


def test_keys_with_nothing_behind_them(stack):
    names = ["kafka_config", "kafka_topics_present", "kafka_listeners", "kafka_advertised_host", "stack_network"]
    hosts = {
        "all": {
            "children": {group: {"hosts": {"localhost": None}} for group in ("zookeeper", "kafka")},
            "vars": {"ansible_connection": "local", **dict.fromkeys(names), "kafka_heap": None},
        }
    }
    play = stack.play("site.yml", inventory=yaml.safe_dump(hosts))
    assert not play.ok
    assert sorted(line for line in play.message.splitlines() if " is null" in line) == [
        f"{name} is null. Leave it out, or give it a value." for name in sorted(names)
    ]
    play = stack.play("site.yml", kafka_topics_present=None)
    assert "kafka_topics_present is null. Leave it out" in play.message


@pytest.mark.parametrize("way", ["directory", pytest.param("link", marks=pytest.mark.long)])
def test_a_checkout_in_a_directory_with_spaces_and_other_letters(stack, tmp_path, way):
    place = tmp_path / "a directory, für Kafka"
    place.mkdir()
    subprocess.run(["tar", "--extract", "--directory", place], input=checkout(), check=True)
    command = [str(word).replace(str(ROOT), str(place)) for word in stack.command("site.yml")]
    (tmp_path / "link").symlink_to(place)
    where = place if way == "directory" else tmp_path / "link"
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, timeout=120)
    assert "changed=0" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    shutil.rmtree(place)


def test_a_checkout_that_others_can_write(stack, tmp_path):
    """As a clone made with umask 000: Ansible ignores ansible.cfg there, and bootstrap names it."""
    place = tmp_path / "open"
    place.mkdir()
    subprocess.run(["tar", "--extract", "--directory", place], input=checkout(), check=True)
    place.chmod(0o777)
    command = [str(word).replace(str(ROOT), str(place)) for word in stack.command("site.yml")]
    env = os.environ | {"ANSIBLE_CONFIG": str(place / "ansible.cfg")}
    done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, check=False, timeout=120)
    assert "changed=0" in done.stdout, done.stdout + done.stderr


@pytest.mark.long
def test_hundreds_of_topics(stack):
    """More than one request carries."""
    topics = [{"name": f"kp.many-{number:03}", "config": {"retention.ms": -1}} for number in range(250)]
    topics.append({"name": "x" * 249})
    play = stack.play("site.yml", "--tags", "topics", kafka_topics_present=topics)
    assert play.ok, play.message
    assert len(play.result("Apply the topics")["created"]) == 251
    play = stack.play("site.yml", "--tags", "topics", kafka_topics_present=topics)
    assert not play.result("Apply the topics")["changed"]
    names = [topic["name"] for topic in topics]
    play = stack.play("site.yml", "--tags", "topics", kafka_topics_present=[], kafka_topics_absent=names)
    assert play.ok, play.message
    assert not set(names) & set(stack.topics())
