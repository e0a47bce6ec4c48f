#!/bin/sh
# Makes a Debian 12 as its installer leaves it with "SSH server" and nothing else chosen, as a tar archive: $1/root.tar. What
# docs/two-servers.md installs is downloaded. Runs as root in a mount namespace of its own (unshare --mount), which takes away
# what is mounted here. test/support/build-once.ts keeps the result.
set -eu
out=$1
mirror=http://deb.debian.org/debian

# In memory: dpkg syncs every file.
mount -t tmpfs -o size=4G,mode=0755 bare-debian "$out/work"
root=$out/work/root
mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
printf 'force-unsafe-io\n' >"$root/etc/dpkg/dpkg.cfg.d/test"
printf 'path-exclude=%s\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' >>"$root/etc/dpkg/dpkg.cfg.d/test"
debootstrap --include=openssh-server,dbus,systemd-sysv bookworm "$root" "$mirror"

cp /etc/resolv.conf "$root/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# What the page has installed: the nodes have no way to a mirror.
chroot "$root" apt-get clean
chroot "$root" apt-get update --quiet=2
chroot "$root" apt-get install --quiet=2 --yes --no-install-recommends --download-only \
  pacemaker pacemaker-cli-utils corosync crmsh
chroot "$root" apt-get install --quiet=2 --yes --no-install-recommends --download-only qemu-system-x86 qemu-utils
rm -f "$root/etc/resolv.conf" "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
tar --create --file "$out/root.tar" --xattrs --xattrs-include='*' -C "$root" .
umount "$out/work"
