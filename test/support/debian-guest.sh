#!/bin/sh
# Makes a Debian 12 guest with the guest agent and cloud-init in the folder $1: disk.qcow2, vmlinuz, initrd.
# Runs as root in a mount namespace of its own (unshare --mount), which takes away what is mounted here.
# test/support/debian-guest.ts caches the result by the hash of this file.
set -eu
out=$1
mirror=http://deb.debian.org/debian

# In memory: dpkg syncs every file, which takes minutes on a disk.
mount -t tmpfs -o size=4G,mode=0755 debian-guest "$out/work"
root=$out/work/root
mkdir "$root"

packages=systemd-sysv,dbus,udev,linux-image-cloud-amd64,qemu-guest-agent,openssh-server,ifupdown,isc-dhcp-client
packages=$packages,iproute2,e2fsprogs,python3,kmod,procps,cloud-guest-utils
# Only what the virtual hardware needs: unpacking a large initrd takes long without KVM.
mkdir -p "$root/etc/initramfs-tools/conf.d"
echo MODULES=list >"$root/etc/initramfs-tools/conf.d/guest"
printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod ext4 >"$root/etc/initramfs-tools/modules"
mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
printf 'force-unsafe-io\nforce-confold\n' >"$root/etc/dpkg/dpkg.cfg.d/guest"
printf 'path-exclude=%s\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' >>"$root/etc/dpkg/dpkg.cfg.d/guest"
debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror"

# Not in --include: debootstrap does not resolve what cloud-init's Python modules need (virtual packages).
cp /etc/resolv.conf "$root/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$root" apt-get install --yes --no-install-recommends cloud-init
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/*

# Each machine gets its own of these.
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
echo 'LABEL=root / ext4 defaults 0 1' >"$root/etc/fstab"
# Seeds only from a disk; SSH keys of the one fast kind; the locale module would want a package that is missing.
cat >"$root/etc/cloud/cloud.cfg.d/90_guest.cfg" <<'CLOUD'
datasource_list: [ NoCloud, None ]
locale: false
ssh_genkeytypes: [ ed25519 ]
apt_preserve_sources_list: true
CLOUD
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer man-db.timer dpkg-db-backup.timer systemd-timesyncd.service
# A root shell on the console, without a password: nothing but tests can reach it.
mkdir -p "$root/etc/systemd/system/serial-getty@ttyS0.service.d"
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --keep-baud 115200 %%I vt220\n' \
  >"$root/etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf"

cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
cp "$root"/boot/initrd.img-* "$out/initrd"
rm -f "$root"/boot/initrd.img-* "$root"/boot/vmlinuz-*
truncate -s 3G "$out/work/disk.raw"
mke2fs -q -t ext4 -d "$root" -L root "$out/work/disk.raw"
qemu-img convert -c -O qcow2 "$out/work/disk.raw" "$out/disk.qcow2"
umount "$out/work"
