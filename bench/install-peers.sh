#!/bin/sh
# Installs what `npm run bench` compares with and measures by, from Debian's packages: HAProxy, nginx with its stream
# module, strace and perf. No service is left running: Debian starts what it installs, unless policy-rc.d forbids it.
set -eu

packages="haproxy nginx libnginx-mod-stream strace linux-perf"
policy=/usr/sbin/policy-rc.d

missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "peers: all installed: $packages"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "peers: missing:$missing; run as root: sh bench/install-peers.sh" >&2
  exit 1
fi

# 101 is "action forbidden by policy" (invoke-rc.d). A policy that the machine already has is left as it is.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a list of words
apt-get install -y --no-install-recommends $missing || {
  apt-get update
  # shellcheck disable=SC2086
  apt-get install -y --no-install-recommends $missing
}

# The packages also enable their units for the next boot; the bench starts its own processes.
if command -v systemctl >/dev/null 2>&1; then
  for unit in haproxy nginx; do
    case "$missing" in *"$unit"*) systemctl disable "$unit" >/dev/null 2>&1 || true ;; esac
  done
fi
echo "peers: installed:$missing"
