"""Changes of the quorum in KRaft mode: controllers join and leave it, and brokers are unregistered.

`reconcile` looks at the quorum, takes the first step of `voters_to_change`, and looks again. It ends when no step is
left, and each wanted controller is a voter that is caught up. All it knows is in the quorum. So it can be interrupted
at any point, and continues when it runs again. Needs a dynamic quorum (kraft.version 1). Every broker forwards these
requests to the leader.
"""

from kafka.errors import (
    BrokerIdNotRegisteredError,
    DuplicateVoterError,
    IncompatibleBrokerVersion,
    UnsupportedVersionError,
    VoterNotFoundError,
    for_code,
)

from kafka_proof.client.connection import admin_client
from kafka_proof.client.messages import (
    AddRaftVoterRequest,
    RemoveRaftVoterRequest,
    UnregisterBrokerRequest,
    UnregisterControllerRequest,
)
from kafka_proof.client.raw import send
from kafka_proof.client.workarounds import describe_cluster
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.cluster.quorum import (
    ADD,
    CAUGHT_UP_MS,
    NO_DIRECTORY,
    REMOVE,
    Step,
    describe_quorum,
    directory_id,
    loss_obstacles,
    removal_obstacles,
    voters_to_change,
)
from kafka_proof.operations.waiting import few, wait

_ANSWER = 10  # seconds for the leader to commit one change
_ALREADY = (BrokerIdNotRegisteredError, DuplicateVoterError, VoterNotFoundError)  # it is as wanted
_KEEPS = (IncompatibleBrokerVersion, UnsupportedVersionError)  # of a cluster before metadata.version 33 (4.4)


class QuorumError(Exception):
    """A change that the quorum refuses, or that would lose it. Waiting does not help."""


class NotLostError(QuorumError):
    """A voter that is not given up, because it runs or is wanted. Nothing was changed."""


def plan(client, wanted):
    """Return the Plan of `voters_to_change`, for check mode. Raises kafka.errors.KafkaError."""
    with admin_client(client, _ANSWER) as admin:
        return voters_to_change(describe_quorum(admin), wanted)


def reconcile(client, wanted, seconds, say):
    """Make the wanted controllers voters. Returns the changes that were made: list of Step.

    client: client properties; wanted: {id: {listener name: (host, port)}}; seconds: the deadline; say(text): called
    with each change and each new observation. Raises NotReadyError after `seconds`, with the last observation and the
    changes; QuorumError for a refusal.
    """
    made = []

    def check(admin):
        left = voters_to_change(describe_quorum(admin), wanted)
        while left.steps and _take(admin, left.steps[0]):
            made.append(left.steps[0])
            say(str(left.steps[0]))
            left = voters_to_change(describe_quorum(admin), wanted)
        if left.steps or left.waits:
            raise NotReadyError(few([*left.waits, *left.steps]))

    try:
        wait(client, seconds, say, check)
    except NotReadyError as error:
        raise NotReadyError(f"{error}; changes made: {few(made, len(made)) or 'none'}") from None
    return made


def remove_voter(client, controller, seconds, say):
    """Take a controller out of the quorum, alive or dead, the leader included. Returns whether it was a voter.

    The arguments are those of `reconcile`. Stop a controller with controller.quorum.auto.join.enable first: it would
    join again. Raises QuorumError for the last voter; NotReadyError after `seconds`, if the others have no majority
    that is caught up.
    """
    changed = False

    def check(admin):
        nonlocal changed
        quorum = describe_quorum(admin)
        directory = next((each.directory for each in quorum.voters if each.id == controller), None)
        if directory is None and quorum.leader not in (None, controller):
            return changed
        if quorum.voter_ids == [controller]:
            raise QuorumError(removal_obstacles(quorum, controller)[0])
        if directory and (found := removal_obstacles(quorum, controller)):
            raise NotReadyError(found[0])
        if directory and _take(admin, step := Step(REMOVE, controller, directory, {})):
            changed = True
            say(str(step))
        raise NotReadyError(f"controller {controller} left, and no other leads the quorum yet")

    return wait(client, seconds, say, check)


