#!/bin/sh
# Make base.tar in the current directory: Debian with bash and a Java runtime, and little else. Run as root.
#
#     base.sh VERSION           of Kafka
#
# shellcheck disable=SC2016,SC2046  # $1 in the hooks is the new system's root; one line of `apt-get indextargets` is one argument
set -eu

case ${1:?which version of Kafka?} in
    3.*) release=bookworm java=openjdk-17-jre-headless ;; # the newest Java that this line supports
    *) release=trixie java=openjdk-25-jre-headless ;;
esac

# Debian's own archives at the mirrors that this host uses. A mirror has all releases, and the host another one perhaps: its
# name is replaced. Other archives can claim the same origin, but only Debian's key opens these. Without any, as on Ubuntu,
# mmdebstrap uses Debian's own servers.
line='deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(CODENAME) main'
IFS='
'
set -f -- $(apt-get indextargets --format "$line" 'Origin: Debian' 'Component: main' 'Created-By: Packages' |
    sed -nE "s/ [a-z]+(-updates|-security)? main\$/ $release\1 main/p" | sort -u)

# A separate mount namespace ends with mmdebstrap, also when a signal kills it. The mounts end with it, and `rm` cannot reach them.
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
    --dpkgopt=path-exclude='/usr/lib/jvm/*/lib/server/classes_*.jsa' \
    --customize-hook='rm -rf "$1"/etc/apt/sources.list* "$1"/var/cache/debconf/*-old "$1"/var/log/*.log "$1"/var/log/apt' \
    "$release" base.tar "$@"
