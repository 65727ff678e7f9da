#!/bin/sh
# Makes sure that the programs which the tests run are there: the one list of them, each with its Debian package.
# Installs what is missing when it may (root, apt-get); otherwise says what to install, and fails. A test that finds
# its tool missing fails too: nothing is ever skipped for the lack of a tool.
set -eu

# program, or a file  Debian package
tools='
openssl          openssl
curl             curl
gnutls-cli       gnutls-bin
gnutls-serv      gnutls-bin
nginx            nginx-light
/usr/lib/nginx/modules/ngx_stream_module.so libnginx-mod-stream
haproxy          haproxy
javac            default-jdk-headless
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
policy=/usr/sbin/policy-rc.d

is_there() {
  case "$1" in
  /*) [ -e "$1" ] ;;
  *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=$(echo "$tools" | while read -r program package; do
  [ -z "$program" ] || is_there "$program" || echo "$package"
done | sort -u | tr '\n' ' ')
missing=${missing% }

if [ -z "$missing" ]; then
  echo "tools: all there"
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "tools: missing: $missing" >&2
  echo "install them with: sudo apt-get install -y --no-install-recommends $missing" >&2
  exit 1
fi

# Debian starts the services that it installs, unless a policy forbids it: 101. A policy that is there already is left.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT INT TERM
fi

echo "tools: installing: $missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $missing

for program in $(echo "$tools" | while read -r program _; do echo "$program"; done); do
  is_there "$program" || {
    echo "tools: $program is still missing after the installation" >&2
    exit 1
  }
done
