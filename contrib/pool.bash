# pool - runs the jobs of check.sh several at a time, the longest first, as long as there is time; keeps what each of them took. Sourced by check.sh.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
#   pool_add KIND NAME SECONDS COMMAND...   a job that may take so long; KIND says who reads its log: <KIND>_ended NAME LOG CODE SECONDS
#   pool_needs NAME                         the jobs added from here on wait for that one, and are skipped if it fails ("" for none)
#   pool_sort                               orders the jobs added since the last pool_sort: those that last longest begin first
#   pool_run                                runs them all; a job for which no time is left is a skip that says so
#   pool_slowest N                          the N longest of what has run
#   pool_record                             writes down what has run; what has not keeps what is known of it
#
# check.sh sets: logs (a directory), jobs (how many processors), deadline (in $SECONDS; 0 for none), durations (a file: "SECONDS NAME" a line),
# only (a pattern for names; empty: all), and has skip, failure.

pool_kind=() pool_name=() pool_limit=() pool_command=() pool_need=() pool_sorted=0 pool_needed=''
declare -A pool_started=() pool_ok=()

pool_add() {
	[[ -z $only || $2 =~ $only ]] || return 0
	pool_kind+=("$1") pool_name+=("$2") pool_limit+=("$3") pool_need+=("$pool_needed")
	shift 3
	pool_command+=("$(printf '%q ' "$@")")
}

pool_needs() { pool_needed=$1; }

# pool_expected NAME: how long it took when that was last written down; 15 s where that is not known.
pool_expected() { awk -v name="$1" '{ seconds = $1; sub(/^[^ ]* /, "") } $0 == name { found = seconds } END { print found ? found : 15 }' "$durations"; }

pool_sort() {
	local index order=() kinds=() names=() limits=() commands=() needs=()
	mapfile -t order < <(for ((index = pool_sorted; index < ${#pool_name[@]}; index++)); do
		echo "$(pool_expected "${pool_name[index]}") $index"
	done | sort -k1,1nr -k2,2n | cut -d' ' -f2)
	for index in "${order[@]}"; do
		kinds+=("${pool_kind[index]}") names+=("${pool_name[index]}") limits+=("${pool_limit[index]}")
		commands+=("${pool_command[index]}") needs+=("${pool_need[index]}")
	done
	pool_kind=("${pool_kind[@]:0:pool_sorted}" "${kinds[@]}") pool_name=("${pool_name[@]:0:pool_sorted}" "${names[@]}")
	pool_limit=("${pool_limit[@]:0:pool_sorted}" "${limits[@]}") pool_command=("${pool_command[@]:0:pool_sorted}" "${commands[@]}")
	pool_need=("${pool_need[@]:0:pool_sorted}" "${needs[@]}")
	pool_sorted=${#pool_name[@]}
}

pool_log() { printf '%s/%s' "$logs" "$(printf %s "$1" | tr -c 'A-Za-z0-9.\n-' _)"; }

# pool_start INDEX: in the background; its end is seen by its file .done.
pool_start() {
	local log limit=${pool_limit[$1]} left=$((deadline - SECONDS))
	log=$(pool_log "${pool_name[$1]}")
	[ "$deadline" -eq 0 ] || [ "$left" -ge "$limit" ] || limit=$left
	(
		TIMEFORMAT='%R %U %S' code=0
		eval "set -- ${pool_command[$1]}"
		{ time timeout --kill-after=10 "$limit" "$@" >"$log.log" 2>&1 </dev/null; } 2>"$log.time" || code=$?
		echo "$code" >"$log.code"
		mv "$log.code" "$log.done"
	) &
	pool_started[$1]=$SECONDS
}

# pool_await: one job more has ended, and was reported.
pool_await() {
	local index log code ended=''
	while [ -z "$ended" ]; do
		wait -n 2>/dev/null || true
		for index in "${!pool_started[@]}"; do
			log=$(pool_log "${pool_name[index]}")
			[ -e "$log.done" ] || continue
			ended=yes code=$(cat "$log.done")
			pool_report "$index" "$log" "$code" $((SECONDS - pool_started[$index]))
			unset "pool_started[$index]"
		done
		[ -n "$ended" ] || [ ${#pool_started[@]} -eq 0 ] || sleep 0.1
	done
}

pool_report() {
	local name=${pool_name[$1]}
	read -r real user system < <(tail -1 "$2.time")
	printf '%.0f %.0f %s\n' "$real" "$(awk "BEGIN { print $user + $system }")" "$name" >>"$logs/durations"
	[ "$3" -ne 0 ] || pool_ok[$name]=yes
	if { [ "$3" -eq 124 ] || [ "$3" -eq 137 ]; } && [ "$4" -lt "${pool_limit[$1]}" ] && [ "$deadline" -gt 0 ] && [ "$SECONDS" -ge "$deadline" ]; then
		skip "$name: no time is left after $4 s of it: --long takes its time"
	else "${pool_kind[$1]}_ended" "$name" "$2.log" "$3" "$4"; fi
}

# pool_stop: what still runs is told to end; for a trap.
pool_stop() {
	local one
	for one in $(jobs -p); do pkill -TERM -P "$one" 2>/dev/null || true; done
}

pool_is_running() {
	local index
	for index in "${!pool_started[@]}"; do [ "${pool_name[index]}" != "$1" ] || return 0; done
	return 1
}

pool_run() {
	local index name need late=()
	for index in "${!pool_name[@]}"; do
		name=${pool_name[index]} need=${pool_need[index]}
		# More at a time than there are processors: they wait more than they work.
		while [ "${#pool_started[@]}" -ge $((jobs + 2)) ] || { [ -n "$need" ] && pool_is_running "$need"; }; do pool_await; done
		if [[ -n $need && " ${late[*]/%/,} " = *" $need, "* ]]; then late+=("$name")
		elif [ -n "$need" ] && [ -z "${pool_ok[$need]-}" ]; then skip "$name: it needs: $need"
		elif [ "$deadline" -gt 0 ] && [ $((SECONDS + $(pool_expected "$name"))) -ge "$deadline" ]; then late+=("$name")
		else pool_start "$index"; fi
	done
	while [ "${#pool_started[@]}" -gt 0 ]; do pool_await; done
	for name in "${late[@]}"; do skip "$name: no time is left: --long takes its time"; done
}

pool_slowest() {
	[ -e "$logs/durations" ] || return 0
	sort -k1,1nr "$logs/durations" | head -n "$1" | while read -r real busy name; do
		printf '   %4d s (%d s of a processor)  %s\n' "$real" "$busy" "$name"
	done
}

pool_record() {
	{ cat "$durations"; cut -d' ' -f1,3- "$logs/durations"; } |
		awk '{ seconds = $1; sub(/^[^ ]* /, ""); known[$0] = seconds } END { for (name in known) if (known[name] > 2) print known[name], name }' | sort -k2 >"$logs/recorded" &&
		cp "$logs/recorded" "$durations"
}
