#!/bin/bash
# See to the bedtools program: install Debian's package where that is allowed, else say how.
set -eu
line="apt-get install -y bedtools"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line -qq; } >/dev/null && exit 0
fi
echo "The program bedtools is needed and could not be installed. Type: sudo $line" >&2
exit 1
