# report_client.awk - medians of what client.sh measured of single calls, beside each other, and the goals.
# SPDX-License-Identifier: MPL-2.0
# Input: name TAB "p50 p99 p99.9 mean whole", in nanoseconds; whole: a call in a burst in which no clock is read. "-": not measured.

BEGIN { FS = "\t" }

{
	if (!($1 in runs)) order[++rows] = $1
	n = ++runs[$1]
	split($2, t, " ")
	for (i = 1; i <= 5; i++) v[$1, i, n] = t[i]
}

function median(name, column,    i, j, x, n, s) {
	n = runs[name]
	if (!n || v[name, column, 1] == "-") return 0
	for (i = 1; i <= n; i++) {
		x = v[name, column, i] + 0
		for (j = i - 1; j >= 1 && s[j] > x; j--) s[j + 1] = s[j]
		s[j + 1] = x
	}
	return n % 2 ? s[(n + 1) / 2] : (s[n / 2] + s[n / 2 + 1]) / 2
}
function ratio(a, b) { return a > 0 && b > 0 ? a / b : 0 }
function number(x) { return x ? sprintf(x < 100 ? "%.1f" : "%.0f", x) : "-" }

# goal TEXT VALUE SENSE MUST AIM: "more" if it should be at least that, "less" if at most.
function goal(text, value, sense, must, aim,    mark) {
	if (value <= 0) { printf "  %-62s %8s   not measured\n", text, "-"; return }
	mark = sense == "less" ? (value <= must ? (value <= aim ? "aim reached" : "ok") : "MISSED") : (value >= must ? (value >= aim ? "aim reached" : "ok") : "MISSED")
	printf "  %-62s %8s   %s %-6s %-6s  %s\n", text, number(value), sense == "less" ? "<=" : ">=", must, aim, mark
}

END {
	ours = "metlog_count to push:"
	printf "%-42s %8s %8s %8s %8s %8s %8s\n", "", "p50", "p99", "p99.9", "mean", "no clock", "x ours"
	for (i = 1; i <= rows; i++) {
		name = order[i]
		printf "%-42s", name
		for (column = 1; column <= 5; column++) printf " %8s", number(median(name, column))
		r = ratio(median(name, 4), median(ours, 4))
		printf " %8s\n", r ? sprintf("%.2f", r) : ""
	}
	if (!(ours in runs)) exit
	clock = median("the clock, read twice", 1)
	print "\ngoals (p50 and p99 have one reading of the clock in them)                       value        must   aim"
	goal("metlog_count: p50, ns", median(ours, 1), "less", 150, 100)
	goal("    less the " number(clock) " of reading the clock", median(ours, 1) - clock, "less", 150, 100)
	goal("metlog_count: p99, ns", median(ours, 2), "less", 600, 300)
	goal("metlog_count: p50 / the ring alone", ratio(median(ours, 1), median("ring: clock_gettime, memcpy", 1)), "less", 2, 1.6)
	goal("udp send: p50 / metlog_count", ratio(median("udp send, text ready", 1), median(ours, 1)), "more", 10, 20)
	goal("spdlog async: mean / metlog_count", ratio(median("spdlog async to /dev/null, formatted", 4), median(ours, 4)), "more", 2, 4)
	goal("syslog(3): mean / metlog_count", ratio(median("syslog(3), formatted", 4), median(ours, 4)), "more", 12, 25)
	goal("metlog_count that is not sent, rate 0: ns", median("metlog_count, rate 0", 5), "less", 10, 5)
	goal("    rate 0.000001", median("metlog_count, rate 0.000001", 5), "less", 10, 5)
	goal("a disabled timer, begin and end: ns", median("metlog_timer, disabled", 5), "less", 10, 5)
	goal("a message that a filter leaves out: ns", median("metlog_send, left out by a filter", 5), "less", 10, 5)
	goal("Python: incr: p50 / incr of the statsd package", ratio(median("Python: metlog_incr", 1), median("Python: statsd_incr", 1)), "less", 1, 0.5)
	goal("Python: incr: p50, ns", median("Python: metlog_incr", 1), "less", 4600, 3000)
}
