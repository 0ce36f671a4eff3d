# report.awk - medians and ratios of what run.sh measured, and the goals.
# SPDX-License-Identifier: MPL-2.0
# Input: name TAB input-bytes TAB "wall user sys peak-KiB status". The variables lines: of the whole corpus; groups: of the row with groups.

BEGIN { FS = "\t" }

{
	split($3, t, " ")
	if (!($1 in runs)) order[++rows] = $1
	n = ++runs[$1]
	bytes[$1] = $2
	wall[$1, n] = t[1]
	cpu[$1, n] = t[2] + t[3]
	if (t[4] > peak[$1]) peak[$1] = t[4]
	if (t[5] != 0) status[$1] = t[5]
}

function median(list, name, n,    i, j, x, v) {
	for (i = 1; i <= n; i++) {
		x = list[name, i] + 0
		for (j = i - 1; j >= 1 && v[j] > x; j--) v[j + 1] = v[j]
		v[j + 1] = x
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

# CPU seconds for each 10^9 bytes; for starts, seconds for one. A program that failed has not done the work.
function cost(name) {
	return (name in runs) && !(name in status) ? median(cpu, name, runs[name]) / (bytes[name] ? bytes[name] / 1e9 : 1) : 0
}
function time(name) {
	return (name in runs) ? median(wall, name, runs[name]) : 0
}

# goal TEXT RATIO MUST AIM: "more" if the ratio should be at least that, "less" if at most.
function goal(text, ratio, sense, must, aim,    mark) {
	if (ratio <= 0) { printf "  %-62s %8s   not measured\n", text, "-"; return }
	mark = sense == "less" ? (ratio <= must ? (ratio <= aim ? "aim reached" : "ok") : "MISSED") : (ratio >= must ? (ratio >= aim ? "aim reached" : "ok") : "MISSED")
	printf "  %-62s %8.2f   %s %-6s %-6s  %s\n", text, ratio, sense == "less" ? "<=" : ">=", must, aim, mark
}
function ratio(a, b) { return b > 0 ? a / b : 0 }

# The first row whose name begins so: versions stand in names.
function find(start,    i) {
	for (i = 1; i <= rows; i++) if (index(order[i], start) == 1) return order[i]
	return ""
}

END {
	for (i = 1; i <= rows; i++) {
		name = order[i]
		group = name
		sub(/ .*/, "", group)
		if (group != last) {
			own = find(group " metlog-")
			floor = group == "start" ? "start empty C program" : find(group " cat")
			printf "\n%-36s %9s %12s %9s %10s %9s\n", group, group == "start" ? "ms" : "MB/s", group == "start" ? "cpu ms" : "cpu s/GB", "peak MiB", floor ? "x floor" : "", "x ours"
			last = group
		}
		c = cost(name)
		if (group == "start") printf "%-36s %9.2f %12.2f %9.1f", substr(name, 7), time(name) * 1e3, c * 1e3, peak[name] / 1024
		else printf "%-36s %9.0f %12.2f %9.1f", substr(name, length(group) + 2), bytes[name] / 1e6 / (time(name) + 1e-9), c, peak[name] / 1024
		base = group == "start" ? ratio(time(name), time(floor)) : ratio(c, cost(floor))
		printf " %10s %9s%s\n", base ? sprintf("%.2f", base) : "", own && group != "start" ? sprintf("%.1f", ratio(c, cost(own))) : "", (name in status) ? "   exit status " status[name] : ""
	}
	goals()
}

function goals(    r, i, worst, name) {
	print "\ngoals (informational: a shared machine decides nothing)                      ratio        must   aim"
	r = cost("route metlog-route")
	if (r) {
		goal("route to 4 files: cpu / cat to one", ratio(r, cost("route cat")), "less", 5, 3.5)
		goal("route: cpu of jq 1.6 / ours", ratio(cost(find("route jq")), r), "more", 8, 12)
		goal("route: cpu of libjq 1.8 in Python (type only) / ours", ratio(cost("route libjq 1.8 in Python, type only"), r), "more", 8, 10)
		goal("route: cpu of the Python loop / ours", ratio(cost("route python json"), r), "more", 6, 8)
		goal("route: cpu of rsyslog / ours", ratio(cost("route rsyslog"), r), "more", 12, 15)
		goal("route: cpu of syslog-ng / ours", ratio(cost("route syslog-ng"), r), "more", 12, 15)
		goal("route: cpu of the crude mawk / ours", ratio(cost("route mawk (misroutes)"), r), "more", 0.5, 1)
	}
	r = cost("match metlog-route -m")
	if (r) {
		goal("route -m: cpu of jq 1.6 / ours", ratio(cost(find("match jq")), r), "more", 8, 12)
		goal("route -m: cpu of libjq 1.8 in Python / ours", ratio(cost("match libjq 1.8 in Python"), r), "more", 8, 9)
	}
	r = cost("match metlog-tail --json -m")
	if (r) {
		goal("tail --json -m: cpu of jq 1.6 / ours", ratio(cost(find("match jq")), r), "more", 8, 12)
		goal("tail --json -m: cpu of libjq 1.8 in Python / ours", ratio(cost("match libjq 1.8 in Python"), r), "more", 6, 9)
	}
	r = cost("tail metlog-tail")
	if (r) goal("tail for people: cpu of jq 1.6 . / ours", ratio(cost(find("tail jq")), r), "more", 6, 10)
	r = cost("statsd metlog-to-statsd, packed")
	if (r) {
		goal("to-statsd packed: cpu of libjq 1.8 in Python / ours", ratio(cost("statsd libjq 1.8 in Python"), r), "more", 4, 6)
		goal("to-statsd packed: cpu of jq 1.6 to text / ours", ratio(cost(find("statsd jq")), r), "more", 4, 6)
		goal("to-statsd, one a datagram: cpu / bare send(2) loop", ratio(cost("statsd metlog-to-statsd, 1 each"), cost("statsd bare send(2) loop")), "less", 1.3, 1.15)
	}
	r = cost("cef metlog-to-cef --map")
	if (r) {
		name = "cef metlog-to-cef --map"
		goal("to-cef --map: envelopes a second of cpu, thousands", ratio(lines / 1000, median(cpu, name, runs[name])), "more", 500, 700)
		name = "cef metlog-to-cef, built-in mapping"
		goal("to-cef, built-in mapping: the same", ratio(lines / 1000, median(cpu, name, runs[name])), "more", 250, 400)
		goal("to-cef: cpu of the Python loop / ours", ratio(cost("cef python json"), r), "more", 6, 12)
		goal("to-cef: cpu of jq 1.6 / ours", ratio(cost(find("cef jq")), r), "more", 50, 100)
		goal("to-cef: cpu of libjq 1.8 in Python / ours", ratio(cost("cef libjq 1.8 in Python"), r), "more", 20, 40)
	}
	distinct_goals()
	r = cost("guard metlog-route -m")
	if (r) {
		goal("guard: cpu / metlog-route -m", ratio(cost("guard metlog-cardinality --guard"), r), "less", 1.5, 1.3)
		goal("guard where nine lines of ten change: cpu / metlog-route -m", ratio(cost("guard metlog-cardinality --guard, most lines change"), r), "less", 3, 2)
	}
	name = "derive metlog-derive, as the code"
	r = cost(name)
	if (r) {
		goal("derive, Ichnaea: request lines a second of cpu, thousands", ratio(lines / 1000, median(cpu, name, runs[name])), "more", 250, 400)
		goal("derive, Ichnaea: cpu of jq 1.6 / ours", ratio(cost(find("derive jq")), r), "more", 20, 60)
		goal("derive, Ichnaea: cpu of libjq 1.8 in Python / ours", ratio(cost("derive libjq 1.8 in Python"), r), "more", 20, 40)
	}
	if (cost("mozlog metlog-from-mozlog")) goal("from-mozlog: MB a second of cpu", ratio(1000, cost("mozlog metlog-from-mozlog")), "more", 300, 450)
	if (cost("mozlog metlog-from-mozlog")) goal("from-mozlog: cpu of jq 1.6 / ours", ratio(cost(find("mozlog from by jq")), cost("mozlog metlog-from-mozlog")), "more", 20, 40)
	if (cost("mozlog metlog-to-mozlog")) goal("to-mozlog: MB a second of cpu", ratio(1000, cost("mozlog metlog-to-mozlog")), "more", 300, 450)
	if (cost("mozlog metlog-to-mozlog")) goal("to-mozlog: cpu of jq 1.6 / ours", ratio(cost(find("mozlog to by jq")), cost("mozlog metlog-to-mozlog")), "more", 20, 40)
	for (i = 1; i <= rows; i++) if (order[i] ~ /^start metlog-/ && time(order[i]) > worst) { worst = time(order[i]); name = order[i] }
	if (worst) goal("start of the slowest filter (" substr(name, 7) ") / empty C program", ratio(worst, time("start empty C program")), "less", 1.5, 1.1)
	worst = 0
	for (i = 1; i <= rows; i++) if (order[i] ~ /^(route|match|tail|statsd|cef|guard|derive|mozlog) metlog-/ && peak[order[i]] > worst) worst = peak[order[i]]
	if (worst) goal("peak memory of a filter, MiB", worst / 1024, "less", 8, 4)
	worst = 0
	for (i = 1; i <= rows; i++) if (order[i] ~ /^memory .*1 MiB/ && peak[order[i]] > worst) worst = peak[order[i]]
	if (worst) goal("peak memory with lines of 1 MiB, MiB", worst / 1024, "less", 64, 32)
}

function distinct_goals(    r) {
	r = cost("cardinality metlog-cardinality")
	if (!r) return
	goal("cardinality: cpu / DuckDB approximate, beyond its start", ratio(r, cost("cardinality DuckDB approx_count_distinct") - cost("cardinality DuckDB, nothing")), "less", 0.9, 0.6)
	goal("cardinality: peak memory / DuckDB", ratio(peak["cardinality metlog-cardinality"], peak["cardinality DuckDB approx_count_distinct"]), "less", 0.1, 0.05)
	goal("cardinality: cpu of jq 1.6 | sort -u / ours", ratio(cost(find("cardinality jq")), r), "more", 6, 9)
	goal("cardinality: cpu of libjq 1.8 in Python | sort -u / ours", ratio(cost("cardinality libjq 1.8 in Python | sort -u"), r), "more", 6, 9)
	goal("cardinality: cpu with " groups " groups / without", ratio(cost("cardinality metlog-cardinality, groups"), r), "less", 2, 1.5)
	goal("cardinality: peak memory of one count, MiB", peak["cardinality metlog-cardinality"] / 1024, "less", 16, 8)
	goal("cardinality: peak memory, " groups * 10 " groups of 10 values, MiB", peak["cardinality metlog-cardinality, many groups"] / 1024, "less", 400 * groups / 100000, 300 * groups / 100000)
}
