#!/bin/sh
# Boots systemd as process 1 of namespaces of its own, over a throwaway layer above this machine's root folder.
# usage: systemd-lab.sh FOLDER SHARED     (root; SHARED is seen at /lab inside; runs until it is killed)
# Nothing of the host changes: the layer is a tmpfs, and the network has no way out.
set -eu
folder=$1 shared=$2
mount --make-rprivate /
mount -t tmpfs lab "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
root=$folder/root
mount -t overlay lab -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in dev run tmp; do mount -t tmpfs "lab-$place" "$root/$place"; done
node() { mknod -m 666 "$root/dev/$1" c "$2" "$3"; }
node null 1 3; node zero 1 5; node full 1 7; node random 1 8; node urandom 1 9; node tty 5 0
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs lab-shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
: >"$root/dev/console"
mkdir -p "$root/lab"
mount --bind "$shared" "$root/lab"
: >"$root/etc/fstab"
rm -rf "$root"/etc/systemd/system/*.wants
# One target with nothing but timers in it; what wants hardware or this machine's own state does not start.
for unit in journald.service journald.socket journald-dev-log.socket journald-audit.socket udevd.service \
  udev-trigger.service modules-load.service sysctl.service random-seed.service remount-fs.service \
  update-utmp.service sysusers.service tmpfiles-setup.service tmpfiles-setup-dev.service \
  boot-system-token.service pcrphase.service machine-id-commit.service firstboot.service; do
  ln -sf /dev/null "$root/etc/systemd/system/systemd-$unit"
done
for unit in dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount kmod-static-nodes.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' >"$root/etc/systemd/system/lab.target"
# What systemd mounts in one place for a service has to be seen in the other one; in a container it leaves that to us.
mount --make-rshared "$root"
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
  chroot "$root" /lib/systemd/systemd --system --unit=lab.target --log-target=console --show-status=no
