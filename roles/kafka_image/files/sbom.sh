#!/bin/bash
# Write sbom.cdx.json in the current directory: the packages in base.tar and the jars in libs/, as a CycloneDX 1.5 document.
# jars.list is Maven's list of the jars; jars.sh writes it.
#
#     sbom.sh VERSION
set -euo pipefail

{
    printf '{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,\n'
    printf ' "metadata": {"component": {"type": "container", "name": "kafka-proof", "version": "%s"}},\n' "$1"
    printf ' "components": [\n'
    {
        tar -xOf base.tar ./var/lib/dpkg/status | awk -F ': ' '
            $1 == "Package" { package = $2 }
            $1 == "Version" { version = $2 }
            $1 == "Architecture" { architecture = $2 }
            # A colon and a plus in a version are escaped in a purl.
            /^$/ && package {
                escaped = version
                gsub(/:/, "%3A", escaped)
                gsub(/\+/, "%2B", escaped)
                printf "  {\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\", ", package, version
                printf "\"purl\": \"pkg:deb/debian/%s@%s?arch=%s\"}\n", package, escaped, architecture
                package = ""
            }'
        # "   org.slf4j:slf4j-api:jar:1.7.36:compile"; with a classifier before the version: …:jar:linux-x86_64:4.1.138.Final:…
        sed -n 's/^ *\([^: ]*:[^: ]*:jar:[^ ]*\).*/\1/p' jars.list | sort -u | while IFS=: read -r group name _ one two three; do
            classifier='' version=$one
            [ -z "$three" ] || { classifier=$one version=$two; }
            file=libs/$name-$version${classifier:+-$classifier}.jar
            [ -f "$file" ] || file=libs/$name-$version.jar
            hash=$(sha256sum "$file")
            hash=${hash%% *}
            printf '  {"type": "library", "group": "%s", "name": "%s", "version": "%s", ' "$group" "$name" "$version"
            printf '"hashes": [{"alg": "SHA-256", "content": "%s"}], ' "$hash"
            printf '"purl": "pkg:maven/%s/%s@%s?type=jar%s"}\n' "$group" "$name" "$version" "${classifier:+&classifier=$classifier}"
        done
    } | sed '$!s/$/,/'
    printf ' ]}\n'
} >sbom.cdx.json
