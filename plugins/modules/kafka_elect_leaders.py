#!/usr/bin/python
"""Documentation of the action kafka_elect_leaders, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_elect_leaders
short_description: Give each partition back to its preferred leader
description:
  - The end of a restart. Never C(changed).
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
attributes:
  check_mode:
    description: Whether the action runs in check mode without a change.
    support: none
  diff_mode:
    description: Whether the action returns a difference.
    support: none
author: The kafka-proof authors
"""

EXAMPLES = r"""
- name: Give each partition back to its preferred leader
  kafka_elect_leaders:
      client: {bootstrap.servers: "localhost:9092"}
"""

RETURN = r"""
moved:
  description: How many partitions got another leader.
  returned: success
  type: int
"""
