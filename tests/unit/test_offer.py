"""When a producer must be replaced. tests/faults proves the rest of workload/producer.py on a cluster."""

from types import SimpleNamespace

from kafka.producer.transaction_manager import ProducerIdAndEpoch, TransactionManager, TransactionState

from kafka_proof.client.workarounds import is_stranded
from kafka_proof.workload.audit import Evidence


def ready():
    """The state of an idempotent producer that sends."""
    state = TransactionManager(api_version=(3, 9))
    state.init_producer_id()
    state.set_producer_id_and_epoch(ProducerIdAndEpoch(7, 0))
    state._transition_to(TransactionState.READY)
    return SimpleNamespace(_transaction_manager=state)


def test_a_producer_that_sends_or_begins_is_not_stranded():
    assert not is_stranded(ready())
    beginner = SimpleNamespace(_transaction_manager=TransactionManager(api_version=(3, 9)))
    assert not is_stranded(beginner)
    beginner._transaction_manager.init_producer_id()
    assert not is_stranded(beginner)
    assert not is_stranded(SimpleNamespace(_transaction_manager=None))  # not idempotent


def test_a_producer_that_gave_up_what_it_had_sent_is_stranded():
    """As kafka-python 3.0.12 does it. If this fails after an upgrade, it asks for a new id: remove `is_stranded`."""
    producer = ready()

    producer._transaction_manager.reset_producer_id()
    producer._transaction_manager.init_producer_id()  # what its thread does before it sends

    assert is_stranded(producer)


def test_troubles_are_counted():
    evidence = Evidence()
    for what in (KeyError("a"), KeyError("b"), "stranded"):
        evidence.trouble("producer", what)

    assert evidence.troubles == {"producer: KeyError": 2, "producer: stranded": 1}
