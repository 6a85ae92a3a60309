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
extends_documentation_fragment: action.acts
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
