"""One archive says how everything is, without a secret, also when the cluster is down."""

import re
import tarfile

from tests.support.engine import docker

SECRET = "planted-0815"
LOGIN = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="{SECRET}";'


def support(stack, *options):
    """Run the playbook; returns what the archive holds, {path in it: text}."""
    before = stack.state()
    play = stack.play("playbooks/support.yml", *options)
    assert play.ok, play.message
    assert play.changed == 0
    assert stack.state() == before
    [archive] = stack.client_properties.parent.glob("support-*.tar.gz")
    with tarfile.open(archive) as tar:
        files = {item.name.partition("/")[2]: tar.extractfile(item).read() for item in tar if item.isfile()}
    archive.unlink()
    assert not [name for name, content in files.items() if SECRET.encode() in content]
    assert not list(stack.client_properties.parent.glob("support-*"))
    return {name: content.decode() for name, content in files.items()}


def test_the_archive_holds_no_secret_and_all_else(spare):
    spare.site(kafka_config={"ssl.key.password": SECRET, "sasl.jaas.config": LOGIN, "log.retention.hours": 71})
    docker("exec", spare.kafka, "sh", "-c", f"echo a client logs in with {SECRET} >/proc/1/fd/1")
    files = support(spare)
    assert "Nothing is missing." in files["README"]
    assert "log.retention.hours=71" in files[f"localhost/{spare.kafka}.properties"]
    assert "a client logs in with ***" in files[f"localhost/{spare.kafka}.log"]
    assert '"cluster_id"' in files["cluster.json"]
    assert '"groups"' in files["lag.json"]
    ahead, error = map(float, re.findall(r"[-+]?\d+\.\d+", files["localhost/clock"]))
    assert abs(ahead) <= error + 0.01

    docker("stop", spare.kafka)
    docker("rm", "-f", spare.zookeeper)
    files = support(spare, "--check")
    for words in ("cluster.json: ", "no Kafka answered", f"{spare.zookeeper}.log: ", "No such"):
        assert words in files["README"]
    assert "shut down completed" in files[f"localhost/{spare.kafka}.log"]
