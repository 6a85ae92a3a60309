#!/bin/bash
# Every command in /opt/kafka/bin is a link to this script, and this table says what each one runs. Three kinds:
#   server   stays: logs to stdout, has the documented heap of Kafka's own scripts, opens JMX if JMX_PORT is set
#   tool     is quick: small, starts fast, logs only warnings, to stderr
#   load     is a tool that works hard for a while: as a tool, with the JVM's whole compiler
commands='
kafka-server-start.sh           server  kafka.Kafka
zookeeper-server-start.sh       server  org.apache.zookeeper.server.quorum.QuorumPeerMain
kafka-acls.sh                   tool    kafka.admin.AclCommand
kafka-broker-api-versions.sh    tool    kafka.admin.BrokerApiVersionsCommand
kafka-cluster.sh                tool    org.apache.kafka.tools.ClusterTool
kafka-configs.sh                tool    kafka.admin.ConfigCommand
kafka-console-consumer.sh       tool    org.apache.kafka.tools.consumer.ConsoleConsumer
kafka-console-producer.sh       tool    kafka.tools.ConsoleProducer
kafka-consumer-groups.sh        tool    org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
kafka-delete-records.sh         tool    org.apache.kafka.tools.DeleteRecordsCommand
kafka-dump-log.sh               tool    kafka.tools.DumpLogSegments
kafka-features.sh               tool    org.apache.kafka.tools.FeatureCommand
kafka-get-offsets.sh            tool    org.apache.kafka.tools.GetOffsetShell
kafka-leader-election.sh        tool    org.apache.kafka.tools.LeaderElectionCommand
kafka-log-dirs.sh               tool    org.apache.kafka.tools.LogDirsCommand
kafka-metadata-quorum.sh        tool    org.apache.kafka.tools.MetadataQuorumCommand
kafka-reassign-partitions.sh    tool    org.apache.kafka.tools.reassign.ReassignPartitionsCommand
kafka-storage.sh                tool    kafka.tools.StorageTool
kafka-topics.sh                 tool    org.apache.kafka.tools.TopicCommand
kafka-transactions.sh           tool    org.apache.kafka.tools.TransactionsCommand
zookeeper-shell.sh              tool    org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka
kafka-consumer-perf-test.sh     load    org.apache.kafka.tools.ConsumerPerformance
kafka-producer-perf-test.sh     load    org.apache.kafka.tools.ProducerPerformance
kafka-run-class.sh              tool    (its first argument)
'
# Variables, as in Kafka's own scripts: KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_OPTS, KAFKA_LOG4J_OPTS,
# KAFKA_GC_LOG_OPTS, KAFKA_JMX_OPTS, JMX_PORT, CLASSPATH, JAVA_HOME. One is this image's: KAFKA_CDS=off starts without the
# archive of loaded classes, to see what the archive saves.
set -euo pipefail
shopt -s nullglob
LC_ALL=C # the order of the jars is part of the archive

home=/opt/kafka
me=${0##*/}

die() {
    echo "$me: $*" >&2
    exit 1
}

# The image's build asks for the links.
if [ "${1-}" = --link ]; then
    while read -r name _; do
        [ -z "$name" ] || ln -sf "$me" "$home/bin/$name"
    done <<<"$commands"
    exit
fi

while read -r name kind class; do
    [ "$name" != "$me" ] || break
done <<<"$commands"
[ "$name" = "$me" ] || die "no such command. There are: $(cd "$home/bin" && echo *-*.sh)"
if [ "$me" = kafka-run-class.sh ]; then
    class=${1-}
    [ -n "$class" ] || die "which class? $me org.apache.kafka.tools.JmxTool --help"
    shift
fi

jvm=-XX:+UseSerialGC
log4j=tools-log4j.properties
jmx=
case $kind in
    server)
        [ "${1-}" != -daemon ] || die "-daemon is not needed here: the container runs in the background (docker run -d)"
                heap="-Xms1G -Xmx1G"
        [ "$me" = kafka-server-start.sh ] || heap="-Xms512M -Xmx512M"
        [ $# -gt 0 ] || die "with which configuration? $me FILE.properties"
        jvm="-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent"
        log4j=log4j.properties
        jmx=${KAFKA_JMX_OPTS-}
        if [ -n "${JMX_PORT-}" ]; then
            [ -n "$jmx" ] || jmx="-Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false"
            jmx+=" -Dcom.sun.management.jmxremote -Dcom.sun.management.jmxremote.port=$JMX_PORT"
        fi
        ;;
    tool)
        heap=-Xmx256M
        jvm+=" -XX:TieredStopAtLevel=1"
        ;;
    load) heap=-Xmx512M ;;
esac

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
command -v "$java" >/dev/null || die "no Java: $java is not there${JAVA_HOME:+ (JAVA_HOME=$JAVA_HOME)}"
jars=("$home"/libs/*.jar)
[ ${#jars[@]} -gt 0 ] || die "no jars in $home/libs"
printf -v classpath '%s:' "${jars[@]}"
classpath=${classpath%:}${CLASSPATH:+:$CLASSPATH}

# An archive that does not fit (another JVM, one more jar) is not used. That is nothing to speak of, least of all on stdout.
cds="-Xshare:auto -Xlog:cds=off"
[ "${KAFKA_CDS-}" = off ] || [ ! -f "$home/kafka.jsa" ] || cds+=" -XX:SharedArchiveFile=$home/kafka.jsa"

# Unquoted: each holds several options. Set but empty means none; what comes last wins.
# shellcheck disable=SC2086
exec "$java" $cds ${KAFKA_HEAP_OPTS-$heap} ${KAFKA_JVM_PERFORMANCE_OPTS-$jvm} -Djava.awt.headless=true \
    ${KAFKA_GC_LOG_OPTS-} $jmx -Dkafka.logs.dir="${LOG_DIR:-$home/logs}" \
    ${KAFKA_LOG4J_OPTS--Dlog4j.configuration=file:$home/config/$log4j} ${KAFKA_OPTS-} \
    -classpath "$classpath" "$class" "$@"
