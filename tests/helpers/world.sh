#!/bin/sh
# Makes the throw-away machine the escape probes run in, then runs a command there.
#
# usage: world.sh FOLDER HELPERS PATH... -- COMMAND...
#
# Runs as root of a fresh user namespace, in fresh mount, process, network, ipc, uts and cgroup
# namespaces. What it mounts is seen by nobody else. The real machine is visible read-only, and only
# the system folders and the PATHs of it; everything writable is memory that ends with the namespace.
set -eu
root=$1
helpers=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=0755 world "$root"

show() { # A file or folder of the machine, read-only, at its own path.
  if [ ! -e "$1" ] || [ -e "$root$1" ]; then return 0; fi
  if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root${1%/*}" && : > "$root$1"; fi
  mount --rbind "$1" "$root$1"
  mount -o remount,bind,ro "$root$1"
}

for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then cp -P "/$name" "$root/$name"; else show "/$name"; fi
done
show /usr
mkdir "$root/etc"
for name in alternatives ld.so.cache ld.so.conf ld.so.conf.d ssl java-17-openjdk vim nsswitch.conf \
  localtime python3.11 debian_version os-release mime.types services protocols bash.bashrc; do
  if [ -e "/etc/$name" ]; then cp -a "/etc/$name" "$root/etc/$name"; fi
done
cat > "$root/etc/passwd" << 'PASSWD'
root:x:0:0:root:/home/pc:/bin/bash
pc:x:4321:4321:probe:/home/pc:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
PASSWD
printf 'root:x:0:\npc:x:4321:\nnogroup:x:65534:\n' > "$root/etc/group"
echo 127.0.0.1 localhost > "$root/etc/hosts"

while [ "$1" != -- ]; do
  show "$1"
  shift
done
shift

mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/mnt" "$root/old" "$root/home" "$root/root" \
  "$root/var/tmp" "$root/tmp" "$root/run" "$root/srv" "$root/opt"
cp -r "$helpers" "$root/opt/helpers"
: > "$root/home/.throw-away"
chmod 1777 "$root/tmp" "$root/var/tmp"
ln -s ../run "$root/var/run"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
mount --rbind /sys "$root/sys"
if [ -d /sys/fs/cgroup ]; then mount -t tmpfs -o mode=1777 cgroup "$root/sys/fs/cgroup"; fi
mount -t proc proc "$root/proc"

cd "$root"
pivot_root . old
cd /
umount -l /old
rmdir /old
# Process numbers that mean nothing inside a sandbox, where they start again at one.
echo 30000 > /proc/sys/kernel/ns_last_pid
echo "0 65535" > /proc/sys/net/ipv4/ping_group_range 2> /dev/null || :
hostname pc-world
umask 022
exec "$@"
