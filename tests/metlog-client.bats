# metlog-client.bats - what metlog-client(5) says of the configuration file, in each of the languages that read it.
# SPDX-License-Identifier: MPL-2.0

setup_file() {
	load helper
	# Each makes a client of every file it is given; of one that is no good it says "FILE> " and why.
	cat >"$BATS_FILE_TMPDIR/read.c" <<-'END'
		#include "client/metlog.h"
		#include <stdio.h>
		int main(int argc, char **argv)
		{
			int status = 0;

			for (int i = 1; i < argc; i++) {
				struct metlog_fault fault;
				struct metlog *m = metlog_open_config(argv[i], NULL, &fault);

				if (m == NULL) {
					fprintf(stderr, "%s> %s\n", argv[i], fault.text);
					status = 78;
					continue;
				}
				metlog_send(m, "order", METLOG_SEVERITY_DEFAULT, "paid", METLOG_NONE);
				metlog_send(m, "trace", METLOG_INFORMATIONAL, "here", METLOG_NONE);
				metlog_debug(m, "seen");
				struct metlog_timer timer = metlog_timer_begin(m, "db.query", 1);
				metlog_timer_end(&timer, METLOG_NONE);
				metlog_close(m, -1, NULL);
			}
			return status;
		}
	END
	if [ -e "$TOOLS/../libmetlog.a" ] && ! sanitized; then
		cc -std=c11 -I"$SOURCE/libcommon" -o "$BATS_FILE_TMPDIR/read" "$BATS_FILE_TMPDIR/read.c" "$TOOLS/../libmetlog.a" -pthread -ldl -lm
	fi
	cat >"$BATS_FILE_TMPDIR/read.py" <<-'END'
		import sys
		from metlog import client_from_file
		status = 0
		for path in sys.argv[1:]:
		    try:
		        metlog = client_from_file(path)
		    except Exception as error:
		        sys.stderr.write(path + "> " + str(error) + "\n")
		        status = 78
		        continue
		    metlog.metlog("order", payload="paid")
		    metlog.metlog("trace", severity=6, payload="here")
		    metlog.debug("seen")
		    with metlog.timer("db.query"):
		        pass
		    metlog.close()
		sys.exit(status)
	END
	cat >"$BATS_FILE_TMPDIR/read.js" <<-'END'
		const { createClient } = require(process.env.SOURCE + '/contrib/node');
		for (const path of process.argv.slice(2)) {
			let metlog;
			try { metlog = createClient.fromFile(path); } catch (error) {
				console.error(path + '> ' + error.message);
				process.exitCode = 78;
				continue;
			}
			metlog.metlog('order', { payload: 'paid' });
			metlog.metlog('trace', { severity: 6, payload: 'here' });
			metlog.debug('seen');
			metlog.time('db.query', () => {});
			metlog.close();
		}
	END
}

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SOURCE/contrib/python
	languages=()
	[ ! -x "$BATS_FILE_TMPDIR/read" ] || languages+=(c)
	! has python3 || languages+=(python)
	! has node || languages+=(node)
	[ ${#languages[@]} -gt 0 ] || skip "there is neither libmetlog.a, nor python3, nor node"
}

# read_by LANGUAGE FILE...: a client is made from each file, and sends an order, a trace, a debug message and a timer.
read_by() {
	local language=$1
	shift
	case $language in
	c) separately "$BATS_FILE_TMPDIR/read" "$@" ;;
	python) separately python3 "$BATS_FILE_TMPDIR/read.py" "$@" ;;
	node) separately node "$BATS_FILE_TMPDIR/read.js" "$@" ;;
	esac
}

# good LINE...: the file of these lines is taken in each language, and what its client sends is the same in each; the types that were sent are left in $came.
good() {
	local language
	for language in "${languages[@]}"; do
		printf '%s\n' "$@" | sed "s,@,$PWD/$language.ndjson," >good.ini
		rm -f "$language.ndjson"
		read_by "$language" good.ini
		expect_status 0 || fail "$language: $*"
		came=$(sed -E 's/^\{"type":"([^"]*)".*/\1/' "$language.ndjson" | tr '\n' ' ')
		sed -E 's/"timestamp":"[^"]*"/"timestamp":"@"/; s/"metlog_pid":[0-9]+/"metlog_pid":0/; s/("type":"timer".*"payload":)"[^"]*"/\1"@"/' "$language.ndjson" >"$language.plain"
		expect_same "${languages[0]}.plain" "$language.plain" || fail "$language: $*"
	done
}

# bad PATTERN LINE...: one more file that no language takes; the message says that.
bad() {
	patterns+=("$1")
	shift
	printf '%s\n' "$@" >"bad${#patterns[@]}.ini"
}

