"""The script of kafka_reach for a host: python3 - '[[[1, "10.0.0.1:9092", true]], 10]'. The standard library alone.

A broker describes its own configuration only: one that is asked for another's id refuses. So it is asked in the words
of Kafka's protocol: DescribeConfigs (key 32), version 1, of the resource "broker" (type 4) of that id, no settings.
"""

import json
import socket
import struct
import sys

HEAD = 18  # bytes of an answer up to its only result's error code: length, correlation id, throttle time, count, code
FORBIDDEN = 31  # CLUSTER_AUTHORIZATION_FAILED: the broker does not tell its id to this client


def request(broker):
    """The bytes of the request, their number before them."""
    name = str(broker).encode()
    body = struct.pack(">hhih", 32, 1, 1, -1)  # key, version, correlation id, no client id
    body += struct.pack(">ibh", 1, 4, len(name)) + name + struct.pack(">i?", 0, False)
    return struct.pack(">i", len(body)) + body


def problem(broker, address, ask, timeout):
    """Why the address does not lead to the broker, or None."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout) as link:
            if not ask:
                return None
            link.sendall(request(broker))
            answer = b""
            while len(answer) < HEAD:
                more = link.recv(4096)
                if not more:
                    return "what answers there is no broker, or no PLAINTEXT"
                answer += more
    except OSError as error:
        return error.strerror or str(error)
    [code] = struct.unpack(">h", answer[HEAD - 2 : HEAD])
    return "another broker answers there" if code not in (0, FORBIDDEN) else None


def main():
    """Try all addresses, and print a JSON list of what is wrong."""
    addresses, timeout = json.loads(sys.argv[1])
    found = []
    for broker, address, ask in addresses:
        why = problem(broker, address, ask, timeout)
        if why:
            found.append(
                f"broker {broker} advertises {address}: {why}. Open that port between the hosts, "
                "or correct kafka_advertised_host, kafka_bind_address or stack_address. Where only others reach "
                "it, its listener in kafka_listeners can have `prove: false`."
            )
    print(json.dumps(found))


main()
