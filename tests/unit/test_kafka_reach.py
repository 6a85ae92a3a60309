"""The script of kafka_reach judges the answer of a broker. tests/cluster/test_rolling.py runs it on real ones."""

import json
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "plugins" / "remote" / "kafka_reach.py"


@pytest.mark.parametrize(
    ("code", "problem"), [(0, []), (31, []), (42, ["another broker answers there"]), (35, ["another broker"])]
)
def test_an_error_shows_another_broker_except_a_missing_right(code, problem):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            link, _ = server.accept()
            with link:
                link.recv(4096)
                link.sendall(struct.pack(">iiiih", 14, 1, 0, 1, code))

        threading.Thread(target=answer, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        asked = json.dumps([[[2, address, True]], 10])
        done = subprocess.run([sys.executable, SCRIPT, asked], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert len(found) == len(problem)
    assert all(words in said for words, said in zip(problem, found, strict=True))
