"""Pack a support bundle: one archive for a person who looks for a fault elsewhere, without secrets.

    python -m kafka_proof.support DIRECTORY ARCHIVE [--hosts a,b] [--client-properties FILE]

DIRECTORY/HOST has the output of each host. This adds the cluster's own report, and a README with a list of what the
bundle lacks, and packs all of it. Exit status: 0, also where much is missing; 2, the archive cannot be written.
"""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from kafka_proof.client import command
from kafka_proof.client.redact import MASK, masked, masked_json, passwords

SECONDS = 60  # for each report on the cluster


def strings(value):
    """Return every text in a value of JSON, list of str."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


_MARK = "kafka-proof-support"

# Commands of containers that are not the stack's can hold secrets.
_WITHOUT_COMMANDS = r"""sed -E 's/"([^"\\]|\\.)*"/-/'"""

_HOST = {
    "host": "uname -a; cat /etc/os-release; uptime; nproc; date",
    "memory": "free -m || head -5 /proc/meminfo",
    "disk": "df -hT; df -hi",
    "limits": "ulimit -a; cat /proc/sys/fs/file-max /proc/sys/vm/max_map_count /proc/sys/vm/swappiness",
    "time": "timedatectl status || chronyc tracking || ntpq -p || date",
    "listeners": "ss -Hltnp || netstat -ltnp || cat /proc/net/tcp /proc/net/tcp6",
    "engine": "docker version && docker info",
    "images": "docker images --all --digests --no-trunc",
    "containers": f'said=$(docker ps --all --no-trunc --size) && printf "%s\\n" "$said" | {_WITHOUT_COMMANDS}',
    # Docker 20.10 refuses a second caller: of another stack's bundle, or of the engine's own monitoring.
    "engine-disk": (
        "for _ in $(seq 30); do said=$(docker system df --verbose 2>&1); status=$?; "
        "case $said in *'already running'*) sleep 1 ;; *) break ;; esac; done; "
        f'printf "%s\\n" "$said" | {_WITHOUT_COMMANDS}; exit $status'
    ),
}


def host_script(containers, since, log_bytes):
    """Return a shell script. Each of its commands prints a section, then a line with its exit status and its name."""
    sections = dict(_HOST)
    for name in map(shlex.quote, containers):
        sections[f"{name}.json"] = f"docker inspect {name}"
        sections[f"{name}.properties"] = f"docker cp {name}:/etc/kafka-proof/server.properties - | tar -xO"
        sections[f"{name}.log"] = (
            f"docker inspect --format . {name} >/dev/null && "
            f"docker logs --timestamps --since {shlex.quote(since)} {name} 2>&1 | tail -c {int(log_bytes)}"
        )
    bounded = 'docker() { timeout 60 docker "$@"; }\n'
    return bounded + "\n".join(
        f"( {command} ) </dev/null 2>&1; printf '\\n{_MARK} %s %s\\n' $? {name}" for name, command in sections.items()
    )


def host_sections(output):
    """Return the output of the script as {name: (exit status, text)}. No name leads to another directory."""
    sections, lines = {}, []
    for line in output.splitlines():
        if end := re.fullmatch(rf"{_MARK} (\d+) (\w[\w.-]*)", line):
            sections[end[2]] = (int(end[1]), "\n".join(lines).strip("\n"))
            lines = []
        else:
            lines.append(line)
    return sections


def write_host(directory, sections, asked_at, answered_at):
    """Write one host's output to `directory`, masked. Returns the sections that failed, list of str.

    `sections`: {file name: (exit status, text)}; names that end in .json have JSON. `asked_at`, `answered_at`: the
    times around the reading of its clock, seconds since the epoch by this machine.
    """
    directory = Path(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    parsed = {}
    for name, (_, text) in sections.items():
        with contextlib.suppress(ValueError):
            if name.endswith(".json"):
                parsed[name] = json.loads(text)
    texts = [text for value in parsed.values() for text in strings(value)]
    texts += [text for name, (_, text) in sections.items() if name.endswith(".properties")]
    known = set().union(*map(passwords, texts))
    missing = []
    for name, (status, text) in sections.items():
        if status:
            said = masked(text, known).strip().splitlines()[-1:] or [f"exit status {status}"]
            missing.append(f"{name}: {said[0][-300:]}")
        said = json.dumps(masked_json(parsed[name], known), indent=2) if name in parsed else masked(text, known)
        (directory / name).write_text(f"{said}\n", encoding="utf-8", errors="replace")
    if "clock" in sections:
        with contextlib.suppress(ValueError):
            ahead = float(sections["clock"][1]) - (asked_at + answered_at) / 2
            error = (answered_at - asked_at) / 2
            (directory / "clock").write_text(f"{ahead:+.3f} s from the machine that asked, to within {error:.3f} s\n")
    if missing:
        (directory / "missing").write_text("\n".join([*missing, ""]))
    return missing


def readme(directory, hosts, cluster):
    """Return the text of the bundle's README. `cluster`: {part: why it is missing, or ""}."""
    lines = [
        f"Support bundle of the hosts and their cluster, {time.strftime('%Y-%m-%d %H:%M:%S %Z')}.",
        "",
    ]
    missing = [f"{what}: {why}" for what, why in cluster.items() if why]
    for host in hosts:
        found = Path(directory) / host
        if not found.is_dir():
            missing.append(f"{host}: everything, the host could not be reached")
            continue
        for line in (found / "missing").read_text().splitlines() if (found / "missing").exists() else []:
            missing.append(f"{host}: {line}")
        clock = (found / "clock").read_text().strip() if (found / "clock").exists() else "unknown"
        lines.append(f"{host}/  clock {clock}")
    lines += ["", "Missing:" if missing else "Nothing is missing.", *(f"  {line}" for line in missing), ""]
    lines += [
        f"Secrets are masked ({MASK}): what sounds like a password, key, token or login, wherever it was found.",
        "",
    ]
    return "\n".join(lines)


