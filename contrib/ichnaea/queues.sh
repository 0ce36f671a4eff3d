#!/bin/sh
# queues.sh - how long the lists are in which Ichnaea's tasks and data wait, as gauges named queue.
# SPDX-License-Identifier: MPL-2.0
#
# usage: queues.sh [OPTION of redis-cli...]
# Ichnaea asks every minute. A list that is empty is not there, and counts 0.
set -eu
for kind in blue cell content default export incoming monitor reports wifi; do names="${names-} celery_$kind"; done
for kind in incoming cellarea cell_gsm cell_lte cell_wcdma datamap_ne datamap_nw datamap_se datamap_sw; do names="$names update_$kind"; done
for digit in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do names="$names update_blue_$digit update_wifi_$digit"; done
exports=$(for pattern in 'queue_export_*' 'export_queue_*'; do redis-cli "$@" --scan --pattern "$pattern"; done | LC_ALL=C grep -x '[A-Za-z0-9_:.-]*' | sort -u)
for name in $names $exports; do
	length=$(redis-cli "$@" llen "$name")
	metlog-send --gauge "queue=$length" --tag "queue=$name" </dev/null
done
