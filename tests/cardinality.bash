# cardinality - what the suites of metlog-cardinality's counts share: lines to count, totals, and what Redis would make of a sketch.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash

# lines JSON...: an envelope each, with these fields.
lines() { printf '{"type":"t","fields":%s}\n' "$@"; }

# total ARGUMENT...: the one number.
total() { metlog-cardinality --format json "$@" | jq -r .payload; }

# redis number|registers FILE...: what the format's description says of each file, by other code than ours: the estimate, or the registers that are not 0.
redis() {
	python3 - "$@" <<-'P'
		import math, sys
		def registers(data):
		    assert data[:4] == b"HYLL" and data[15] & 0x80, data[:16]
		    body, found, at = data[16:], [], 0
		    if data[4] == 0:
		        assert len(data) == 12304
		        for i in range(0, 12288, 3):
		            four = body[i] | body[i + 1] << 8 | body[i + 2] << 16
		            found += [four & 63, four >> 6 & 63, four >> 12 & 63, four >> 18]
		    while data[4] == 1 and at < len(body):
		        op = body[at]; at += 1
		        if op & 0x80: found += [(op >> 2 & 31) + 1] * ((op & 3) + 1)
		        elif op & 0x40: found += [0] * (((op & 63) << 8 | body[at]) + 1); at += 1
		        else: found += [0] * ((op & 63) + 1)
		    assert len(found) == 16384, len(found)
		    return found
		def sigma(x):
		    if x == 1: return math.inf
		    y, z, old = 1, x, None
		    while z != old: x *= x; old = z; z += x * y; y += y
		    return z
		def tau(x):
		    if x in (0, 1): return 0
		    y, z, old = 1, 1 - x, None
		    while z != old: x = math.sqrt(x); old = z; y *= .5; z -= (1 - x) ** 2 * y
		    return z / 3
		for name in sys.argv[2:]:
		    found = registers(open(name, "rb").read())
		    if sys.argv[1] == "registers":
		        print({i: r for i, r in enumerate(found) if r}); continue
		    counts = [found.count(k) for k in range(52)]
		    z = 16384 * tau(1 - counts[51] / 16384)
		    for k in range(50, 0, -1): z = (z + counts[k]) * .5
		    z += 16384 * sigma(counts[0] / 16384)
		    print(round(0.721347520444481703680 * 16384 * 16384 / z))
	P
}

# near TRUTH NUMBER: within three standard errors.
near() { awk -v t="$1" -v n="$2" 'BEGIN { d = n > t ? n - t : t - n; exit !(d <= t * 0.025) }' || fail "$2 is not near $1"; }

# numbers FROM TO: envelopes with these for fields.id.
numbers() { seq "$1" "$2" | sed 's/.*/{"fields":{"id":"user-&"}}/'; }
