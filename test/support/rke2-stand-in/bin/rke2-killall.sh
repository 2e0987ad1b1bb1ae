#!/bin/sh
[ "$(id -u)" -eq 0 ] || { echo "$(basename "$0"): must be run as root" >&2; exit 1; }
systemctl stop rke2-server.service || true
systemctl stop rke2-agent.service || true
