"""The variables of access that no cluster has to judge."""

from kafka_proof.operations.access import acls, quotas, users


def problems(values):
    """Return what in the variables of a host is no user, no ACL or no quota. values: {name: value}, checked."""
    return [
        *users.problems(values.get("kafka_users", []), values.get("kafka_users_absent", []), "stack_secrets"),
        *acls.problems(values.get("kafka_acls", []), values.get("kafka_acls_absent", [])),
        *quotas.problems(values.get("kafka_quotas", [])),
    ]
