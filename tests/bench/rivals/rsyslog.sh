#!/bin/sh
# rsyslog.sh - rsyslog as a router: imfile, mmjsonparse, a file by type. usage: rsyslog.sh BINARY MODULES INPUT DIRECTORY
# SPDX-License-Identifier: MPL-2.0
set -eu
binary=$1 modules=$2 input=$3 directory=$4
mkdir -p "$directory/state"
cat >"$directory/conf" <<CONF
global(workDirectory="$directory/state" maxMessageSize="256k")
module(load="imfile") module(load="mmjsonparse")
template(name="raw" type="string" string="%msg%\n")
input(type="imfile" file="$input" tag="m" ruleset="route")
main_queue(queue.size="100000" queue.dequeuebatchsize="1024")
ruleset(name="route") {
  action(type="mmjsonparse" cookie="")
  if \$!type == ["counter","timer","gauge"] then { action(type="omfile" file="$directory/metrics" template="raw" asyncWriting="off" ioBufferSize="256k" flushOnTXEnd="off") stop }
  if \$!type == "request" then { action(type="omfile" file="$directory/requests" template="raw" ioBufferSize="256k" flushOnTXEnd="off") stop }
  if \$!type == ["cef","sentry"] then { action(type="omfile" file="$directory/security" template="raw" ioBufferSize="256k" flushOnTXEnd="off") stop }
  action(type="omfile" file="$directory/rest" template="raw" ioBufferSize="256k" flushOnTXEnd="off")
}
CONF
"$binary" -n -f "$directory/conf" -i "$directory/pid" -M "$modules" 2>/dev/null &
daemon=$!
# It has no end of input: stop it when the output has stopped growing (a full buffer stays back until then).
before=-1 turns=0
while [ "$turns" -lt 1200 ]; do
	sleep 0.25
	now=$(cat "$directory"/metrics "$directory"/requests "$directory"/security "$directory"/rest 2>/dev/null | wc -c)
	[ "$now" -gt 0 ] && [ "$now" -eq "$before" ] && break
	before=$now turns=$((turns + 1))
done
kill -TERM "$daemon"
wait "$daemon" || true