# refused: all those files are refused, in each language, and the messages name the line of the mistake (in Python the key does).
refused() {
	local language i
	for language in "${languages[@]}"; do
		read_by "$language" bad*.ini
		expect_status 78
		for ((i = 1; i <= ${#patterns[@]}; i++)); do
			grep "^bad$i.ini> " "$err" >said || fail "$language took: $(cat "bad$i.ini")"
			grep -qE -- "> .*(${patterns[i - 1]})" said || fail "$language: $(cat said "bad$i.ini")"
			[ "$language" = python ] || grep -qE "> .*bad$i.ini:[0-9]+" said || fail "$language names no line: $(cat said)"
		done
	done
}

@test "all three languages are tried here" {
	[ ${#languages[@]} -eq 3 ] || skip "only ${languages[*]}: there is no libmetlog.a, or it is a sanitizer build, or python3 or node is missing"
}

@test "each key of the page is taken in each language, and there is no other" {
	declare -A values=([logger]=shop [hostname]=web1 [severity]=5 [disabled_timers]='cache.get *' [when_full]=drop [buffer]=64Ki [line]=4k [threads]=3 [close]=250ms
		[insecure]=yes [curve_secret]='' [curve_server]='' [endpoint]='')
	keys=$(sed -n '/^\.Ss \[metlog\]/,/^\.Ss/s/^\.It Cm //p' "$SOURCE/man/metlog-client.5")
	[ "$(sort <<<"$keys")" = "$(printf '%s\n' "${!values[@]}" | sort)" ] || fail "the page has: $keys"
	lines=()
	for key in $keys; do
		# a CURVE key goes with a ZeroMQ endpoint only
		[ -z "${values[$key]}" ] || lines+=("$key = ${values[$key]}")
	done
	good '[metlog]' 'endpoint = file:@' "${lines[@]}"
	[ "$came" = "order trace oldstyle " ] || fail "$came"
	grep -q '"type":"order",.*"logger":"shop","severity":5,.*"metlog_hostname":"web1"}' "${languages[0]}.ndjson" || fail "$(cat "${languages[0]}.ndjson")"
	bad loger '[metlog]' 'endpoint = file:x' 'loger = shop'
	bad metlog_filters '[metlog]' 'endpoint = file:x' '[metlog_filters]' 'provider = type_deny'
	bad metlogger '[metlog]' 'endpoint = file:x' '[metlogger]'
	refused
}

@test "other sections and comments are passed over, values go on in indented lines" {
	good '# a comment' '[shop]' 'endpoint = nonsense' 'colour' '[metlog]' '; another' 'endpoint: file:@' 'logger=shop' 'disabled_timers =' '    cache.get' '    db.query' '' '[other]' 'x = y'
	[ "$came" = "order trace oldstyle " ] || fail "$came"
}

@test "filters must all pass" {
	good '[metlog]' 'endpoint = file:@' '[metlog_filter_a]' 'provider = severity_max' 'severity = 6'
	[ "$came" = "order trace timer " ] || fail "$came"
	good '[metlog]' 'endpoint = file:@' '[metlog_filter_a]' 'provider = type_allow' 'types = order timer' '[metlog_filter_b]' 'provider = type_deny' 'types = timer'
	[ "$came" = "order " ] || fail "$came"
	good '[metlog]' 'endpoint = file:@' '[metlog_filter_a]' 'provider = type_severity_max' 'types = trace:4 order:6'
	[ "$came" = "order oldstyle timer " ] || fail "$came"
	bad severity_min '[metlog]' 'endpoint = file:x' '[metlog_filter_a]' 'provider = severity_min' 'severity = 6'
	refused
}

@test "the names that the original client had for the filters are taken" {
	good '[metlog]' 'endpoint = file:@' '[metlog_filter_a]' 'provider = metlog.filters.type_blacklist_provider' 'types = trace' '[metlog_filter_b]' 'provider = metlog.filters.severity_max_provider' 'severity = 6'
	[ "$came" = "order timer " ] || fail "$came"
	good '[metlog]' 'endpoint = file:@' '[metlog_filter_a]' 'provider=metlog.filters.type_whitelist_provider' 'types=' '  trace' '  oldstyle'
	[ "$came" = "trace oldstyle " ] || fail "$came"
}

@test "a value may come from the environment; a variable that is not set is a mistake" {
	export SHOP_LOGGER=billing
	good '[metlog]' 'endpoint = file:@' 'logger = ${SHOP_LOGGER}'
	grep -q '"logger":"billing"' "${languages[0]}.ndjson" || fail "$(cat "${languages[0]}.ndjson")"
	bad SHOP_NONE '[metlog]' 'endpoint = file:x' 'logger = ${SHOP_NONE}'
	refused
}

@test "a value that cannot be is refused, with the key, or what stands there" {
	bad 'severity|"8"' '[metlog]' 'endpoint = file:x' 'severity = 8'
	bad 'buffer|much' '[metlog]' 'endpoint = file:x' 'buffer = much'
	bad 'close|soon' '[metlog]' 'endpoint = file:x' 'close = soon'
	bad 'when_full|wait' '[metlog]' 'endpoint = file:x' 'when_full = wait'
	bad 'insecure|perhaps' '[metlog]' 'endpoint = file:x' 'insecure = perhaps'
	bad "buffer|3" '[metlog]' 'endpoint = file:x' 'buffer'
	refused
}
