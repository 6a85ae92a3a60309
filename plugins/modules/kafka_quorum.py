#!/usr/bin/python
"""Documentation of the action kafka_quorum, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_quorum
short_description: Change the voters of a KRaft quorum
description:
  - Makes controllers voters, one at a time, each when it is caught up. A controller that lost its disk replaces itself.
  - With C(remove), takes one controller out of the quorum, also a dead one and the leader.
  - With C(give_up), takes out one that is lost for good. One that runs, or is in C(wanted), is refused.
  - After an interruption, it continues when it runs again.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  wanted:
    description: "Host and port by listener, of the controllers by id: C({1: {CONTROLLER: [HOST, PORT]}})."
    type: dict
    default: {}
  remove:
    description: Id of the controller to take out of the quorum.
    type: int
  give_up:
    description: Id of a voter that is lost for good.
    type: int
  unregister:
    description: Id of a stopped broker whose registration the controllers forget.
    type: int
  unregister_controller:
    description: Id of a stopped controller, no voter, whose registration the controllers forget. Before 4.4 it stays.
    type: int
  timeout:
    description: Seconds.
    type: int
    required: true
attributes:
  check_mode:
    description: Whether the action runs in check mode without a change.
    support: partial
    details: C(remove), C(unregister) and C(unregister_controller) ignore check mode.
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Make the controllers voters
  kafka_quorum:
    client: {bootstrap.servers: "localhost:9092"}
    wanted: {1: {CONTROLLER: [kafka, 19093]}}
    timeout: 600
"""

RETURN = r""""""
