#!/bin/sh
# Fetch Kafka's jars by Maven into libs/ of the current directory, with their names in jars.list, and check every one of them.
# Their licences go into licenses/.
#
#     jars.sh VERSION           fail unless they are exactly those that VERSION.sha256, beside this script, lists
#     jars.sh VERSION --trust   write VERSION.sha256 from the jars that came, to add a version of Kafka
#
# Maven's own settings apply: mirrors, proxies, and the local repository, which keeps the jars.
set -eu

version=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
list=$here/$version.sha256

die() {
    echo "jars.sh: $*" >&2
    exit 1
}

[ -f "$list" ] || [ "${2-}" = --trust ] ||
    die "no checksums for Kafka $version. To add it, run in an empty directory: roles/kafka_image/files/jars.sh $version --trust"
rm -rf libs licenses
maven() {
    mvn --batch-mode --quiet -Dstyle.color=never --file "$here/pom.xml" -Dkafka.version="$version" -P "kafka-${version%%.*}" \
        -DincludeScope=runtime "$@"
}
maven dependency:copy-dependencies dependency:list -DoutputDirectory="$PWD/libs" -DoutputFile="$PWD/jars.list"
cd libs

if [ "${2-}" = --trust ]; then
    sha256sum -- *.jar >"$list"
    exit
fi
sha256sum --check --strict --quiet "$list" >&2 ||
    die "the jars that Maven brought for Kafka $version differ from ${list##*/} (see above)." \
        "Remove a damaged jar from Maven's local repository (~/.m2/repository), and run this again."
for jar in *.jar; do
    cut -c67- "$list" | grep -qxF "$jar" || die "Maven brought $jar, which ${list##*/} does not list."
done
cd ..
maven dependency:unpack-dependencies -DoutputDirectory="$PWD/licenses" -Dmdep.useSubDirectoryPerArtifact=true \
    -DmarkersDirectory="$PWD/unpacked" -Dmdep.unpack.includes='LICENSE*,NOTICE*,META-INF/LICENSE*,META-INF/NOTICE*'
find licenses -type d -empty -delete # of jars without such files
