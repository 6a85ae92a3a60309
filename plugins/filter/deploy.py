"""The functions of kafka_proof.deploy as Jinja filters."""

import datetime
import functools
from pathlib import Path

from ansible import context

from kafka_proof.client.text import setting_text
from kafka_proof.deploy import (
    certificates,
    clients,
    cluster_data,
    combine,
    containers,
    derive,
    diagnosis,
    engines,
    given_certificates,
    host_checks,
    image,
    kraft,
    listeners,
    migration,
    node,
    rotation,
    security,
    transition,
    versions,
    zookeeper,
    zookeeper_records,
)
from kafka_proof.deploy.node import has_data

_IMAGE_FILES = Path(__file__).parents[2] / "roles" / "kafka_image" / "files"


def engine_reports(hosts, hostvars):
    """Return {host: what its engine reported}; {} for a host that was not asked or not reached."""
    return {host: hostvars[host].get("__stack_engine") or {} for host in hosts}


def to_plan(nodes, hostvars, change):
    """Return what kafka_rolling_plan has to know of each node. `change`: the variable of each host with its Change."""
    return [
        {"host": node["host"], "id": node["id"], "config": node["config"], "wanted": _wanted(node)}
        | {key: hostvars[node["host"]][change][key] for key in ("change", "running", "settings")}
        | {"has_data": has_data(node, engine_reports([node["host"]], hostvars))}
        for node in nodes
    ]


def _wanted(node):
    return {key: setting_text(value) for key, value in node["settings"].items() if value is not None}


def client_properties(brokers, access):
    """Return the content of client.properties, {key: value}. access: of kafka_proof.deploy.clients.access."""
    return {"bootstrap.servers": ",".join(listeners.client_addresses(brokers))} | clients.login_properties(access)


def client_properties_now(brokers, engines, access, running_only=False):
    """Return client properties with the addresses that the brokers' containers advertise now."""
    servers = listeners.client_addresses_now(brokers, engines, running_only)
    return {"bootstrap.servers": ",".join(servers)} | clients.login_properties(access)


def stack_options(sources, usual, stack_name):
    """Return the options of a command about this inventory and stack; those of -e are this run's."""
    return engines.stack_options(sources, usual, stack_name, context.CLIARGS.get("extra_vars", ()))


def first_expiry(nodes, kafka_security, secrets, users):
    """Return {date, days, name} of the first certificate of a stack that expires; {} without certificates."""
    access, users = security.security_of({"kafka_security": kafka_security}), list(users)
    today = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = certificates.expiries(certificates.wanted(nodes, access, secrets, users), today)
    if not (found := found + given_certificates.given_expiries(nodes, access, secrets, users, today)):
        return {}
    first = min(found, key=lambda each: each.days)
    return {"date": str((today + datetime.timedelta(first.days)).date()), "days": first.days, "name": first.name}


def begun_rotation(nodes, kafka_security, secrets):
    """Return the next authorities of a rotation that is not complete."""
    access = security.security_of({"kafka_security": kafka_security})
    return rotation.begun(certificates.wanted(nodes, access, secrets))


class FilterModule:
    """Make the functions available to roles and playbooks."""

    def filters(self):
        functions = (
            combine.combine_problems,
            combine.has_begun,
            *(containers.any_runs, containers.foreign, containers.own_containers, containers.removal, containers.stop),
            *(derive.container_name, derive.with_protocol, diagnosis.diagnoses, diagnosis.waits_for_ever),
            *(engines.is_first, engines.is_local, engines.smoke_options),
            *(host_checks.host_problems, host_checks.orphan_lines, image.image_giver, image.image_is_there),
            *(listeners.addresses_to_verify, listeners.bind_address),
            *(listeners.client_addresses, listeners.inter_broker_address),
            *(client_properties, client_properties_now, clients.to_text),
            *(cluster_data.first_controller, cluster_data.with_cluster, kraft.wanted_voters),
            *(
                node.any_data,
                node.dedicated,
                node.node_on,
                node.of_kind,
                versions.protocol_kept,
                versions.protocol_to_keep,
                versions.runs_newer,
            ),
            *(migration.forget_metadata, migration.is_final, migration.is_finalising),
            *(migration.compares_before_return, migration.left_over_problems, migration.migration_progress),
            *(migration.next_phase, migration.zookeeper_containers),
            *(zookeeper_records.registered_problems, zookeeper_records.stranger_problems),
            *(security.level_name, transition.levels, transition.rights_script),
            *(zookeeper.batches, zookeeper.left_behind, zookeeper.servers_now, zookeeper.stranger_leads),
            *(begun_rotation, engine_reports, first_expiry, stack_options, to_plan),
        )
        recipe = functools.partial(image.image_recipe, files=_IMAGE_FILES)
        return {function.__name__: function for function in functions} | {"image_recipe": recipe}
