#!/bin/sh
# Takes away what the real one takes away.
set -e
[ "$(id -u)" -eq 0 ] || { echo "$(basename "$0"): must be run as root" >&2; exit 1; }
"$(dirname "$0")/rke2-killall.sh"
systemctl disable rke2-server.service || true
rm -f /usr/local/lib/systemd/system/rke2-*.service /usr/local/lib/systemd/system/rke2-*.env
systemctl daemon-reload
rm -rf /usr/local/share/rke2 /etc/rancher/rke2 /etc/rancher/node /var/lib/kubelet /var/lib/rancher/rke2
rm -f /usr/local/bin/rke2 /usr/local/bin/rke2-killall.sh /usr/local/bin/rke2-uninstall.sh
