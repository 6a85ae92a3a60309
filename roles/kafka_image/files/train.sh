#!/bin/bash
# Step of the image's build: start what the image has, by its own commands, and archive the classes that were loaded, ready to
# use. The broker and the commands share one archive: it is half the size of one for each, and starts them as fast to within
# 0.1 s. The build fails, with the end of the logs, if anything does.
#
#     train.sh VERSION          of Kafka
#
# Kafka 3: an archive of classes (AppCDS) from the lists of all programs, in /opt/kafka/kafka.jsa. Kafka 4: an AOT cache of the
# broker, in /opt/kafka/kafka.aot. Java makes it of one program; it serves the commands as well, and every collector and heap.
set -euo pipefail

version=$1
deadline=180 # seconds, for each program that is run here; together they take 15
work=$(mktemp -d)
trap 'rm -rf "$work" /tmp/hsperfdata_*' EXIT
cd "$work"
export KAFKA_CDS=off KAFKA_HEAP_OPTS=-Xmx256M

fail() {
    for log in zookeeper.log commands.log kafka.log dump.log proof.log; do
        [ ! -s "$log" ] || { echo "--- $log" && tail -n 15 "$log"; }
    done
    echo "train.sh: $*"
    exit 1
}

# Run a command and note its classes; each gets a list of its own.
note() {
    local options
    case $version:$1 in
        3.*) options=-XX:DumpLoadedClassList=$(mktemp "$work/XXXXXX.classes") ;;
        *:kafka-server-start.sh) options=-XX:AOTCacheOutput=/opt/kafka/kafka.aot ;;
    esac
    KAFKA_OPTS=${options-} exec timeout "$deadline" "$@"
}

client() {
    (note "$1" --bootstrap-server localhost:9092 "${@:2}")
}

serve() {
    (note "$@") >>"${1%%-*}.log" 2>&1 &
    servers+=($!)
}

# Run a function beside the servers, then stop them with SIGTERM, the last one first, as the engine would.
beside_servers() {
    local program status=0 i
    "$1" >>commands.log 2>&1 &
    program=$!
    wait -n -p first "$program" "${servers[@]}" || status=$?
    [ "$first" = "$program" ] || fail "a server ended by itself (status $status)"
    [ "$status" = 0 ] || fail "a command failed (status $status)"
    for ((i = ${#servers[@]} - 1; i >= 0; i--)); do
        kill "${servers[i]}"
        wait "${servers[i]}" || status=$?
        [ "$status" = 0 ] || [ "$status" = 143 ] || fail "a server did not stop (status $status)"
    done
    servers=()
}

# The first command waits until the broker is there: clients retry.
create_topic() {
    client kafka-topics.sh --create --topic training
}

use_topic() {
    set -e
    create_topic
    client kafka-topics.sh --describe
    echo message | client kafka-console-producer.sh --topic training
    client kafka-console-consumer.sh --topic training --group training --from-beginning --max-messages 1
    client kafka-consumer-groups.sh --describe --group training
}

cat >common.properties <<'END'
listeners=PLAINTEXT://localhost:9092
log.dirs=data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
END

broker_with_zookeeper() {
    printf '%s\n' dataDir=zookeeper clientPort=2181 admin.enableServer=false >zookeeper.properties
    cat common.properties - >kafka.properties <<'END'
broker.id=1
zookeeper.connect=localhost:2181
END
    serve zookeeper-server-start.sh zookeeper.properties
    serve kafka-server-start.sh kafka.properties
    beside_servers use_topic
    rm -rf data
}

broker_as_controller() {
    cat common.properties - >kafka.properties <<'END'
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
END
    (note kafka-storage.sh format --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config kafka.properties) >>commands.log 2>&1 ||
        fail "kafka-storage.sh could not format"
    serve kafka-server-start.sh kafka.properties
    beside_servers use_topic
}

archive_listed_classes() {
    sort -u ./*.classes >all
    # The collector matters here only: the heap objects in the archive are written with G1, and read with any other.
    KAFKA_OPTS="-XX:+UseG1GC -Xshare:dump -XX:SharedClassListFile=all -XX:SharedArchiveFile=/opt/kafka/kafka.jsa" \
        KAFKA_JVM_PERFORMANCE_OPTS='' timeout "$deadline" kafka-run-class.sh none >dump.log 2>&1 || fail "no archive was made"
}

case $version in
    3.*)
        broker_with_zookeeper
        broker_as_controller
        archive_listed_classes
        strict=-Xshare:on
        ;;
    *)
        # Without the JVM's second compiler: what that one notes in the cache makes a start slower, in production as well, by
        # 0.7 s of processor time.
        KAFKA_JVM_PERFORMANCE_OPTS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1" broker_as_controller
        strict=-XX:AOTMode=on
        ;;
esac
# Refuses to start where the archive does not fit.
KAFKA_CDS=on KAFKA_OPTS=$strict timeout "$deadline" kafka-topics.sh --version >proof.log 2>&1 || fail "the archive does not fit"
ls -l /opt/kafka/kafka.[ja]*
