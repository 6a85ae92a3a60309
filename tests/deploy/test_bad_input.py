"""Input that cannot work is refused: the message says what, where and what to do, and nothing was touched."""

import copy
import os
import socket
import subprocess

import pytest

from tests.deploy.conftest import ROOT

# 192.0.2.0/24 is for documentation: a connection that is tried hangs, and says so.
REMOTE = "[zookeeper]\nfar.example\n[kafka]\nfar.example\n[all:vars]\nansible_host=192.0.2.1\nansible_ssh_timeout=5\n"


@pytest.fixture
def refused(no_stack):
    """Run site.yml, which must be refused with all these words in its message, and touch nothing."""

    def run(*words, **options):
        before = no_stack.state()
        assert not any(before.values())
        play = no_stack.play("site.yml", **options)
        assert not play.ok
        missing = [word for word in words if word not in play.message]
        assert not missing, f"{missing} not in the message:\n{play.message}"
        assert "Traceback" not in play.message
        assert no_stack.state() == before
        return play

    return run


# One case for each place that refuses; tests/unit has the tables of all values.
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({"kafka_prot": 1}, ["localhost", "kafka_prot", "Did you mean kafka_port?"], id="variables"),
        pytest.param(
            {
                "zookeeper_port": 0,
                "kafka_advertised_host": "0.0.0.0",
                "kafka_topics_absent": ["kafka_demo"],
                "kafka_image_source": "load",
            },
            [
                *("localhost: zookeeper_port is 0. Use a port of 1 to 65535", "advertises '0.0.0.0'"),
                *("kafka_demo is in kafka_topics_present and in kafka_topics_absent", "set kafka_image_source=load"),
            ],
            id="every kind of problem at once",
        ),
    ],
)
def test_variables_that_cannot_work(refused, variables, words):
    refused(*words, **variables)


def test_one_port_for_two_containers(refused, no_stack):
    refused(str(no_stack.port), no_stack.zookeeper, "kafka_port", zookeeper_port=no_stack.port)


@pytest.mark.parametrize(
    ("playbook", "inventory"),
    [
        pytest.param("site", "", id="empty"),
        pytest.param("playbooks/status", "[zookeepers]\nlocalhost\n[kafkas]\nlocalhost\n", id="other groups"),
        pytest.param("playbooks/support", "", id="support.yml"),
        pytest.param("playbooks/teardown", "[zookeeper]\nlocalhost\n[kafka_broker]\nlocalhost\n", id="Confluent's"),
    ],
)
def test_an_inventory_without_the_groups(no_stack, playbook, inventory):
    play = no_stack.play(f"{playbook}.yml", inventory=inventory)
    assert not play.ok
    assert "needs a host in the group kafka" in play.message


@pytest.mark.parametrize("playbook", ["site", "playbooks/teardown"])
def test_an_inventory_that_does_not_exist(no_stack, playbook):
    program, option, _, *words = no_stack.command(f"{playbook}.yml")
    command = [program, option, "nosuch.ini", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stdout
    assert "needs a host in the group kafka" in done.stdout + done.stderr


def test_loopback_advertised_for_a_remote_host_is_refused_without_connecting(refused):
    play = refused(
        *("far.example", "localhost", "Set kafka_advertised_host"),
        inventory=REMOTE,
        kafka_advertised_host="localhost",
    )
    assert not any(host["unreachable"] for host in play.stats.values()), play.output


@pytest.mark.parametrize(("variable", "container"), [("kafka_port", "kafka"), ("zookeeper_port", "zookeeper")])
def test_port_in_use_by_a_process(refused, no_stack, variable, container):
    with socket.create_server(("127.0.0.1", no_stack.variables[variable])):
        refused(
            *("localhost", f"port {no_stack.variables[variable]} on 127.0.0.1", f"{no_stack.name}-{container}"),
            *(f"pid {os.getpid()}", f"set {variable}"),
        )


def test_no_way_to_an_engine(refused):
    play = refused(
        "localhost", "/nonexistent.sock", "no engine answers", env={"DOCKER_HOST": "unix:///nonexistent.sock"}
    )
    assert play.changed == 0


@pytest.mark.parametrize("playbook", ["status", "teardown"])
def test_an_engine_that_does_not_answer_is_not_an_empty_one(no_stack, playbook):
    play = no_stack.play(f"playbooks/{playbook}.yml", env={"DOCKER_HOST": "unix:///nonexistent.sock"})
    assert not play.ok
    assert "o engine answers" in play.message
    assert "correct DOCKER_HOST, then run this again" in play.message


def test_a_shell_that_is_not_there(refused):
    refused(
        *("localhost", "ansible_shell_executable is /no/such", "which does not run"),
        ansible_shell_executable="/no/such",
    )


def test_podman_as_the_command_docker(refused, tmp_path):
    (tmp_path / "docker").write_text("#!/bin/sh\necho podman version 4.3.1\n")
    (tmp_path / "docker").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    refused("localhost", "the command docker is podman's", "Install Docker's own command", "DOCKER_HOST", env=path)


@pytest.mark.long
def test_what_is_misspelt_elsewhere_may_be_ignored(no_stack):
    play = no_stack.play("site.yml", "--check", kafka_prot=1, stack_ignored_variables=["kafka_pr.*"])
    assert play.ok, play.message


@pytest.mark.parametrize(
    "image",
    [
        pytest.param({}, id=""),
        pytest.param({"stack_image": "kp-none:1"}, id="without an image", marks=pytest.mark.long),
    ],
)
def test_check_on_a_fresh_engine_says_what_would_be_done_and_does_nothing(no_stack, image):
    play = no_stack.play("site.yml", "--check", "--diff", **image)
    assert play.ok, play.message
    assert {"Change the server", "Start the broker"} <= set(play.changed_tasks)
    assert play.result("Apply the topics")["created"] == ["kafka_demo"]
    assert play.diffs()
    assert not any(no_stack.state().values())


@pytest.mark.parametrize("name", ["laptop", "kraft-laptop"])
def test_check_of_three_brokers_on_this_machine(no_stack, name):
    stack = copy.copy(no_stack)
    stack.variables = {key: value for key, value in no_stack.variables.items() if key != "zookeeper_port"}
    stack.variables["kafka_port"] = "{{ 28500 + kafka_broker_id }}"
    if name == "laptop":
        stack.variables["zookeeper_port"] = "{{ 28510 + kafka_broker_id }}"
    play = stack.play("site.yml", "--check", inventory=(ROOT / "examples" / f"{name}.ini").read_text())
    assert play.ok, play.message
    started = [task for task in play.changed_tasks if task in ("Start the broker", "Start the first controller")]
    assert len(started) == 3
    assert not any(no_stack.state().values())


def test_check_where_no_engine_runs(no_stack):
    hidden = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /var/run/docker.sock && exec "$@"', "sh"]
    if subprocess.run([*hidden, "true"], check=False, capture_output=True).returncode:
        pytest.skip("hiding the engine from a process needs root's rights to mount")
    play = no_stack.play("site.yml", "--check", "--diff", within=hidden)
    assert play.ok, play.message
    assert {"Change the server", "Start the broker"} <= set(play.changed_tasks)
    assert not any(no_stack.state().values())
