"""Which test must turn red under which mutation, and why. The docstring of each mutation says what it breaks."""

from dataclasses import dataclass

# Stays green under most mutations, so that a red test says something about its own property alone.
CONTROL = "test_every_advertised_address_leads_to_its_broker"


@dataclass(frozen=True)
class Mutation:
    """`name`: a function in client_mutations.py or broken_brokers.py.

    `red`: the tests of smoke/ that must fail, all their parameters unless one is named as in "test_x[gzip]", and
    `because`: regular expression, found in what each says. `green`: one that must pass meanwhile; all when it is "".
    `unusable`: instead, asked for the test `green`, it says with exit status 2 why nothing can be tested (likewise).
    `sample`: whether CI runs it.
    """

    name: str
    red: tuple = ()
    because: str = ""
    green: str = CONTROL
    unusable: str = ""
    sample: bool = False


CLIENTS = [
    # Where messages go
    Mutation("key_ignored", ("test_same_key_goes_to_the_same_partition",), "assert 2 == 1"),
    Mutation(
        "one_partition_for_all_keys", ("test_same_key_goes_to_the_same_partition",), r"20 keys share partition \{0\}"
    ),
    Mutation("explicit_partition_ignored", ("test_json_key_and_value_come_back_in_order",), "At index 1 diff: 0 != 1"),
    Mutation("unknown_partition_accepted", ("test_unknown_partition_is_refused",), "DID NOT RAISE"),
    # The fate of messages
    Mutation(
        "message_acknowledged_and_lost",
        ("test_order_within_a_partition", "test_idempotent_producer_writes_each_message_once"),
        r"… \(33\d\)|2, 2, 3",
    ),
    Mutation(
        "message_not_delivered",
        ("test_order_within_a_partition", "test_two_groups_each_get_everything"),
        r"0, 2, 3, 4|!= {'A': {0: \['a0', 'a1', 'a2'\], 1: \['b0', 'b1', 'b2'\]}}",
    ),
    Mutation(
        "messages_written_twice",
        ("test_order_within_a_partition", "test_idempotent_producer_writes_each_message_once"),
        r"0, 0, 1, 1|\[1, 3, 5",
    ),
    Mutation(
        "messages_delivered_twice",
        ("test_order_within_a_partition", "test_one_group_shares_the_partitions_and_each_message_reaches_one_member"),
        r"… \(50[1-9]\)|'(\w\d)', '\1'",
    ),
    Mutation("messages_reordered", ("test_order_within_a_partition",), "1, 0, 2, 3", sample=True),
    Mutation(
        "acknowledgements_lost_without_idempotence",
        ("test_idempotent_producer_writes_each_message_once",),
        r"== \[0, 1, 2",
    ),
    Mutation("key_dropped", ("test_json_key_and_value_come_back_in_order",), r"0, None, '0'\) != \(1, 0, 'count_num'"),
    Mutation("headers_dropped", ("test_headers_and_timestamps_come_back",), "trace"),
    Mutation("headers_as_a_dictionary", ("test_headers_and_timestamps_come_back",), r"\('trace', b'again'\) !="),
    Mutation(
        "timestamps_dropped",
        ("test_headers_and_timestamps_come_back", "test_offsets_for_times"),
        r"== \(\d+ - 1000\)|10: 0, 15: 1",
    ),
    Mutation("compression_ignored", ("test_compressed_messages_come_back",), "batches 100% of their size"),
    Mutation("size_limit_ignored", ("test_too_large_a_message_is_refused",), "DID NOT RAISE"),
    Mutation("topic_made_without_its_settings", ("test_too_large_a_message_is_refused",), "DID NOT RAISE"),
    # Transactions
    Mutation("abort_commits", ("test_transactions_are_seen_whole_or_not_at_all",), "'aabort' != 'bcommit'"),
    Mutation("commit_aborts", ("test_transactions_are_seen_whole_or_not_at_all",), r"\[\] == \['acommit', 'bcommit'\]"),
    Mutation("isolation_ignored", ("test_transactions_are_seen_whole_or_not_at_all",), r"\['acommit'\] == \[\]"),
    # Where a consumer begins, and where it goes
    Mutation("earliest_is_latest", ("test_earliest_begins_with_the_first_message",), r"\{1\} == \{0\}"),
    Mutation("latest_is_earliest", ("test_latest_begins_after_the_last_message",), "it begins at .*=0.: 0"),
    Mutation("none_is_earliest", ("test_none_refuses_to_begin",), "DID NOT RAISE"),
    Mutation("seek_ignored", ("test_seek_pause_and_resume",), r"\{0: \[0, 1, 2, 3, 4, 5\]\} == \{0: \[3, 4, 5\]\}"),
    Mutation("pause_ignored", ("test_seek_pause_and_resume",), r"more item:\s+\{1: \[0, 1, 2, 3, 4\]\}"),
    Mutation("resume_ignored", ("test_seek_pause_and_resume",), "waited 10 s for every member to reach the end"),
    Mutation("time_ignored", ("test_offsets_for_times",), "== {10: 0, 15: 1|{10: 0, 15: 0"),
    Mutation("offsets_for_times_off_by_one", ("test_offsets_for_times",), "{10: 1, 15: 2"),
    # Commits
    Mutation(
        "automatic_commit_on",
        ("test_manual_commit_is_the_only_commit", "test_what_was_not_committed_is_delivered_to_the_next_member"),
        "and yet closing committed|B should get what A did not commit",
        sample=True,
    ),
    Mutation(
        "automatic_commit_off",
        ("test_auto_commit_commits_after_its_interval_and_not_before",),
        "waited 10 s for the automatic commit",
    ),
    Mutation(
        "automatic_commit_at_once",
        ("test_auto_commit_commits_after_its_interval_and_not_before",),
        r"== \{0: None, 1: None\}",
    ),
    Mutation("last_read_is_committed", ("test_manual_commit_is_the_only_commit",), r"\{0: 2, 1: 2\} == \{0: 3, 1: 3\}"),
    Mutation(
        "commit_swallowed",
        ("test_manual_commit_is_the_only_commit", "test_explicit_offsets_are_committed_as_given"),
        r"assert \{0: None, 1: None\} == ",
    ),
    Mutation(
        "explicit_offsets_ignored",
        ("test_explicit_offsets_are_committed_as_given",),
        r"\{0: 3, 1: 3\} == \{0: 1, 1: 2\}",
    ),
    Mutation(
        "explicit_offsets_off_by_one",
        ("test_explicit_offsets_are_committed_as_given",),
        r"\{0: 2, 1: 3\} == \{0: 1, 1: 2\}",
    ),
    Mutation(
        "asynchronous_commit_pretended",
        ("test_asynchronous_commit_is_confirmed",),
        r"\{0: None, 1: None\} == \{0: 3, 1: 3\}",
    ),
    Mutation(
        "asynchronous_commit_unconfirmed",
        ("test_asynchronous_commit_is_confirmed",),
        "waited 10 s for the commit to be confirmed",
    ),
    Mutation(
        "commits_forgotten",
        ("test_member_that_leaves_hands_over", "test_what_was_not_committed_is_delivered_to_the_next_member"),
        "B should get what",
    ),
    Mutation(
        "commits_of_another_group",
        ("test_auto_commit_commits_after_its_interval_and_not_before",),
        "waited 10 s for the automatic commit",
    ),
    # Lag
    Mutation(
        "lag_as_in_the_article",
        ("test_lag_of_a_group_that_cannot_go_on_as_it_was",),
        r"\(4, 1, 6, 5\), \(0, 9, 6, -3\)",
        sample=True,
    ),
    Mutation(
        "lag_without_commit_is_nothing",
        ("test_lag_is_what_is_left_at_every_step",),
        "nothing was committed, so all is left",
    ),
    # Groups
    Mutation(
        "every_member_a_group_of_its_own",
        (
            "test_one_group_shares_the_partitions_and_each_message_reaches_one_member",
            "test_group_is_listed_and_described",
        ),
        "waited 10 s for one owner for each of partitions",
    ),
    Mutation("two_groups_are_one", ("test_two_groups_each_get_everything",), "waited 10 s for one owner"),
    Mutation(
        "every_member_owns_everything",
        (
            "test_one_group_shares_the_partitions_and_each_message_reaches_one_member",
            "test_more_members_than_partitions_leave_one_idle",
        ),
        "waited 10 s for one owner",
    ),
    Mutation(
        "every_member_gets_everything",
        (
            "test_one_group_shares_the_partitions_and_each_message_reaches_one_member",
            "test_more_members_than_partitions_leave_one_idle",
        ),
        "who received what",
        sample=True,
    ),
    Mutation("member_leaves_without_a_word", ("test_member_that_leaves_hands_over",), "waited 10 s for one owner"),
    Mutation("group_never_stable", ("test_group_is_listed_and_described",), "listed as stable; last seen: 'Empty'"),
    Mutation("assignments_not_described", ("test_group_is_listed_and_described",), r"\[\[\], \[\]\] == "),
    # The cluster
    Mutation("topic_settings_swallowed", ("test_topic_is_described_as_it_was_made",), "to be 3600000; last seen: None"),
    Mutation(
        "asking_makes_topics", ("test_unknown_topic_is_said_to_be_unknown",), "LeaderNotAvailable|to ask for it made it"
    ),
    Mutation("clock_in_the_past", ("test_clocks_agree",), "clock is 3600 s behind"),
    Mutation("connecting_never_fails", ("test_unreachable_broker_is_said_to_be_unreachable",), "did not match"),
    Mutation(
        "connecting_never_ends", green="test_unreachable_broker_is_said_to_be_unreachable", unusable="--deadline: the "
    ),
    # Right
    Mutation("acknowledgements_lost", green="test_idempotent_producer_writes_each_message_once"),
]

