#!/bin/bash
# rivals.sh - fetches what `make bench` compares with and Debian, npm or PyPI can install. usage: rivals.sh DIRECTORY
# SPDX-License-Identifier: MPL-2.0
set -eu
directory=${1:?usage: rivals.sh DIRECTORY}
mkdir -p "$directory"
cd "$directory"

# rsyslog and syslog-ng exclude each other as packages, so both are unpacked here with their libraries and never installed.
if command -v apt-get >/dev/null; then
	mkdir -p deb root
	roots="rsyslog syslog-ng-core miller gawk mawk jq libspdlog-dev"
	# shellcheck disable=SC2086
	wanted=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $roots |
		grep '^[a-z]' | sort -u | while read -r package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
	done)
	for package in $wanted; do
		(cd deb && apt-get download "$package" >/dev/null 2>&1) || echo "rivals.sh: $package cannot be had" >&2
	done
	for file in deb/*.deb; do [ -e "$file" ] && dpkg -x "$file" root; done
else
	echo "rivals.sh: no apt-get here: rsyslog, syslog-ng, Miller, gawk, mawk and jq are taken from PATH if they are there" >&2
fi
# The PyPI package "jq" carries libjq 1.8 in its wheel; statsd and pyzmq are what Python programs hand metrics and messages over with.
if command -v python3 >/dev/null && { [ -x python/bin/python ] || python3 -m venv python; }; then
	python/bin/pip -q install jq || echo "rivals.sh: PyPI's jq (libjq 1.8) cannot be had" >&2
	python/bin/pip -q install statsd pyzmq || echo "rivals.sh: PyPI's statsd and pyzmq cannot be had" >&2
fi
# DuckDB, as npm's @duckdb/node-api brings it; hot-shots is the usual statsd client, zeromq what the Node client sends by.
if command -v npm >/dev/null; then
	mkdir -p npm
	(cd npm && { [ -f package.json ] || echo '{"private": true}' >package.json; } &&
		npm install --no-audit --no-fund --loglevel=error '@duckdb/node-api@1.5.6-r.1') || echo "rivals.sh: npm's @duckdb/node-api cannot be had" >&2
	(cd npm && npm install --no-audit --no-fund --loglevel=error hot-shots zeromq@6) || echo "rivals.sh: npm's hot-shots and zeromq cannot be had" >&2
fi
echo "rivals.sh: ready in $directory"
