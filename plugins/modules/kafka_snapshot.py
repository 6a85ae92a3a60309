#!/usr/bin/python
"""Documentation of the action kafka_snapshot, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_snapshot
short_description: Write down what a cluster has, or verify that it still has all of it
description:
  - Topics with their settings, users, ACLs, quotas, and settings that are set for brokers while they run, one by one.
  - Items that are new since then do not count. The cluster is not changed.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  path:
    description: File of the items, on the machine that runs Ansible.
    type: path
    required: true
  state:
    description:
      - C(written) writes the file, unless it exists. C(verified) fails with a line for each item that is missing or
        different, and removes the file if there is none.
    type: str
    choices: [written, verified]
    required: true
  anew:
    description: Whether C(written) replaces a file that exists.
    type: bool
    default: false
  must_answer:
    description: Whether C(written) fails where the cluster does not answer. Otherwise the file stays as it is.
    type: bool
    default: true
  timeout:
    description: Seconds for each kind of items.
    type: int
    default: 60
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Write down what the cluster has
  kafka_snapshot:
    client: "{{ client_properties }}"
    path: build/before.json
    state: written
"""

RETURN = r"""
items:
  description: Number of items.
  returned: success
  type: int
"""
