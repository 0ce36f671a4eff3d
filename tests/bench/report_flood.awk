# report_flood.awk - medians of what client.sh measured of floods.
# SPDX-License-Identifier: MPL-2.0
# Input: name TAB "M/s caller-ns sender-ns receiver-ns lost peak-MiB".

BEGIN { FS = "\t" }

{
	if (!($1 in runs)) order[++rows] = $1
	n = ++runs[$1]
	split($2, t, " ")
	for (i = 1; i <= 6; i++) v[$1, i, n] = t[i]
	if (t[5] > lost[$1]) lost[$1] = t[5]
}

function median(name, column,    i, j, x, n, s) {
	n = runs[name]
	for (i = 1; i <= n; i++) {
		x = v[name, column, i] + 0
		for (j = i - 1; j >= 1 && s[j] > x; j--) s[j + 1] = s[j]
		s[j + 1] = x
	}
	return n % 2 ? s[(n + 1) / 2] : (s[n / 2] + s[n / 2 + 1]) / 2
}

END {
	printf "%-30s %10s %38s %10s %10s\n", "", "million/s", "cpu ns a message: callers sender recv", "lost", "peak MiB"
	for (i = 1; i <= rows; i++) {
		name = order[i]
		printf "%-30s %10.2f %22.0f %7.0f %7.0f %10d %10.1f\n", name, median(name, 1), median(name, 2), median(name, 3), median(name, 4), lost[name], median(name, 6)
	}
	name = "push: to /dev/null"
	if (name in runs) printf "  %-62s %8.2f   >= 1      %s\n", "push: to metlog-recv, million messages a second", median(name, 1), median(name, 1) < 1 || lost[name] ? "MISSED" : "ok"
}
