# Sourced by scripts that put a program of Debian's unstable release into a folder of its own, for tests.
# Mixing the releases would replace the system's C library, so the program and everything it needs are unpacked
# below one folder, and it is started with the dynamic loader found there.
#
# Changes nothing on the system and needs no root (except to install missing tools, if it is root). Needs apt:
# a Debian or a system derived from it. Packages are verified with Debian's keys. Can be repeated and
# interrupted.
#
# The script sets, before it calls what is here:
#   script   its own name, for messages
#   product  what it installs, for people
#   instead  what to do where there is no apt
#   root     the folder to make
# and defines installed(), which succeeds when the folder is as it should be.
set -eu
export LC_ALL=C

keys=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
  echo "$script: $*" >&2
  exit 1
}

# Ends the script if everything is there already. Else makes $tree, to be filled, and $build around it, which
# goes when the script ends.
begin() {
  for tool in apt-get dpkg-deb flock; do
    command -v "$tool" >/dev/null || fail "$tool is needed: run this on Debian or Ubuntu, or $instead"
  done
  mkdir -p "$(dirname "$root")"
  # Whoever comes second waits, and finds everything done. The lock ends with the process, however it ends.
  exec 9>"$root.lock"
  flock 9
  if installed; then
    echo "$product is in $root already"
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
  tree=$build/tree
  mkdir "$tree"
}

private_apt() {
  apt-get -q -y -o Dir="$apt" -o Dir::State::status="$apt/var/lib/dpkg/status" \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

# Unpacks the packages that are named, and all they depend on, into $tree. Sets $libraries and $loader.
unpack() {
  # A second, private world for apt: own sources, own lists, and a package database in which nothing is
  # installed yet, so that it fetches the C library too. Its own settings (a proxy, for instance) are the
  # system's.
  mirror=${LEASEHOLD_DEBIAN_MIRROR:-}
  mirror=${mirror:-$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | head -n 1)}
  mirror=${mirror:-http://deb.debian.org/debian}
  apt=$build/apt
  mkdir -p "$apt/etc/apt/apt.conf.d" "$apt/etc/apt/preferences.d" "$apt/etc/apt/sources.list.d" \
    "$apt/etc/apt/trusted.gpg.d" "$apt/var/lib/apt/lists/partial" "$apt/var/cache/apt/archives/partial" \
    "$apt/var/lib/dpkg"
  : >"$apt/var/lib/dpkg/status"
  echo "deb [signed-by=$keys] $mirror sid main" >"$apt/etc/apt/sources.list"

  echo "Fetching $product from $mirror"
  private_apt update
  private_apt install --download-only --no-install-recommends "$@"
  for package in "$apt"/var/cache/apt/archives/*.deb; do
    dpkg-deb --extract "$package" "$tree"
  done
  rm -rf "$tree/usr/share/doc" "$tree/usr/share/man" "$tree/usr/share/locale"
  for libraries in "$tree"/usr/lib/*-linux-gnu; do :; done
  for loader in "$libraries"/ld-linux-*.so.*; do :; done
}

# Puts the folder where it belongs, all at once.
finish() {
  mv -T "$tree" "$root"
  echo "$product is in $root"
}