def ask_cluster(directory, options):
    """Write the cluster's reports on itself, and client.properties. Returns {part: why it is missing, or ""}.

    `options`: those of `kafka_proof.client.command.add_connection_options`.
    """
    directory, found = Path(directory), {}
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if options.bootstrap_server:
        text, where = "", ["--bootstrap-server", options.bootstrap_server]
    else:
        where = ["--client-properties", options.client_properties]
        try:
            text = Path(options.client_properties).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return {"client.properties, and with it the cluster": f"{options.client_properties}: {error.strerror}"}
    known = passwords(text)
    for name, module in (("cluster.json", "kafka_proof.status"), ("lag.json", "kafka_proof.lag")):
        report = [sys.executable, "-m", module, *where, "--timeout", str(options.timeout), "--json"]
        try:
            done = subprocess.run(report, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            found[name] = f"no answer within {SECONDS} s"
            continue
        (directory / name).write_text(masked(done.stdout, known) if done.stdout else "")
        found[name] = masked(done.stderr.strip(), known) if done.returncode else ""
    (directory / "client.properties").write_text(masked(text))  # last: it can be the file that was read
    return found


def pack(directory, archive):
    """Pack `directory` into the tar.gz file `archive`, readable by its owner only."""
    archive, directory = Path(archive), Path(directory)
    archive.parent.mkdir(parents=True, exist_ok=True)
    new = archive.with_name(f".{archive.name}.new")
    new.touch(mode=0o600)
    with tarfile.open(new, "w:gz") as tar:
        tar.add(directory, arcname=archive.name.removesuffix(".tar.gz"))
    new.replace(archive)


@command.entry
def main(argv=None):
    """Run the command. Returns the exit status."""
    parser = command.Parser("python -m kafka_proof.support", __doc__)
    parser.add_argument("directory")
    parser.add_argument("archive")
    parser.add_argument("--hosts", default="", help="the hosts that were asked, with commas between them")
    command.add_connection_options(parser)
    options = parser.parse_args(argv)
    try:
        cluster = ask_cluster(options.directory, options)
        text = readme(options.directory, options.hosts.split(",") if options.hosts else [], cluster)
        (Path(options.directory) / "README").write_text(text, encoding="utf-8")
        pack(options.directory, options.archive)
        shutil.rmtree(options.directory)
    except OSError as error:
        return command.fail(f"{error.filename or options.archive}: {error.strerror or error}. Name another path.")
    print(f"{text}\n{options.archive}")
    return command.OK


if __name__ == "__main__":
    sys.exit(main())
