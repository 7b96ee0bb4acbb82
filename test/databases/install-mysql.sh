#!/bin/sh
# Puts a MySQL server into a folder of its own, for tests. Debian's stable releases have MariaDB only; its
# unstable release has MySQL. Mixing the releases would replace the system's C library, so the server and
# every library it needs are unpacked below one folder, and the server is started with the dynamic loader
# found there.
#
# Changes nothing on the system and needs no root (except to install missing tools, if it is root). Needs apt:
# a Debian or a system derived from it. Packages are verified with Debian's keys. Can be repeated and
# interrupted.
#
#   LEASEHOLD_MYSQL_ROOT     where to; default ${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/mysql-root
#   LEASEHOLD_DEBIAN_MIRROR  where from; default the Debian mirror that apt uses here, else deb.debian.org
set -eu
export LC_ALL=C

root=${LEASEHOLD_MYSQL_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/mysql-root}
keys=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
  echo "install-mysql: $*" >&2
  exit 1
}

installed() {
  [ -x "$root/usr/sbin/mysqld" ] && [ -d "$root/initialized-data" ]
}

for tool in apt-get dpkg-deb flock; do
  command -v "$tool" >/dev/null ||
    fail "$tool is needed: run this on Debian or Ubuntu, or put MySQL's own mysqld in the PATH"
done
mkdir -p "$(dirname "$root")"
# Whoever comes second waits, and finds everything done. The lock ends with the process, however it ends.
exec 9>"$root.lock"
flock 9
if installed; then
  echo "MySQL is in $root already"
  exit 0
fi
# An empty folder is no obstacle; anything else that is there is not ours to remove.
[ ! -d "$root" ] || rmdir "$root" 2>/dev/null || fail "$root exists and holds something else"
if [ ! -e "$keys" ]; then
  [ "$(id -u)" = 0 ] || fail "Debian's keys are missing: apt-get install debian-archive-keyring"
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debian-archive-keyring ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y debian-archive-keyring; }
fi

rm -rf "$root".building.*
build=$(mktemp -d "$root.building.XXXXXX")
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM

# A second, private world for apt: own sources, own lists, and a package database in which nothing is
# installed yet, so that it fetches the C library too. Its own settings (a proxy, for instance) are the
# system's.
mirror=${LEASEHOLD_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | head -n 1)}
mirror=${mirror:-http://deb.debian.org/debian}
apt=$build/apt
mkdir -p "$apt/etc/apt/apt.conf.d" "$apt/etc/apt/preferences.d" "$apt/etc/apt/sources.list.d" \
  "$apt/etc/apt/trusted.gpg.d" "$apt/var/lib/apt/lists/partial" "$apt/var/cache/apt/archives/partial" \
  "$apt/var/lib/dpkg"
: >"$apt/var/lib/dpkg/status"
echo "deb [signed-by=$keys] $mirror sid main" >"$apt/etc/apt/sources.list"

private_apt() {
  apt-get -q -y -o Dir="$apt" -o Dir::State::status="$apt/var/lib/dpkg/status" \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

echo "Fetching MySQL from $mirror"
private_apt update
private_apt install --download-only --no-install-recommends mysql-server-core

tree=$build/tree
mkdir "$tree"
for package in "$apt"/var/cache/apt/archives/*.deb; do
  dpkg-deb --extract "$package" "$tree"
done
rm -rf "$tree/usr/share/doc" "$tree/usr/share/man" "$tree/usr/share/locale" "$tree/usr/bin"

# The data of a new server, so that each test server starts from a copy (2 s saved). It also proves that it
# runs.
for libraries in "$tree"/usr/lib/*-linux-gnu; do :; done
for loader in "$libraries"/ld-linux-*.so.*; do :; done
mysqld() {
  "$loader" --library-path "$libraries" "$tree/usr/sbin/mysqld" --no-defaults --basedir="$tree/usr" "$@"
}
as_root=
[ "$(id -u)" != 0 ] || as_root=--user=root
mysqld --initialize-insecure $as_root --datadir="$tree/initialized-data" --tmpdir="$build" \
  --innodb-redo-log-capacity=16M --innodb-doublewrite=OFF --skip-log-bin
# The server's identity: each copy gives itself a new one.
rm "$tree/initialized-data/auto.cnf"
mysqld --version

mv -T "$tree" "$root"
echo "MySQL is in $root"
