#!/bin/sh
# Unpacks Debian's exim4-daemon-heavy, which cannot be installed beside Postfix, with the libraries that this machine lacks, into a
# directory, and installs nothing. Prints the path of the libraries.
#   exim.sh DIR
set -eu
dir=$1
mkdir "$dir/packages"
cd "$dir/packages"
depends() { LC_ALL=C apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@"; }
libraries=$(depends exim4-daemon-heavy | awk '$1 == "Depends:" && $2 ~ /^lib/ { print $2 }')
lacking=
for p in $(depends --recurse $libraries | grep '^lib' | sort -u); do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || lacking="$lacking $p"
done
# libnss-wrapper lends it the user that its package would make.
apt-get download -qq exim4-daemon-heavy libnss-wrapper $lacking >&2
for p in *.deb; do dpkg -x "$p" "$dir"; done
rm -r "$dir/packages"
ls -d "$dir"/usr/lib "$dir"/usr/lib/*-linux-gnu | paste -sd :