def give_up_voter(client, controller, wanted, seconds, say, dry_run=False):  # noqa: PLR0913, PLR0917
    """Take a voter out of the quorum that is lost for good. Returns the changes: a list of one Step, [] for no voter.

    wanted: ids of the controllers that should be voters; dry_run: only look. Raises NotLostError for one of these, and
    for a voter that runs. The other arguments are those of `reconcile`, and the other errors those of `remove_voter`.
    """
    since = {}

    def check(admin):
        quorum = describe_quorum(admin)
        if found := loss_obstacles(quorum, controller, wanted):
            raise NotLostError(found[0])
        if not (
            steps := [Step(REMOVE, each.id, each.directory, {}) for each in quorum.voters if each.id == controller]
        ):
            say(f"controller {controller} is no voter, of those there are {quorum.voter_ids}")
            return []
        # A voter that runs fetches from a new leader in this time.
        if quorum.now < since.setdefault(quorum.epoch, quorum.now) + CAUGHT_UP_MS:
            raise NotReadyError(f"watching whether controller {controller} fetches")
        return steps

    steps = wait(client, seconds, say, check)
    if steps and not dry_run:
        remove_voter(client, controller, seconds, say)
    return steps


def unregister(client, broker, seconds, say):
    """Remove the registration of a broker that is stopped. Returns whether it was registered.

    Kafka accepts this for a running broker, too, which then runs without a registration. So wait until the controller
    has missed it (broker.session.timeout.ms). Raises NotReadyError after `seconds`; QuorumError for a refusal.
    """

    def check(admin):
        if broker in {each["broker_id"] for each in describe_cluster(admin)["brokers"]}:
            raise NotReadyError(f"broker {broker} runs, or has stopped this moment")
        return _ask(admin, UnregisterBrokerRequest(broker_id=broker), f"unregister broker {broker}")

    return wait(client, seconds, say, check)


def unregister_controller(client, controller, seconds, say):
    """Remove the registration of a controller that is no voter, and stopped. Returns whether the cluster has none now.

    A registration that stays keeps the versions of its features: Kafka then refuses to finalise later ones
    (KAFKA-20295). Before metadata.version 33 (4.4) a cluster cannot remove one. Errors: as of `unregister`.
    """

    def check(admin):
        try:
            answer = send(admin, UnregisterControllerRequest(controller_id=controller), seconds=_ANSWER + 1)
            error = for_code(answer.error_code)
        except IncompatibleBrokerVersion as known:
            error, answer = type(known), None
        if not answer or issubclass(error, _KEEPS):
            say(f"the registration of controller {controller} stays: the cluster removes none before version 4.4")
            return False
        if not answer.error_code or issubclass(error, _ALREADY):
            return True
        said = f"unregister controller {controller}: {error.__name__}: {answer.error_message or 'no reason given'}"
        raise NotReadyError(said) if error.retriable else QuorumError(said)

    return wait(client, seconds, say, check)


def _take(admin, step):
    """Carry out one Step. Returns whether the quorum changed."""
    if step.directory == NO_DIRECTORY:
        raise QuorumError(f"{step}: the quorum is static (kraft.version 0), and its voters are fixed")
    key = {"cluster_id": None, "voter_id": step.id, "voter_directory_id": directory_id(step.directory)}
    if step.action == ADD:
        listeners = [
            AddRaftVoterRequest.Listener(name=name, host=host, port=port)
            for name, (host, port) in step.endpoints.items()
        ]
        request = AddRaftVoterRequest(timeout_ms=_ANSWER * 1000, listeners=listeners, **key)
    else:
        request = RemoveRaftVoterRequest(**key)
    return _ask(admin, request, str(step))


def _ask(admin, request, what):
    """Return whether the cluster changed. Raises QuorumError for a refusal, NotReadyError where waiting can help."""
    try:
        answer = send(admin, request, seconds=_ANSWER + 1)
    except IncompatibleBrokerVersion as error:
        raise QuorumError(f"{what}: the broker does not know the request ({error})") from None
    if not answer.error_code:
        return True
    error = for_code(answer.error_code)
    if issubclass(error, _ALREADY):
        return False
    said = f"{what}: {error.__name__}: {answer.error_message or 'no reason given'}"
    raise NotReadyError(said) if error.retriable else QuorumError(said)


# Changes that concern one node, by the option that names it.
OF_ONE = {"remove": remove_voter, "unregister": unregister, "unregister_controller": unregister_controller}
