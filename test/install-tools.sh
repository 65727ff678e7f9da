#!/bin/sh
# Makes sure that the programs which the tests run are there: the one list of them, each with its Debian package.
# Installs what is missing when it may (root, apt-get); otherwise says what to install, and fails. A test that finds
# its tool missing fails too: nothing is ever skipped for the lack of a tool.
set -eu

# program        Debian package
tools='
openssl          openssl
curl             curl
gnutls-cli       gnutls-bin
python3          python3
git              git
tar              tar
make             make
g++              g++
nats-server      nats-server
faketime         faketime
ip               iproute2
nft              nftables
flock            util-linux
'

missing=$(echo "$tools" | while read -r program package; do
  [ -z "$program" ] || command -v "$program" >/dev/null 2>&1 || printf ' %s' "$package"
done)

if [ -z "$missing" ]; then
  echo "tools: all there"
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "tools: missing:$missing" >&2
  echo "install them with: sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 1
fi

echo "tools: installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $missing

for program in $(echo "$tools" | while read -r program _; do echo "$program"; done); do
  command -v "$program" >/dev/null 2>&1 || {
    echo "tools: $program is still missing after the installation" >&2
    exit 1
  }
done
