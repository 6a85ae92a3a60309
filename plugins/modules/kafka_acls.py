#!/usr/bin/python
"""Documentation of the action kafka_acls, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_acls
short_description: Make a cluster's ACLs match a list
description:
  - Creates ACLs, all in one call. Deletes only what O(absent) names, unless O(prune).
  - An item is a role, such as producer, which expands to the ACLs that it needs, or a plain ACL with several operations.
  - Kafka's authorizers for KRaft and for ZooKeeper are supported.
  - Needs the rights Describe and Alter on the cluster.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  acls:
    description: The ACLs. Others stay as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      principal:
        description: The principal. A name without a type is a user; C(alice) is C(User:alice).
        type: str
        required: true
      role:
        description: Role of the principal, which expands to ACLs. Left out, the item is a plain ACL.
        type: str
        choices: [producer, consumer, streams, connect]
      topic:
        description: Topic of a producer or a consumer.
        type: str
      topic_prefix:
        description: Instead of the topic, a prefix of topics.
        type: str
      group:
        description: Group of a consumer, or C(group.id) of Connect.
        type: str
      group_prefix:
        description: Instead of the group, a prefix of groups.
        type: str
      transactional_id:
        description: Transactional id of a producer.
        type: str
      transactional_id_prefix:
        description: Instead of the transactional id, a prefix.
        type: str
      application_id:
        description: C(application.id) of a program with Kafka Streams.
        type: str
      inputs:
        description: Topics that streams or Connect read. C(orders*) is a prefix.
        type: list
        elements: str
      outputs:
        description: Topics that streams or Connect write.
        type: list
        elements: str
      storage:
        description: Topics in which Connect keeps its state. Without it, C(connect-configs), C(connect-offsets), C(connect-status).
        type: list
        elements: str
      resource:
        description: Type of the resource of a plain ACL.
        type: str
        choices: [topic, group, cluster, transactional_id, delegation_token, user]
      name:
        description: Name of the resource; C(*) is each. The cluster has none.
        type: str
      pattern:
        description: Whether the name is a prefix. Without it, the name is literal.
        type: str
        choices: [literal, prefixed]
      operations:
        description: Kafka's operations, such as C(read), C(describe_configs) or C(all).
        type: list
        elements: str
      permission:
        description: Whether the ACL allows, which is the default, or denies.
        type: str
        choices: [allow, deny]
      host:
        description: Address of the client. Left out, each.
        type: str
  absent:
    description: ACLs to delete, without roles.
    type: list
    elements: dict
    default: []
    suboptions:
      principal:
        description: The principal. A name without a type is a user; C(alice) is C(User:alice).
        type: str
        required: true
      resource:
        description: Type of the resource.
        type: str
        choices: [topic, group, cluster, transactional_id, delegation_token, user]
      name:
        description: Name of the resource; C(*) is each. The cluster has none.
        type: str
      pattern:
        description: Whether the name is a prefix. Without it, the name is literal.
        type: str
        choices: [literal, prefixed]
      operations:
        description: Kafka's operations, such as C(read), C(describe_configs) or C(all).
        type: list
        elements: str
      permission:
        description: Whether the ACL allows, which is the default, or denies.
        type: str
        choices: [allow, deny]
      host:
        description: Address of the client. Left out, each.
        type: str
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
- name: Apply the ACLs
  kafka_acls:
    client: "{{ client_properties }}"
    acls:
      - {principal: alice, role: producer, topic: orders}
      - {principal: bob, role: consumer, topic_prefix: orders, group: billing}
      - {principal: carol, resource: cluster, operations: [describe]}
"""

RETURN = r"""
changes: {description: "One line for each change: + creates, ~ changes, - removes.", returned: success, type: list, elements: str}
"""
