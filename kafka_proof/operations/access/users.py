"""Users that log in by SCRAM: {(name, mechanism): iterations}.

A cluster keeps a salted hash and reports only its iterations. A login with the wanted password shows whether it is
the current one. No password is in a plan, a result or a message.
"""

import hashlib
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from kafka.protocol.admin import AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest

from kafka_proof.client.connection import links
from kafka_proof.client.link import Fault
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.raw import batches, send
from kafka_proof.client.secret_files import read_or_make, unusable, user_file
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import attempts
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.operations.access import shared
from kafka_proof.operations.refused import Refused

MECHANISMS = {"SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2}  # Kafka's numbers
USUAL = "SCRAM-SHA-512"
ITERATIONS = 4096  # of a new user; Kafka's own number
LEAST, MOST = 4096, 16384  # Kafka's limits
REFUSED = "login-refused"  # the code of a wrong password, and of an unknown user
_LOGINS = 16  # at the same time
_STEP = 5  # seconds for each step of a login
_RESOURCE_NOT_FOUND = 91


def have(params, check, say=print):
    """Make the users match a list, as the module kafka_users documents it. Return the result of an Ansible task.

    params: {client, users, absent, mechanism, secrets, prune, keep, timeout}. `mechanism`: of users that name none.
    `secrets`: the directory of secrets, for the passwords of users that have none in the list; "" for none.
    """
    params = params | {"users": of_scram(params["users"], params["mechanism"])}
    if found := problems(params["users"], params["absent"], params["secrets"]):
        return {"failed": True, "msg": "\n".join(found)}
    given = {}

    def refine(plan, actual):
        given.update(_passwords(params["users"], params["secrets"], [] if check else plan.create))
        return _renew(params, given, plan, actual)

    kind = KIND._replace(
        alter=partial(_alter, given), refine=refine, finish=partial(_wait_logins, params["client"], given)
    )
    absent = {(name, mechanism) for name in params["absent"] for mechanism in MECHANISMS}
    goal = shared.Goal(wanted(params["users"]), absent, partial(prunable, shared.kept(params)))
    return shared.have(kind, goal, params, check, say)


def of_scram(users, mechanism):
    """Return the users that log in by SCRAM, each with its mechanism: the given one for those that name none.

    Users that prove themselves by PLAIN or by a certificate are no part of the cluster's metadata.
    """
    named = [user | {"mechanism": user.get("mechanism") or mechanism} for user in users]
    return [user for user in named if user["mechanism"] in MECHANISMS]


def problems(users, absent=(), directory=""):
    """Return what in the lists Kafka would refuse. directory: of the passwords that are not in the list, or ""."""
    found, seen = [], set()
    for user in users:
        name = one_line(user["name"])
        if not (user["name"].isascii() and user["name"]):  # Kafka creates such a user, and accepts no login
            found.append(f"kafka_users has the name {name!r}. Give it ASCII characters, one or more.")
        if key(user) in seen:
            found.append(f"kafka_users has {name} with {key(user)[1]} more than once. Keep one.")
        seen.add(key(user))
        if user["name"] in absent:
            found.append(f"kafka_users and kafka_users_absent both have {name}. Keep it in one of them.")
        if not LEAST <= (user.get("iterations") or LEAST) <= MOST:
            found.append(f"kafka_users has {name} with {user['iterations']} iterations. Give {LEAST} to {MOST}.")
        if user.get("password") == "":
            found.append(f"kafka_users has {name} with an empty password. Leave it out, or give it a value.")
        if fault := unusable(user.get("password") or ""):
            found.append(f"kafka_users: the password of {name} {fault}.")
        if user.get("password") is None and not directory:
            found.append(f"kafka_users has {name} without a password. Give it one, or a directory of secrets.")
    return found


def key(user):
    """Return the key of a user of the list: (name, mechanism)."""
    return user["name"], user.get("mechanism") or USUAL


def wanted(users):
    """Return the table that a list describes."""
    return {key(user): user.get("iterations") for user in users}


def items(table):
    """Return the list that describes a table, without passwords: the reverse of `wanted`."""
    return [
        {"name": name, "mechanism": mechanism, "iterations": iterations}
        for (name, mechanism), iterations in sorted(table.items())
    ]


def prunable(names, user):
    """Return whether pruning can remove an item. names: of the principals that it keeps."""
    return user[0] not in names


def _passwords(users, directory, new):
    """Return {key: password} of the users whose password is known. Make those of `new` keys. Raises Refused.

    A user that the cluster has, and whose password is in no list and in no file, keeps it.
    """
    found = {}
    try:
        for user in users:
            if user.get("password") is not None:
                found[key(user)] = user["password"]
            elif key(user) in new or user_file(directory, user["name"]).exists():
                found[key(user)] = read_or_make(user_file(directory, user["name"]))
    except OSError as error:
        advice = "Let this user read and write it, or set stack_secrets."
        raise Refused([f"{error.filename}: {error.strerror}. {advice}"]) from None
    return found


# Logins


def _renew(params, given, plan, actual):
    """Add users with another password to the plan. Return a list of warnings. Raises Refused."""
    if unknown := sorted(plan.change.keys() - given.keys()):
        said = "Kafka needs the password to change the iterations. Give it in the list."
        raise Refused([f"user {one_line(name)}: {said}" for name, _ in unknown])
    present = {key: given[key] for key in given if key in actual and key not in plan.change}
    results = logins(params["client"], present, params["timeout"])
    plan.change |= {key: (actual[key], actual[key]) for key in present if results[key] == REFUSED}
    unverified = [code for code in results.values() if code not in ("", REFUSED)]
    if not unverified:
        return []
    return [
        f"The passwords of {len(unverified)} existing users cannot be verified ({', '.join(sorted(set(unverified)))}), "
        "so they stay as they are. Connect to a listener with a login by SCRAM to change them."
    ]


def logins(client, given, seconds, everywhere=False):
    """Return {key: result} of a login with each password: "" for success, or the code of the fault.

    client: client properties; given: {key: password}; seconds: for all logins; everywhere: at each bootstrap server,
    else at the first one that answers. A code is of kafka_proof.advice.ADVICE, or no-login, for a listener without one.
    """
    arguments = kafka_python(client)
    if not arguments["security_protocol"].startswith("SASL"):
        return dict.fromkeys(given, "no-login")
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(_LOGINS) as pool:
        attempt = partial(_login, arguments, deadline, everywhere)
        return dict(zip(given, pool.map(attempt, given.items()), strict=True))


def _login(arguments, deadline, everywhere, user):
    (name, mechanism), password = user
    # RFC 5802: a comma and an equals sign have codes in the name of a user. kafka-python sends them as they are.
    escaped = name.replace("=", "=3D").replace(",", "=2C")
    own = {"sasl_mechanism": mechanism, "sasl_plain_username": escaped, "sasl_plain_password": password}
    code = "timeout"
    for link in links(arguments | own, _STEP):
        if time.monotonic() >= deadline:
            return "timeout"
        try:
            link.open()
            code = ""
        except Fault as fault:
            code = fault.code
        finally:
            link.close()
        if code in ("", REFUSED, "mechanism") and not (everywhere and code == ""):
            return code
    return code


def _wait_logins(client, given, plan, seconds):
    """Wait until every bootstrap server accepts the new passwords. Raises Refused."""
    left = {key: given[key] for key in (*plan.create, *plan.change)}
    for remaining in attempts(seconds, 0.1):
        results = logins(client, left, max(1, remaining), everywhere=True)
        left = {key: left[key] for key, code in results.items() if code == REFUSED}
        if not left:
            return
    names = ", ".join(one_line(name) for name, _ in sorted(left)[:5])
    raise Refused([f"{len(left)} users cannot log in yet, such as {names}"], "the cluster accepted all changes")


# Kafka's requests


def _read(admin, broker):
    # An empty list is all users. For null, a broker that refuses fails to build its answer, and sends none.
    response = send(admin, DescribeUserScramCredentialsRequest(users=[]), broker)
    shared.raise_for(response.error_code, response.error_message)
    mechanisms = {number: name for name, number in MECHANISMS.items()}
    return {
        (user.user, mechanisms.get(credential.mechanism, str(credential.mechanism))): credential.iterations
        for user in response.results
        for credential in user.credential_infos
    }


def _alter(given, admin, plan, validate_only):
    """Kafka cannot validate users, so the first call does nothing."""
    if validate_only:
        return []
    # With ZooKeeper the controller alone accepts the request; with KRaft this is any broker, and each forwards it.
    controller = describe_cluster(admin)["controller_id"]
    changes = {key: value or ITERATIONS for key, value in plan.create.items()}
    changes |= {key: after for key, (_, after) in plan.change.items()}
    with ThreadPoolExecutor(_LOGINS) as pool:
        upsertions = list(pool.map(lambda each: _upsertion(*each, given[each[0]]), changes.items()))
    alterations = upsertions + [_deletion(*key) for key in plan.remove]
    found = []
    for mechanism in MECHANISMS.values():  # with KRaft, a request can have a user once
        for batch in batches([each for each in alterations if each.mechanism == mechanism], shared.BATCH):
            request = AlterUserScramCredentialsRequest(
                upsertions=[each for each in batch if hasattr(each, "salt")],
                deletions=[each for each in batch if not hasattr(each, "salt")],
            )
            found += [
                f"user {one_line(answer.user)}: {shared.refusal(answer.error_code, answer.error_message)}"
                for answer in send(admin, request, controller).results
                if answer.error_code not in (0, _RESOURCE_NOT_FOUND)
            ]
    return found


def _upsertion(key, iterations, password):
    name, mechanism = key
    salt = secrets.token_bytes(24)
    digest = mechanism.removeprefix("SCRAM-").replace("-", "").lower()
    return AlterUserScramCredentialsRequest.ScramCredentialUpsertion(
        name=name,
        mechanism=MECHANISMS[mechanism],
        iterations=iterations,
        salt=salt,
        salted_password=hashlib.pbkdf2_hmac(digest, password.encode(), salt, iterations),
    )


def _deletion(name, mechanism):
    number = MECHANISMS[mechanism]
    return AlterUserScramCredentialsRequest.ScramCredentialDeletion(name=name, mechanism=number)


def _line(key, iterations):
    name, mechanism = key
    return f"user {one_line(name)}, {mechanism}" + (f", {iterations} iterations" if iterations else "")


KIND = shared.Kind(_read, _alter, _line, ("Describe", "Alter"))
