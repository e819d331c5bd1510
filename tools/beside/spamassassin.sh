#!/usr/bin/env bash
# Rempart beside SpamAssassin, in one run: both taught the same mails, both asked the same ones over spamd's protocol, in turn.
#   tools/beside/spamassassin.sh INDEX [flags of beside]    INDEX: "spam|ham PATH" a line, as of the public corpus of SpamAssassin
# Needs Debian's spamd and spamc. Its tests that ask the network are off (-L), its Bayes is on, with the rules of the package.
set -euo pipefail
index=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
go build -trimpath -o "$work/rempart" ./cmd/rempart
go build -o "$work/beside" ./tools/beside

mkdir "$work/bayes"; chmod a+rx "$work"; chmod a+rwx "$work/bayes"
# A child that ended would take its processor time with it.
spamd -L -x -u nobody -i 127.0.0.1 -p 20783 --allow-tell --min-children=4 --max-children=4 --max-conn-per-child=1000000 \
  --cf="bayes_path $work/bayes/b" --cf='bayes_auto_learn 0' >"$work/spamd.out" 2>&1 &
spamd=$!

cat >"$work/rempart.toml" <<END
data = "$work/node"
[console]
listen = ["127.0.0.1:21052"]
[dns]
off = true
[[gateway.spamd]]
name = "spamd"
listen = ["127.0.0.1:20784"]
teachers = ["127.0.0.1"]
END
"$work/rempart" serve --config "$work/rempart.toml" >"$work/rempart.out" 2>&1 &
rempart=$!
for port in 20783 20784; do
  for _ in $(seq 300); do spamc -d 127.0.0.1 -p "$port" -K >/dev/null 2>&1 && break; sleep 0.1; done
done
for port in 20783 20784; do
  for label in spam ham; do
    (cd "$(dirname "$index")" && awk -v label=$label '$1 == label && ++n % 4 == 0 { print $2 }' "$index" |
      xargs -P 4 -n 1 sh -c 'spamc -d 127.0.0.1 -p "$1" -u nobody -s 10000000 -L "$2" <"$3" >/dev/null' - "$port" $label)
  done
done
taught=$(sa-learn --dbpath "$work/bayes/b" --dump magic | awk '/nspam|nham/ { n += $3 } END { print n }')
echo "SpamAssassin has learned $taught mails"
[ "$taught" -gt 1000 ] || { tail "$work/spamd.out"; exit 1; }
"$work/beside" -mails "$(dirname "$index")/mail" "-server=rempart=spamd://127.0.0.1:20784=$rempart" \
  "-server=spamassassin=spamd://127.0.0.1:20783=$spamd" -requests 600 -connections 4 "${@:2}"
