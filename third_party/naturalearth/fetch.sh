#!/bin/sh
# Fetches the map of countries from npm and makes world.tsv of it. Change version and digests together.
set -eu
version=2.0.2
cd "$(dirname "$0")"
here=$(pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && npm pack --silent "world-atlas@$version" >/dev/null && tar xzf "world-atlas-$version.tgz" --strip-components=1)
(cd "$tmp" && sha256sum -c --quiet) <<END
04342cdc1e3016bcd7db1630de95684d67b79fe3c8c460321e87aef469502394  countries-50m.json
3bc6f1d367a9bcec479841bae0e76092f512838411d0cef124e92eec4db45f79  countries-10m.json
END
cp "$tmp/LICENSE" .
cd ../.. && go run ./tools/worldmap "$tmp/countries-50m.json" "$tmp/countries-10m.json" >"$here/world.tsv"
