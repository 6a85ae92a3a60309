"""The content of the archive of playbooks/support.yml, and the content that it leaves out."""

import json
import os
import subprocess
import tarfile

import pytest

from kafka_proof.deploy.files import to_properties
from kafka_proof.support import host_script as script
from kafka_proof.support import host_sections as parse
from kafka_proof.support import main, masked, masked_json, passwords, write_host

SECRET = "planted-0815"
LOGIN = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="{SECRET}";'
KEY = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        f"ssl.keystore.password={SECRET}",
        f"ssl.key.password : {SECRET}",
        f"\tssl.key.password = {SECRET}",
        f"sasl.jaas.config={LOGIN}",
        f"sasl.jaas.config=a \\\n  b \\\n  {SECRET}",
        f"ssl.keystore.key=\\\n{SECRET}",
        f"listener.name.external.plain.sasl.jaas.config={LOGIN}",
        f"delegation.token.secret.key={SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"java -Djavax.net.ssl.keyStorePassword={SECRET} kafka.Kafka",
        f"GET http://proxy:{SECRET}@proxy.example/",
        f"loading {KEY}",
        f"Invalid JWS Signature: JsonWebSignature->eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.{SECRET}",
        to_properties({"sasl.jaas.config": LOGIN}),
        to_properties({"ssl.keystore.key": KEY}),
        to_properties({"SSL.KEY.PASSWORD": f" {SECRET}\\"}),
    ],
)
def test_a_secret_is_masked(text):
    assert SECRET not in masked(f"a=1\n{text}\nb=2")
    assert masked(f"a=1\n{text}\nb=2").startswith("a=1\n")


@pytest.mark.parametrize("text", ["a=1\nzookeeper.connect=z:2181\nb=2", "broker 1: password=\nb=2", "monkey business"])
def test_what_is_no_secret_stays(text):
    assert masked(text) == text


@pytest.mark.parametrize(
    "value",
    [
        {"Env": [f"KAFKA_PASSWORD={SECRET}"]},
        {"Env": [f"TLS_KEY=first\n{SECRET}"]},
        {"Env": [f"PROPERTIES=a=1\nsasl.jaas.config={LOGIN}\n"]},
        {"Labels": {"token": SECRET}},
        {"tokens": [SECRET]},
        [[KEY]],
    ],
)
def test_a_secret_in_json_is_masked(value):
    assert SECRET not in json.dumps(masked_json(value))


def test_a_password_is_masked_wherever_it_stands():
    assert passwords(f"sasl.jaas.config={LOGIN}\nssl.key.password=[hidden]\nsecret=short") == {SECRET}
    assert masked(f"login of alice with {SECRET} failed", {SECRET}) == "login of alice with *** failed"


def test_what_a_host_prints_is_parsed():
    found = parse("one\ntwo\n\nkafka-proof-support 0 host\nno such container\n\nkafka-proof-support 1 kafka.json\n")
    assert found == {"host": (0, "one\ntwo"), "kafka.json": (1, "no such container")}


def test_names_are_quoted_for_the_shell():
    assert "docker inspect 'a;b'" in script(["a;b"], "1h; reboot", 10)
    assert "--since '1h; reboot'" in script(["a"], "1h; reboot", 10)


@pytest.mark.parametrize(("refusals", "section"), [(0, (0, "Images")), (2, (0, "Images")), (99, (1, "no engine"))])
def test_the_engine_is_asked_again_while_another_asks_for_its_disk(tmp_path, refusals, section):
    (tmp_path / "left").write_text("x" * refusals)
    programs = {
        "docker": f"""case "$*" in *df*) ;; *) exit ;; esac
            left=$(cat {tmp_path}/left)
            [ ${{#left}} -lt 99 ] || {{ echo no engine >&2; exit 1; }}
            [ -n "$left" ] || {{ echo Images; exit; }}
            printf %s "${{left#x}}" >{tmp_path}/left
            echo Error: a disk usage operation is already running >&2; exit 1""",
        "sleep": "",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = subprocess.run(
        ["sh", "-s"], input=script([], "1m", 10), env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert parse(said.stdout)["engine-disk"] == section


def test_commands_of_containers_are_left_out(tmp_path):
    """docker quotes a command as Go does."""
    listing = f'c0ffee   mysql:8   "mysqld \\"-p{SECRET}\\""   Up 2 hours   db'
    (tmp_path / "docker").write_text(f"#!/bin/sh\ncat <<'END'\n{listing}\nEND\n")
    (tmp_path / "docker").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = subprocess.run(
        ["sh", "-s"], input=script([], "1m", 10), env={"PATH": path}, capture_output=True, text=True, check=True
    )
    found = parse(said.stdout)
    assert found["containers"] == found["engine-disk"] == (0, "c0ffee   mysql:8   -   Up 2 hours   db")


def test_a_host_names_no_file_elsewhere():
    mark = "kafka-proof-support"
    said = f"stolen\n{mark} 0 ../../evil\n{mark} 0 .profile\n{mark} 0 /etc/evil\n{mark} x disk\nfree\n{mark} 0 memory\n"
    found = parse(said)
    assert list(found) == ["memory"]
    assert found["memory"][1].startswith("stolen")


def test_the_archive_says_what_is_missing(tmp_path, capsys):
    inspected = json.dumps([{"Env": [f"PROPERTIES=ssl.key.password={SECRET}\nlog.dirs=/data"]}])
    sections = {
        "clock": (0, "101.5"),
        "kafka.json": (0, inspected),
        "kafka.log": (0, f"started with {SECRET}"),
        "engine": (1, "no engine"),
    }
    assert write_host(tmp_path / "said" / "host-1", sections, 100, 102) == ["engine: no engine"]
    client_properties = tmp_path / "client.properties"
    client_properties.write_text(f"bootstrap.servers=127.0.0.1:1\nssl.key.password={SECRET}\n")
    archive = tmp_path / "support.tar.gz"
    arguments = ["--hosts", "host-1,host-2", "--client-properties", str(client_properties)]
    assert main([str(tmp_path / "said"), str(archive), *arguments]) == 0
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as tar:
        files = {item.name: tar.extractfile(item).read().decode() for item in tar if item.isfile()}
    assert not [name for name, text in files.items() if SECRET in text]
    assert "log.dirs=/data" in files["support/host-1/kafka.json"]
    assert files["support/host-1/clock"] == "+0.500 s from the machine that asked, to within 1.000 s\n"
    readme = files["support/README"]
    for line in ("host-1: engine: no engine", "host-2: everything", "cluster.json: 127.0.0.1:1: no Kafka answered"):
        assert line in readme
    assert readme in capsys.readouterr().out
    assert not (tmp_path / "said").exists()
