#!/bin/bash
# Every command in /opt/kafka/bin is a link to this script, and this table says what each one runs. Three kinds:
#   server   stays: logs to stdout, has the documented heap of Kafka's own scripts, opens JMX if JMX_PORT is set
#   tool     is quick: small, starts fast, logs only warnings, to stderr
#   load     is a tool that works hard for a while: as a tool, with the JVM's whole compiler
# Some classes moved, and some commands came or went: of the classes in a line, the first that the jars have is run.
commands='
kafka-server-start.sh             server  kafka.Kafka
zookeeper-server-start.sh         server  org.apache.zookeeper.server.quorum.QuorumPeerMain
kafka-acls.sh                     tool    org.apache.kafka.tools.AclCommand kafka.admin.AclCommand
kafka-broker-api-versions.sh      tool    org.apache.kafka.tools.BrokerApiVersionsCommand kafka.admin.BrokerApiVersionsCommand
kafka-client-metrics.sh           tool    org.apache.kafka.tools.ClientMetricsCommand
kafka-cluster.sh                  tool    org.apache.kafka.tools.ClusterTool
kafka-configs.sh                  tool    org.apache.kafka.tools.ConfigCommand kafka.admin.ConfigCommand
kafka-console-consumer.sh         tool    org.apache.kafka.tools.consumer.ConsoleConsumer
kafka-console-producer.sh         tool    org.apache.kafka.tools.ConsoleProducer kafka.tools.ConsoleProducer
kafka-console-share-consumer.sh   tool    org.apache.kafka.tools.consumer.ConsoleShareConsumer
kafka-consumer-groups.sh          tool    org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
kafka-delegation-tokens.sh        tool    org.apache.kafka.tools.DelegationTokenCommand
kafka-delete-records.sh           tool    org.apache.kafka.tools.DeleteRecordsCommand
kafka-dump-log.sh                 tool    org.apache.kafka.tools.DumpLogSegments kafka.tools.DumpLogSegments
kafka-features.sh                 tool    org.apache.kafka.tools.FeatureCommand
kafka-get-offsets.sh              tool    org.apache.kafka.tools.GetOffsetShell
kafka-groups.sh                   tool    org.apache.kafka.tools.GroupsCommand
kafka-leader-election.sh          tool    org.apache.kafka.tools.LeaderElectionCommand
kafka-log-dirs.sh                 tool    org.apache.kafka.tools.LogDirsCommand
kafka-metadata-quorum.sh          tool    org.apache.kafka.tools.MetadataQuorumCommand
kafka-reassign-partitions.sh      tool    org.apache.kafka.tools.reassign.ReassignPartitionsCommand
kafka-share-groups.sh             tool    org.apache.kafka.tools.consumer.group.ShareGroupCommand
kafka-storage.sh                  tool    kafka.tools.StorageTool
kafka-streams-groups.sh           tool    org.apache.kafka.tools.streams.StreamsGroupCommand
kafka-topics.sh                   tool    org.apache.kafka.tools.TopicCommand
kafka-transactions.sh             tool    org.apache.kafka.tools.TransactionsCommand
zookeeper-shell.sh                tool    org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka
kafka-consumer-perf-test.sh       load    org.apache.kafka.tools.ConsumerPerformance
kafka-producer-perf-test.sh       load    org.apache.kafka.tools.ProducerPerformance
kafka-share-consumer-perf-test.sh load    org.apache.kafka.tools.ShareConsumerPerformance
kafka-run-class.sh                tool    org.apache.kafka.common.utils.Utils
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

# The image's build asks for the links, and for the table of the commands that these jars have. A jar names its files in plain text.
if [ "${1-}" = --link ]; then
    while read -r name kind classes; do
        for class in $classes; do
            grep -qF "${class//.//}.class" "$home"/libs/*.jar || continue
            echo "$name $kind $class"
            ln -sf "$me" "$home/bin/$name"
            break
        done
    done <<<"$commands" >"$home/bin/commands"
    exit
fi

while read -r name kind class; do
    [ "$name" != "$me" ] || break
done <"$home/bin/commands"
[ "$name" = "$me" ] || die "no such command. There are: $(cd "$home/bin" && echo *-*.sh)"
if [ "$me" = kafka-run-class.sh ]; then
    class=${1-}
    [ -n "$class" ] || die "which class? $me org.apache.kafka.tools.JmxTool --help"
    shift
fi

# As Kafka's own script: zookeeper-shell.sh localhost:2181 ls /
[ "$me" != zookeeper-shell.sh ] || [[ "${1--}" == -* ]] || set -- -server "$@"

jvm=-XX:+UseSerialGC
log4j=tools-log4j
jmx=
case $kind in
    server)
        [ "${1-}" != -daemon ] || die "-daemon is not needed here: the container runs in the background (docker run -d)"
        heap="-Xms1G -Xmx1G"
        [ "$me" = kafka-server-start.sh ] || heap="-Xms512M -Xmx512M"
        [ $# -gt 0 ] || die "with which configuration? $me FILE.properties"
        jvm="-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent"
        log4j=log4j
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

# Kafka 4 has Log4j 2 and Java 25, whose archive is an AOT cache. An archive that does not fit (one more jar, another heap) is
# not used. That is nothing to speak of, least of all on stdout.
case ${jars[*]} in
    */log4j-core-*)
        log4j=-Dlog4j2.configurationFile=file:$home/config/${log4j}2.properties
        archive=-XX:AOTCache=$home/kafka.aot
        quiet="-Xlog:cds=off -Xlog:aot=off --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"
        ;;
    *)
        log4j=-Dlog4j.configuration=file:$home/config/$log4j.properties
        archive=-XX:SharedArchiveFile=$home/kafka.jsa
        quiet="-Xshare:auto -Xlog:cds=off"
        ;;
esac
[ "${KAFKA_CDS-}" != off ] && [ -f "${archive#*=}" ] || archive=
[ -z "${JAVA_HOME-}" ] || quiet='' archive='' # these are for the image's own Java, and another may not know them

# Unquoted: each holds several options. Set but empty means none; what comes last wins.
# shellcheck disable=SC2086
exec "$java" $quiet $archive ${KAFKA_HEAP_OPTS-$heap} ${KAFKA_JVM_PERFORMANCE_OPTS-$jvm} -Djava.awt.headless=true \
    ${KAFKA_GC_LOG_OPTS-} $jmx -Dkafka.logs.dir="${LOG_DIR:-$home/logs}" ${KAFKA_LOG4J_OPTS-$log4j} ${KAFKA_OPTS-} \
    -classpath "$classpath" "$class" "$@"
