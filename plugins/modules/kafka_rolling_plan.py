#!/usr/bin/python
"""Documentation of the action kafka_rolling_plan, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_rolling_plan
short_description: Decide which nodes change, in which order, and what needs no restart
description:
  - Asks the cluster. Where it does not answer, the decision is made without it, and the wait before each broker reports the reason.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  brokers:
    description: Host, id, config, wanted, change, running and settings of each node, as the filter C(to_plan) returns them.
    type: list
    elements: "dict"
    required: true
  kind:
    description: Whether these are brokers, which can be controllers, too, or controllers that are no brokers.
    type: str
    default: broker
    choices: ["broker", "controller"]
  gate:
    description: Whether running brokers change one at a time.
    type: bool
    required: true
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Decide which nodes change, in which order, and what needs no restart
  kafka_rolling_plan:
      client: {bootstrap.servers: "localhost:9092"}
      brokers: "{{ _stack_brokers | to_plan(hostvars, '__kafka_change') }}"
      gate: true
"""

RETURN = r"""
at_once:
  description: Hosts whose brokers do not run or are cut off.
  returned: success
  type: list
one_by_one:
  description: Hosts whose brokers run. One that does not answer comes first, the active controller last.
  returned: success
  type: list
configure:
  description: Settings by broker id that brokers take while they run; none, for a broker whose settings are not known yet.
  returned: success
  type: dict
configure_all:
  description: New values of settings that are set for all nodes.
  returned: success
  type: dict
warnings:
  description: Names of settings that Kafka does not know.
  returned: success
  type: list
"""
