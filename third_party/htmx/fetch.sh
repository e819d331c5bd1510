#!/bin/sh
# Fetches htmx from npm and puts the minified file and its licence here. Change version and digest together.
set -eu
version=4.0.1
digest=a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && npm pack --silent "htmx.org@$version" >/dev/null && tar xzf "htmx.org-$version.tgz")
echo "$digest  $tmp/package/dist/htmx.min.js" | sha256sum -c --quiet
cp "$tmp/package/dist/htmx.min.js" "$tmp/package/LICENSE" .
