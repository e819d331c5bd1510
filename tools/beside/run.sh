#!/usr/bin/env bash
# Rempart beside rspamd, in one run: both taught the same mails, both asked the same ones over rspamd's HTTP protocol, in turn.
#   tools/beside/run.sh INDEX [flags of beside]    INDEX: "spam|ham PATH" a line, as of the public corpus of SpamAssassin
# Needs Debian's rspamd and redis-server. rspamd's modules that ask the network are off, its Bayes is in Redis; DNS answers "no
# such name" at once.
set -euo pipefail
index=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
go build -trimpath -o "$work/rempart" ./cmd/rempart
go build -o "$work/beside" ./tools/beside
"$work/beside" -dns 127.0.0.1:5390 &

mkdir "$work/redis"
redis-server --port 0 --unixsocket "$work/redis/s" --save '' --appendonly no --dir "$work/redis" >/dev/null &
redis=$!

cp -r /etc/rspamd "$work/conf"
mkdir -p "$work/conf/local.d" "$work/conf/override.d" "$work/data"
for module in antivirus arc asn clickhouse dcc dkim dkim_signing dmarc elastic external_services fuzzy_check greylist history_redis \
  metadata_exporter mx_check neural p0f ratelimit rbl replies reputation rspamd_update spf surbl url_redirector; do
  echo 'enabled = false;' >"$work/conf/override.d/$module.conf"
done
echo "servers = \"$work/redis/s\";" >"$work/conf/local.d/redis.conf"
echo 'backend = "redis"; autolearn = false; min_learns = 1;' >"$work/conf/local.d/classifier-bayes.conf"
cat >"$work/conf/override.d/options.inc" <<END
dns { nameserver = ["127.0.0.1:5390"]; }
tempdir = "$work/data"; pidfile = "$work/data/pid"; hs_cache_dir = "$work/data"; history_file = null; rrd = null;
END
echo 'bind_socket = "127.0.0.1:21333";' >"$work/conf/override.d/worker-normal.inc"
echo 'bind_socket = "127.0.0.1:21334"; secure_ip = ["127.0.0.1"];' >"$work/conf/override.d/worker-controller.inc"
echo 'enabled = false;' | tee "$work/conf/override.d/worker-proxy.inc" >"$work/conf/override.d/worker-fuzzy.inc"
echo 'type = "file"; filename = "'"$work/rspamd.log"'"; level = "error";' >"$work/conf/override.d/logging.inc"
chmod -R a+rX "$work"; chmod a+rwx "$work" "$work/data" "$work/redis"; chmod a+rw "$work/redis/s"
rspamd -f -i -c "$work/conf/rspamd.conf" --var=CONFDIR="$work/conf" --var=LOCAL_CONFDIR="$work/conf" --var=DBDIR="$work/data" \
  --var=RUNDIR="$work/data" --var=LOGDIR="$work" >"$work/rspamd.out" 2>&1 &
rspamd=$!

cat >"$work/rempart.toml" <<END
data = "$work/node"
[console]
listen = ["127.0.0.1:21052"]
[dns]
servers = ["127.0.0.1:5390"]
[[gateway.rspamd]]
name = "rspamd"
listen = ["127.0.0.1:11333"]
teachers = ["127.0.0.1"]
END
"$work/rempart" serve --config "$work/rempart.toml" >"$work/rempart.out" 2>&1 &
rempart=$!
for port in 21333 21334 11333; do
  for _ in $(seq 300); do curl -s -o /dev/null "http://127.0.0.1:$port/ping" && break; sleep 0.1; done
done
for server in 127.0.0.1:21334 127.0.0.1:11333; do
  for label in spam ham; do
    (cd "$(dirname "$index")" && awk -v label=$label '$1 == label && ++n % 4 == 0 { print $2 }' "$index" |
      xargs rspamc -n 4 -h "$server" learn_$label >/dev/null)
  done
done
[ "$(redis-cli -s "$work/redis/s" dbsize)" -gt 1000 ] || { echo "rspamd has learned nothing"; tail "$work/rspamd.log" "$work/rspamd.out"; exit 1; }
"$work/beside" -mails "$(dirname "$index")/mail" "-server=rempart=http://127.0.0.1:11333/checkv2=$rempart" \
  "-server=rspamd=http://127.0.0.1:21333/checkv2=$rspamd,$redis" "${@:2}"
