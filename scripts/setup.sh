# Makes a fresh clone ready: `. scripts/setup.sh demo|test[-TIER]|bench|pack`, with the checkout as the current folder.
#
# Looks first and installs only what is missing: Debian packages (as root; otherwise it prints the one line to run
# and stops with 5, "not installed"), the packages of package-lock.json, and what `npm run build` makes.
# shellcheck shell=bash

# What each purpose needs (`pack`, `test-unit`: none), one a line: the Debian package, then a program or file that shows it is there.
packages_for() {
  case $1 in
    demo | bench)
      cat <<'LIST'
qemu-system-x86 qemu-system-x86_64
qemu-utils qemu-img
LIST
      ;;
    test-unit) ;;
    test | test-*)
      packages_for demo
      cat <<'LIST'
busybox-static /usr/share/doc/busybox-static
dosfstools fsck.vfat
mtools mcopy
acl setfacl
e2fsprogs debugfs
gcc gcc
libc6-dev /usr/share/doc/libc6-dev
iproute2 ip
openssh-client ssh
nftables nft
passt passt
swtpm swtpm
mandoc mandoc
chromium chromium
shellcheck shellcheck
lintian lintian
systemd-container systemd-nspawn
dbus dbus-daemon
polkitd /usr/lib/polkit-1/polkitd
logrotate logrotate
zsh zsh
fish fish
debootstrap debootstrap
ovmf /usr/share/OVMF
qemu-efi-aarch64 /usr/share/AAVMF
qemu-system-arm qemu-system-aarch64
qemu-system-misc qemu-system-riscv64
qemu-system-ppc qemu-system-ppc64
LIST
      ;;
  esac
}

ensure_node() {
  is_there node || stop_short 'node is missing: https://nodejs.org'
  is_there npm || stop_short 'npm is missing: https://nodejs.org'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exitCode = a > 20 || (a === 20 && b >= 19) ? 0 : 1' ||
    stop_short "Node.js 20.19 or newer is needed; $(command -v node) is $(node --version)"
}

ensure_packages() {
  local missing=() package evidence
  while read -r package evidence; do
    is_there "$evidence" || missing+=("$package")
  done < <(packages_for "$1")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || stop_short "please install what your system calls: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    stop_short "please run: sudo apt-get install --yes --no-install-recommends ${missing[*]}"
  fi
  echo "setup: installing ${missing[*]} and what they need (a minute or two, once)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update --quiet=2 || stop_short 'apt-get update failed'
  apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}" </dev/null >/dev/null ||
    stop_short "apt-get could not install ${missing[*]}"
}

# The sbin folders are not in everybody's PATH, but hold ip(8).
is_there() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  esac
}

# npm writes its notes into node_modules last, so they tell that it came to its end: Ctrl-C does not give it a status.
ensure_node_modules() {
  local notes=node_modules/.package-lock.json
  [ -s $notes ] && [ $notes -nt package-lock.json ] && return 0
  echo 'setup: npm ci, for the compiler and the packages that are built in (about a minute, once)'
  rm -f $notes
  # No package that we use has to run a script to be installed.
  as_owner npm ci --ignore-scripts --include=dev --no-audit --no-fund --loglevel=error || stop_short 'npm ci failed'
  [ -s $notes ] || stop_short 'npm ci did not finish'
  as_owner touch $notes
}

ensure_build() {
  local sources=(src docs/man scripts/build.mjs scripts/man.mjs scripts/string-width.mjs CHANGELOG.md package.json tsconfig.json)
  if [ -d dist/lib ] && [ -d dist/bin ] && [ -d dist/man ]; then
    [ -n "$(find "${sources[@]}" \( -newer dist/lib -o -newer dist/bin \) -print -quit)" ] || return 0
  fi
  echo 'setup: npm run build (seconds)'
  as_owner node scripts/build.mjs || stop_short 'the build failed' 1
}

# Under sudo, in a checkout of the user who typed it, what is made there belongs to that user. `npm run` hands on where
# root's npm has its files, which that user can neither read nor write: as npm_config_cache, npm_config_prefix and others.
as_owner() {
  local owner name roots=()
  owner=$(stat -c %u package.json)
  if [ "$(id -u)" -eq 0 ] && [ "$owner" -ne 0 ] && [ "$owner" = "${SUDO_UID:-}" ]; then
    for name in $(compgen -e | grep -i '^npm_config_'); do
      case ${!name} in "$(getent passwd 0 | cut -d: -f6)"/*) roots+=("--unset=$name") ;; esac
    done
    HOME=$(getent passwd "$owner" | cut -d: -f6) env "${roots[@]}" \
      setpriv --reuid="$owner" --regid="$(stat -c %g package.json)" --init-groups -- "$@"
  else
    "$@"
  fi
}

stop_short() {
  echo "setup: $1" >&2
  exit "${2:-5}"
}

# Two at once would take away each other's node_modules.
set_up() {
  exec 9<package.json
  flock 9
  ensure_node
  ensure_packages "$1"
  ensure_node_modules
  ensure_build
  exec 9<&-
}

set_up "$1"
