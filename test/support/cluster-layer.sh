#!/bin/sh
# Makes what a node of a cluster has in addition to this host, as a tar archive of an overlay's upper layer: $1/layer.tar.
# Runs as root in a mount namespace of its own (unshare --mount), which takes away what is mounted here.
# test/support/build-once.ts keeps the result.
set -eu
out=$1

# In memory: dpkg syncs every file, and an overlay cannot lie on another one.
mount -t tmpfs -o size=2G,mode=0755 cluster-layer "$out/work"
cd "$out/work"
mkdir upper work root
mount -t overlay -o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work" overlay root
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/tmp
mount --bind /dev root/dev
# A link into /run, which is empty here.
cat /etc/resolv.conf >resolv.conf
mount --bind resolv.conf root/etc/resolv.conf 2>/dev/null || true

# invoke-rc.d(8): nothing is started.
printf '#!/bin/sh\nexit 101\n' >root/usr/sbin/policy-rc.d
chmod 755 root/usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
in_root() {
  chroot root "$@"
}
in_root apt-get update --quiet=2 -o Acquire::Retries=0 -o Acquire::http::Timeout=10
# Not sbd: it enables itself, and without a device of its own Pacemaker does not start. ocf-tester needs xmllint; machines move
# by ssh.
in_root apt-get install --quiet=2 --yes --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
  -o Acquire::http::Timeout=30 \
  pacemaker pacemaker-cli-utils corosync crmsh resource-agents libxml2-utils openssh-server
rm -rf root/usr/sbin/policy-rc.d root/var/lib/apt/lists/* root/var/cache/apt/* root/usr/share/doc/*
find root/var/log -type f -delete
umount root/etc/resolv.conf root/dev root/tmp root/proc 2>/dev/null || true
umount root
tar --create --file "$out/layer.tar" --xattrs --xattrs-include='trusted.*' -C upper .
cd /
umount "$out/work"
