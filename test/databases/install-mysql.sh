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

script=install-mysql
product=MySQL
instead="put MySQL's own mysqld in the PATH"
root=${LEASEHOLD_MYSQL_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/mysql-root}

installed() {
  [ -x "$root/usr/sbin/mysqld" ] && [ -d "$root/initialized-data" ]
}

. "$(dirname "$0")/../debian-unstable.sh"
begin
unpack mysql-server-core
rm -rf "$tree/usr/bin"

# The data of a new server, so that each test server starts from a copy (2 s saved). It also proves that it
# runs.
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

finish
