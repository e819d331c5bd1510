#!/bin/sh
# Fetches tables of addresses from npm and packs them here. Change version and digests together.
#
# The maker of these packages says that he no longer updates them on npm, and gives newer ones as files of the releases of
# https://github.com/sapics/ip-location-db: whoever can reach them downloads asn-ipv4-num.csv, asn-ipv6-num.csv and
# iptoasn-country.mmdb and runs the last line by hand.
set -eu
version=2.3.2026061719
cd "$(dirname "$0")"
here=$(pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for package in asn iptoasn-country-mmdb; do
	mkdir "$tmp/$package"
	(cd "$tmp/$package" && npm pack --silent "@ip-location-db/$package@$version" >/dev/null && tar xzf ./*.tgz --strip-components=1)
done
(cd "$tmp" && sha256sum -c --quiet) <<END
43b77baaa819c8cdb39456dc19d3d7987608379851036597e6a0ef3711086c79  asn/asn-ipv4-num.csv
f0bbb385061cec1e7d6426052929f8c1649161fd8daf355f8585e56462fac2e4  asn/asn-ipv6-num.csv
93cc3158038b5ddd3cef52652ba6d7a134ece0496117fae0a3ab6e7b5101815e  iptoasn-country-mmdb/iptoasn-country.mmdb
END
cp "$tmp/asn/DBIP-LICENSE" "$tmp/asn/NRO_LICENSE" "$tmp/asn/ROUTEVIEWS-LICENSE" "$tmp/asn/MODIFICATIONS" .
cd ../.. && go run ./tools/ipdata "$tmp/asn/asn-ipv4-num.csv" "$tmp/asn/asn-ipv6-num.csv" "$tmp/iptoasn-country-mmdb/iptoasn-country.mmdb" "$here"
