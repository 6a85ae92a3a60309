#!/bin/sh
# Make base.tar in the current directory: Debian with bash and a Java runtime, and little else. Run as root.
# shellcheck disable=SC1091,SC2016  # os-release is the host's; in the hooks, $1 is the new system's root
set -eu

release=bookworm # of Debian; it has Java 17, which this version of Kafka asks for
java=openjdk-17-jre-headless

# A host of the same release has its mirrors configured, so they are used; on another one mmdebstrap knows Debian's own.
set --
if [ "$(. /etc/os-release && echo "${ID-} ${VERSION_CODENAME-}")" = "debian $release" ]; then
    for sources in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        # Only Debian's own: what else the host has configured is not needed here.
        if [ -f "$sources" ] && grep -Eqw "$release(-updates|-security)?" "$sources" && grep -qw main "$sources"; then
            set -- "$@" "$sources"
        fi
    done
fi

# In a mount namespace of its own: what mmdebstrap mounts is gone with it, also when it is killed, and is out of the reach of `rm`.
exec unshare --mount mmdebstrap --variant=essential --include="$java" \
    --setup-hook='cd "$1" && mkdir -p usr/bin usr/sbin usr/lib usr/lib64 && ln -s usr/bin usr/sbin usr/lib usr/lib64 .' \
    --setup-hook='printf "%s\n" "Package: usrmerge" "Pin: release *" "Pin-Priority: -1" >"$1/etc/apt/preferences.d/no-perl"' \
    --setup-hook='mkdir -p "$1/usr/share/man/man1"' \
    --dpkgopt=path-exclude='/usr/share/man/*' \
    --dpkgopt=path-exclude='/usr/share/info/*' \
    --dpkgopt=path-exclude='/usr/share/locale/*' \
    --dpkgopt=path-exclude='/usr/share/doc/*' \
    --dpkgopt=path-include='/usr/share/doc/*/copyright' \
    --dpkgopt=path-exclude='/usr/lib/*/gconv/*' \
    --dpkgopt=path-exclude='/usr/lib/jvm/*/lib/ct.sym' \
    --dpkgopt=path-exclude='/usr/lib/jvm/*/lib/server/classes_nocoops.jsa' \
    --customize-hook='rm -rf "$1"/etc/apt/sources.list* "$1"/var/cache/debconf/*-old "$1"/var/log/*.log "$1"/var/log/apt' \
    "$release" base.tar "$@"
