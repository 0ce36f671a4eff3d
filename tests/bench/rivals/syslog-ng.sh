#!/bin/sh
# syslog-ng.sh - syslog-ng as a router: stdin, json-parser, a file by type. usage: syslog-ng.sh BINARY MODULES DIRECTORY <INPUT
# SPDX-License-Identifier: MPL-2.0
set -eu
binary=$1 modules=$2 directory=$3
mkdir -p "$directory"
cat >"$directory/conf" <<CONF
@version: 3.38
@define allow-config-dups 1
options { stats-freq(0); log-msg-size(262144); };
source s { stdin(flags(no-parse) log-fetch-limit(1000) log-iw-size(10000)); };
parser p { json-parser(); };
filter metrics { match("^(counter|timer|gauge)\$" value("type")); };
filter requests { match("^request\$" value("type")); };
filter security { match("^(cef|sentry)\$" value("type")); };
log { source(s); parser(p);
  if (filter(metrics)) { destination { file("$directory/metrics" template("\$MSG\n")); }; }
  elif (filter(requests)) { destination { file("$directory/requests" template("\$MSG\n")); }; }
  elif (filter(security)) { destination { file("$directory/security" template("\$MSG\n")); }; }
  else { destination { file("$directory/rest" template("\$MSG\n")); }; };
  flags(flow-control); };
CONF
exec "$binary" -F --no-caps -f "$directory/conf" --module-path "$modules" --persist-file "$directory/persist" --pidfile "$directory/pid" --control "$directory/ctl" 2>"$directory/log"
