#!/usr/bin/python
"""Documentation of the action kafka_quotas, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_quotas
short_description: Make a cluster's client quotas match a list
description:
  - Sets and removes limits of users, client ids and addresses, all in one call. The broker validates all of them first.
  - An item has all limits of its entity. The name C(<default>) is the default for all others of its type.
  - Needs the rights DescribeConfigs and AlterConfigs on the cluster.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  quotas:
    description: The quotas. Other entities stay as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      user:
        description: Name of a user.
        type: str
      client_id:
        description: Client id, of any user or of O(quotas[].user).
        type: str
      ip:
        description: Address of clients.
        type: str
      producer_byte_rate:
        description: Bytes per second that clients send to a broker, a whole number.
        type: float
      consumer_byte_rate:
        description: Bytes per second that clients receive from a broker, a whole number.
        type: float
      request_percentage:
        description: Percentage of the time of a broker's threads for network and requests; 100 is one thread.
        type: float
      controller_mutation_rate:
        description: Partitions per second that clients create or delete.
        type: float
      connection_creation_rate:
        description: Connections per second from an address, with O(quotas[].ip), a whole number.
        type: float
  prune:
    description: Whether to remove what the list does not name. Each removal is shown before the first change.
    type: bool
    default: false
  keep:
    description: Names of principals that no pruning touches, such as super users. The principal of the connection is one.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the whole call may take.
    type: int
    default: 60
attributes:
  check_mode:
    description: Whether the action runs in check mode without a change.
    support: full
    details: Where no broker answers yet, the result is that for an empty cluster.
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Apply the quotas
  kafka_quotas:
    client: "{{ client_properties }}"
    quotas:
      - {user: alice, producer_byte_rate: 1048576}
      - {user: <default>, client_id: <default>, request_percentage: 50}
"""

RETURN = r"""
changes: {description: "One line for each change: + creates, ~ changes, - removes.", returned: success, type: list, elements: str}
"""
