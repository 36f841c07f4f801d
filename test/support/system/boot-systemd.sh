#!/bin/bash
# Runs a script under a real systemd that sees nothing but itself: started by unshare with namespaces of its own for
# mounts, processes, control groups, host name, IPC and network. The disk is read-only, /etc and /var are copies on
# write, /tmp and /run are empty, and every unit that a booting machine would run is masked: systemd's clean-up of /tmp,
# for one, would find that of the machine otherwise.
#
#   boot-systemd.sh <script> 3>output     (opened outside: a file open for writing keeps its disk writable)
set -e
script=$1
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt -o mode=755
cp "$IDDIO" /mnt/iddio
cp "$script" /mnt/script
awk '$2 ~ "^/" && $2 !~ "^/(mnt|proc|sys|dev|run)(/|$)" { print $2 }' /proc/mounts | while read -r point; do
  mount -o bind,remount,ro "$point"
done
mount -t tmpfs tmpfs /tmp -o mode=1777
mount -t tmpfs tmpfs /run -o mode=755
mkdir /mnt/etc-up /mnt/etc-work /mnt/var-up /mnt/var-work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/etc-up,workdir=/mnt/etc-work /etc
mount -t overlay overlay -o lowerdir=/var,upperdir=/mnt/var-up,workdir=/mnt/var-work /var
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o bind,remount,ro /proc/sys
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup

units=/etc/systemd/system
rm -rf "$units"/*.wants
for unit in basic.target sysinit.target network-online.target systemd-tmpfiles-setup.service \
  systemd-tmpfiles-clean.timer systemd-journald.service systemd-journald.socket systemd-udevd.service \
  systemd-sysctl.service dbus.service dbus.socket; do
  ln -sf /dev/null "$units/$unit"
done
printf '[Unit]\nDefaultDependencies=no\n' >"$units/alone.target"
mkdir "$units/iddio-daemon.service.d"
printf '[Unit]\nDefaultDependencies=no\n' >"$units/iddio-daemon.service.d/alone.conf"

(
  exec >&3 2>&1
  for _ in $(seq 100); do
    systemctl show --property=Version >/dev/null 2>&1 && break
    sleep 0.1
  done
  bash /mnt/script
  kill -RTMIN+13 1
) &
exec 3>&-
container=iddio exec /lib/systemd/systemd --system --unit=alone.target --log-target=null --show-status=0
