#!/usr/bin/env bash
# npm run demo: a machine from its file to its end, below a scratch root. Nothing outside that folder is touched.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh demo

root=$(mktemp -d "${TMPDIR:-/tmp}/qemu-demo-XXXXXX")
running=

# Also after Ctrl-C at any moment: what runs below the scratch root ends, and the folder goes.
clean_up() {
  trap '' INT TERM HUP
  if [ -n "$running" ]; then
    kill -TERM "$running" 2>/dev/null || true
    wait "$running" 2>/dev/null || true
  fi
  local pid
  for pid in $(pids_below_root); do kill -KILL "$pid" 2>/dev/null || true; done
  while [ -n "$(pids_below_root)" ]; do sleep 0.05; done
  rm -rf "$root"
}

# The folder goes in by a file: on grep's own command line it would find itself.
pids_below_root() {
  grep -lasFf <(echo "$root/") /proc/[0-9]*/cmdline | tr -dc '0-9\n'
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Prints a command as one would type it.
show() {
  local word line='$'
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./=-]*) line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '\n%s\n' "$line"
}

# Shows a command and runs it. In the background, because bash heeds a signal only between commands and in `wait`.
run() {
  show "$@"
  "$@" &
  running=$!
  wait "$running"
  running=
}

export QEMU_INIT_ROOT=$root
export PATH=$PWD/bin:$PATH
etc=$root/etc/qemu
mkdir -p "$etc"

echo 'A disk with a tiny guest, and a machine "web" that boots from it:'
run node scripts/make-guest-disk.mjs "$etc/web.raw"
run qemu-init create web RAM=64M KVM=off VNC=unix DSK1=web.raw
run grep -v -e '^#' -e '^$' "$etc/web-qemu.cfg"
run qemu-init check web
run qemu-init start web
run qemu-init wait web --for 'console=tiny guest ready'
run qemu-init log web --console
run qemu-init status web
run qemu-cmd -c 'info status' web
run qemu-init stop web
printf '\n%s\n' 'Nothing is left of the machine. What was installed to run this stays: node_modules, dist and the Debian packages.'
