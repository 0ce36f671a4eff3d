# report_scan.awk - medians of the scanner's kernels beside simdjson's.
# SPDX-License-Identifier: MPL-2.0

{ name = $1 " " $2; if (!(name in n)) order[++rows] = name; v[name, ++n[name]] = $3 }

function median(name,    i, j, x, s) {
	for (i = 1; i <= n[name]; i++) {
		x = v[name, i] + 0
		for (j = i - 1; j >= 1 && s[j] > x; j--) s[j + 1] = s[j]
		s[j + 1] = x
	}
	return n[name] % 2 ? s[(n[name] + 1) / 2] : (s[n[name] / 2] + s[n[name] / 2 + 1]) / 2
}

END {
	for (i = 1; i <= rows; i++) if (order[i] ~ /^simdjson/ && median(order[i]) > best) best = median(order[i])
	for (i = 1; i <= rows; i++)
		printf "  %-20s %7.2f GB/s%s\n", order[i], median(order[i]), best && order[i] !~ /^simdjson/ ? sprintf("   %.2f of simdjson", median(order[i]) / best) : ""
	if (best && n["avx2 full"]) printf "  goal: avx2 full at least 0.65 of simdjson: %.2f %s\n", median("avx2 full") / best, median("avx2 full") / best >= 0.65 ? "ok" : "MISSED"
}
