# users - what the suites of users by interval share: the run, its gauges, envelopes.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2154

# users [OPTION...] [FILE...]: Ichnaea's job, but that the intervals end with the newest day.
users() { separately metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d --state state "$@"; }

# gauges: what the last run has written, as statsd sees it.
gauges() { metlog-to-statsd --tags dogstatsd --dry-run "$out" | LC_ALL=C sort; }

# expect_gauges LINE...: those, in any order, and no others.
expect_gauges() { expect_status 0 && diff <(printf '%s\n' "$@" | sed '/^$/d' | LC_ALL=C sort) <(gauges); }

# call TIME KEY ADDRESS: an envelope.
call() { printf '{"timestamp":"%s","type":"counter","payload":"1","fields":{"name":"request","api_key":"%s","ip":"%s"}}\n' "$1" "$2" "$3"; }

# all_of DIR: every byte in it, and when it was written.
all_of() { (cd "$1" && find . -type f -printf '%p %i %T@\n' | sort && find . -type f -exec sha256sum {} + | sort); }

# calls SEED COUNT: random calls of ten days, with the model's answer for each day D in the file expected.D.
calls() {
	python3 - "$1" "$2" <<-'P'
		import datetime, json, random, sys
		rng, seen = random.Random(int(sys.argv[1])), {}
		first = datetime.date(2012, 10, 1)
		with open("in", "w") as out:
		    for _ in range(int(sys.argv[2])):
		        day, key = first + datetime.timedelta(rng.randrange(10)), rng.choice("abcdefgh")
		        if key == "h" and day.day % 3:
		            continue
		        address = "10.%d.0.%d" % (ord(key) % 3, rng.randrange({"a": 3, "b": 40}.get(key, 200)))
		        stamp = "%sT%02d:%02d:%02dZ" % (day, rng.randrange(24), rng.randrange(60), rng.randrange(60))
		        seen.setdefault((key, day), set()).add(address)
		        print(json.dumps({"timestamp": stamp, "fields": {"api_key": key, "ip": address}}), file=out)
		for n in range(10):
		    today = first + datetime.timedelta(n)
		    with open("expected.%d" % today.day, "w") as out:
		        for key in "abcdefgh":
		            for days in (1, 7):
		                found = set().union(*(seen.get((key, today - datetime.timedelta(back)), ()) for back in range(days)))
		                if found:
		                    print("locate.user:%d|g|#key:%s,interval:%dd" % (len(found), key, days), file=out)
	P
}