DEPLOYMENTS = [
    Mutation("one_partition", ("test_deployed_topic_has_its_partitions",), "has 1 partitions, and 2", sample=True),
    Mutation("no_volume", ("test_deployed_topic_has_its_partitions",), "kafka_demo is missing"),
    Mutation(
        "leader_lost",
        (
            "test_deployed_topic_has_its_partitions",
            "test_every_partition_has_a_leader_and_all_its_replicas_in_sync",
        ),
        "leader",
    ),
    Mutation(
        "replica_lost",
        ("test_every_partition_has_a_leader_and_all_its_replicas_in_sync",),
        r"not in sync: brokers \[2\]",
    ),
    Mutation(
        "another_broker_advertised",
        ("test_every_advertised_address_leads_to_its_broker",),
        "localhost:29495",
        green="test_unreachable_broker_is_said_to_be_unreachable",
    ),
    Mutation(
        "one_wrong_address",
        ("test_every_advertised_address_leads_to_its_broker",),
        "localhost:1: Connection refused",
        green="test_unreachable_broker_is_said_to_be_unreachable",
    ),
    Mutation("wrong_address", unusable="answers but advertises what does not: localhost:1: Connection refused"),
    Mutation(
        "no_offsets_topic",
        green="test_manual_commit_is_the_only_commit",
        unusable="The cluster does not let a run begin",
    ),
    Mutation(
        "no_transaction_log",
        ("test_transactions_are_seen_whole_or_not_at_all",),
        "Timeout expired while initializing transactional state",
    ),
    Mutation(
        "groups_of_one",
        ("test_one_group_shares_the_partitions_and_each_message_reaches_one_member",),
        "GroupMaxSizeReachedError",
    ),
    Mutation("groups_of_two", ("test_more_members_than_partitions_leave_one_idle",), "GroupMaxSizeReachedError"),
    Mutation("long_sessions", ("test_member_that_dies_is_replaced",), "InvalidSessionTimeout"),
    Mutation("small_messages", ("test_order_within_a_partition",), "MessageSizeTooLargeError"),
    Mutation(
        "no_native_codecs",
        ("test_compressed_messages_come_back[snappy]", "test_compressed_messages_come_back[zstd]"),
        "UnknownError",
        green="test_compressed_messages_come_back[gzip]",
    ),
    Mutation("short_retention", ("test_order_within_a_partition",), r"assert {.*} == {0: \[0, 1, 2"),
    Mutation("frozen_broker", unusable="no Kafka answered within 5 s"),
    Mutation(
        "frozen_zookeeper",
        green="test_topic_is_described_as_it_was_made",
        unusable="The cluster does not let a run begin",
    ),
    # Right
    Mutation("too_many_replicas_needed", green="test_order_within_a_partition"),
    Mutation("stamped_by_the_broker", green=""),
    Mutation("as_kafka_has_it", green=""),
]
