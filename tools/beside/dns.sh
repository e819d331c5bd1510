#!/usr/bin/env bash
# What slow and dead DNS costs: a node asks some thirty names a mail, of 25 lists and for SPF, DMARC and reverse names.
#   tools/beside/dns.sh MAILS [flags of beside]    MAILS: a directory of mails
# Three runs of two rounds: every answer takes 50 ms; the same, and one list never answers; no name is ever answered.
set -euo pipefail
mails=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
go build -trimpath -o "$work/rempart" ./cmd/rempart
go build -o "$work/beside" ./tools/beside
{
  echo "data = \"$work/node\""
  echo "[console]"; echo 'listen = ["127.0.0.1:21052"]'
  echo "[dns]"; echo 'servers = ["127.0.0.1:5390"]'
  for i in $(seq 25); do printf '[[dns.list]]\nzone = "list%d.example"\n' "$i"; done
  printf '[[gateway.rspamd]]\nname = "rspamd"\nlisten = ["127.0.0.1:11333"]\n'
} >"$work/rempart.toml"
run() { # NAME, flags of the DNS server
  echo "== $1"
  "$work/beside" -dns 127.0.0.1:5390 "${@:2}" & dns=$!
  rm -rf "$work/node"
  "$work/rempart" serve --config "$work/rempart.toml" >"$work/$1.log" 2>&1 & node=$!
  for _ in $(seq 300); do curl -s -o /dev/null "http://127.0.0.1:11333/ping" && break; sleep 0.1; done
  "$work/beside" -mails "$mails" "-server=$1=http://127.0.0.1:11333/checkv2=$node" -rounds 2 "${more[@]}"
  kill "$node" "$dns"; wait "$node" "$dns" 2>/dev/null || true
}
more=("${@:2}")
run slow -dns-delay 50ms
run silent-list -dns-delay 50ms -dns-silent list7.example
run dead -dns-silent .
