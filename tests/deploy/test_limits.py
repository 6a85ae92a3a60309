"""Every wait has a variable that bounds it, and a message with the last observation."""

import socket
import tarfile

import pytest

from tests.deploy.conftest import docker
from tests.support.requests import big_requests
from tests.support.wait import wait_for


def test_a_silent_registry(spare):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        variables = {"kafka_image_source": "pull", "kafka_image_pull": f"{address}/kafka:1", "stack_image": "kp-none:1"}
        play = spare.play("site.yml", "--tags", "image", kafka_image_pull_timeout=2, **variables)
    assert not play.ok
    for word in (f"{address}/kafka:1 cannot be pulled", "did not answer within 2 s", "kafka_image_source=auto"):
        assert word in play.message


def test_a_frozen_broker(stack):
    docker("pause", stack.kafka)
    try:
        play = stack.play("site.yml", "--tags", "topics", kafka_topics_timeout=3)
    finally:
        docker("unpause", stack.kafka)
    assert not play.ok
    assert f"localhost:{stack.port}" in play.message


def test_a_zookeeper_server_that_does_not_serve(stack):
    try:
        play = stack.play("site.yml", zookeeper_config={"tickTime": "many"}, zookeeper_start_timeout=5)
    finally:
        stack.site()
    assert not play.ok
    assert f"The ZooKeeper server {stack.zookeeper} does not serve" in play.message
    assert "Its log: " in play.message
    assert "many" in play.message


def test_support_bundle_is_bounded(stack):
    play = stack.play("playbooks/support.yml", support_log_bytes=200, support_since="1h")
    assert play.ok, play.message
    [archive] = stack.directory.glob("build/support-*.tar.gz")
    with tarfile.open(archive) as tar:
        sizes = {member.name.rpartition("/")[2]: member.size for member in tar}
    archive.unlink()
    assert 0 < sizes[f"{stack.kafka}.log"] <= 201  # and a newline

    assert stack.play("playbooks/support.yml", support_since="0s").ok
    [archive] = stack.directory.glob("build/support-*.tar.gz")
    with tarfile.open(archive) as tar:
        sizes = {member.name.rpartition("/")[2]: member.size for member in tar}
    assert sizes[f"{stack.kafka}.log"] <= 1


def test_large_requests_without_a_login_do_no_harm(stack):
    before = docker("inspect", "-f", "{{.State.StartedAt}}", stack.kafka)
    big_requests(stack.port, 8_000_000, 24)
    stack.wait_ready()
    assert docker("inspect", "-f", "{{.State.StartedAt}}", stack.kafka) == before
    assert "OutOfMemoryError" not in docker("logs", stack.kafka)


@pytest.mark.long
def test_a_broker_without_memory_is_restarted(spare):
    spare.site(kafka_config={"socket.request.max.bytes": 100_000_000})
    spare.produce("kept")
    for _ in range(4):
        big_requests(spare.port, 20_000_000, 6)
    wait_for(lambda: int(docker("inspect", "-f", "{{.RestartCount}}", spare.kafka)) > 0, "the broker to restart")
    spare.wait_ready()
    assert spare.messages() == ["kept"]


def test_containers_have_limits_and_no_rights_to_lose(stack):
    for name, memory in ((stack.kafka, 1280), (stack.zookeeper, 576)):
        limits = docker("inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}", name)
        assert limits == f"{memory * 1024**2} 4096"
        status = docker("exec", name, "cat", "/proc/1/status")
        assert "CapBnd:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
