# syslog.bash - rsyslog and syslog-ng for suites: unpacked once a machine without being installed, started on free loopback ports over UDP, TCP, TLS and a unix socket.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
#   setup_file() { load ../helper; load syslog; syslog_setup_file; }     what has to be fetched, and the test's certificates: $syslog_pki
#   setup()      { load ../helper; load syslog; syslog_setup; }          skips the test, saying why, where a server cannot be had
#   teardown()   { syslog_stop; }
#
# Debian's packages of the two exclude each other, and installing one begins to log the machine; so they are taken apart into a cache and run from there, with the libraries of theirs that are not installed.
# syslog_start KIND starts one, in the directory ./KIND, and sets: syslog_pid; syslog_udp, syslog_tcp, syslog_counted, syslog_tls, syslog_mutual (which demands a client's certificate): ports; syslog_unix: a path.
# What it has read is in KIND/stored, a record a line, as it came with its header; in KIND/read, a JSON object a record: from, host, time, facility, severity, tag, app, procid, msgid, msg.

syslog_cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/syslog
syslog_packages='rsyslog rsyslog-openssl rsyslog-gnutls syslog-ng-core liblognorm-utils'

# syslog_unpack: leaves the servers in $syslog_root. 1, with the reason in syslog_reason, if they cannot be had.
syslog_unpack() {
	local log=$syslog_cache/unpack.log
	syslog_root=$syslog_cache/root
	[ ! -e "$syslog_root/done" ] || return 0
	has apt-get && has dpkg-deb || { syslog_reason='rsyslog and syslog-ng are taken from packages of Debian, and apt-get is not here'; return 1; }
	mkdir -p "$syslog_cache"
	(
		# Two suites at once: the second finds what the first has made. A network that is away is not waited for by each anew.
		flock 8
		[ ! -e "$syslog_root/done" ] || exit 0
		[ -z "$(find "$syslog_cache/failed" -mmin -10 2>/dev/null)" ] || exit 1
		syslog_unpack_new >"$log" 2>&1 || { touch "$syslog_cache/failed"; exit 1; }
	) 8>"$syslog_cache/lock" 3>&- || {
		syslog_reason="apt-get cannot download rsyslog and syslog-ng: $(grep -m1 '^E:' "$log" || tail -1 "$log")"
		return 1
	}
}

syslog_unpack_new() {
	local new=$syslog_cache/new one
	rm -rf "$new" "$syslog_root"
	mkdir -p "$new/debs" "$new/root" && cd "$new/debs" || return
	# shellcheck disable=SC2086
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $syslog_packages | grep '^[a-z0-9]' | sort -u >../wanted || return
	# shellcheck disable=SC2016
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u >../here
	# What is an alternative to something installed may be there, too, and does no harm.
	# shellcheck disable=SC2046,SC2086
	set -- $(comm -23 ../wanted ../here) $syslog_packages
	timeout 120 apt-get download "$@" || { [ "$(id -u)" -eq 0 ] && timeout 120 apt-get -qq update && timeout 120 apt-get download "$@"; } || return
	for one in *.deb; do dpkg-deb -x "$one" ../root || return; done
	cd .. && mv root "$syslog_root" && rm -rf "$new" && touch "$syslog_root/done"
}

# What runs one of the unpacked programs in place of this shell: syslog_run PROGRAM ARGUMENT...
syslog_run() {
	local one path=$syslog_root/usr/lib/syslog-ng
	for one in "$syslog_root"/usr/lib/*-linux-gnu* "$syslog_root"/lib/*-linux-gnu*; do path=$path:$one; done
	LD_LIBRARY_PATH=$path PATH=$syslog_root/usr/sbin:$syslog_root/usr/bin:$PATH exec "$@"
}

# syslog_pki_make DIRECTORY: a CA (ca.pem); server: for localhost and 127.0.0.1; client; and servers that are not to be trusted: wrong (another host), expired, self.
syslog_pki_make() (
	mkdir -p "$1" && cd "$1" || exit
	exec >openssl.log 2>&1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 3650 -subj '/CN=metlog test CA' || exit
	syslog_certificate server DNS:localhost,IP:127.0.0.1 -days 3650 &&
		syslog_certificate client DNS:client.example.com -days 3650 &&
		syslog_certificate wrong DNS:logs.example.net -days 3650 &&
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout self.key -out self.pem -days 3650 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 &&
		syslog_certificate expired DNS:localhost,IP:127.0.0.1 -not_before 20200101000000Z -not_after 20200201000000Z
)

# syslog_certificate NAME ALTERNATIVES OPTION...: signed by the CA of this directory. A version of openssl that cannot be told when it begins is told by faketime.
syslog_certificate() {
	local name=$1 alternatives=$2 sign=(openssl)
	shift 2
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" || return
	case $1 in -not_before)
		sign=(faketime '2020-01-01 00:00:00' openssl)
		set -- -days 31
	esac
	"${sign[@]}" x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" -out "$name.pem" -extfile <(printf 'subjectAltName=%s\n' "$alternatives") "$@"
}

# syslog_python: a virtual environment with pycef, in $syslog_venv, or 1 with the reason.
syslog_python() {
	local log=$syslog_cache/pip.log
	syslog_venv=$syslog_cache/venv
	[ ! -e "$syslog_venv/done" ] || return 0
	mkdir -p "$syslog_cache"
	(
		flock 8
		[ ! -e "$syslog_venv/done" ] || exit 0
		[ -z "$(find "$syslog_cache/pip.failed" -mmin -10 2>/dev/null)" ] || exit 1
		{ python3 -m venv --clear "$syslog_venv" && timeout 120 "$syslog_venv/bin/pip" install pycef==1.11 && touch "$syslog_venv/done"; } >"$log" 2>&1 || { touch "$syslog_cache/pip.failed"; exit 1; }
	) 8>"$syslog_cache/lock" 3>&- || {
		syslog_reason="pip cannot install pycef: $(tail -1 "$log")"
		return 1
	}
}

# syslog_setup_file: for setup_file.
syslog_setup_file() {
	local dir=$BATS_FILE_TMPDIR
	syslog_unpack && syslog_python || { printf '%s\n' "$syslog_reason" >"$dir/skip"; return; }
	has openssl || { echo 'openssl is not installed' >"$dir/skip"; return; }
	has faketime || { echo 'faketime is not installed' >"$dir/skip"; return; }
	syslog_pki_make "$dir/pki" || { cat "$dir/pki/openssl.log" >&2; return 1; }
}

# syslog_setup: for setup.
syslog_setup() {
	cd "$BATS_TEST_TMPDIR" || return
	syslog_pid='' children=''
	[ ! -e "$BATS_FILE_TMPDIR/skip" ] || skip "$(cat "$BATS_FILE_TMPDIR/skip")"
	[ -x "$TOOLS/metlog-to-cef" ] || skip 'metlog-to-cef is not built'
	syslog_root=$syslog_cache/root syslog_venv=$syslog_cache/venv syslog_pki=$BATS_FILE_TMPDIR/pki
}

# syslog_start rsyslog|syslog-ng [NAME=VALUE]...: starts one and waits until it listens. certificate=NAME of $syslog_pki (default: server); driver=ossl|gtls for rsyslog.
syslog_start() {
	local try
	syslog_kind=$1 syslog_certificate=server syslog_driver=ossl
	shift
	for try; do declare -g "syslog_$try"; done
	for try in 1 2 3 4 5; do
		# The ports were free a moment ago; if another process takes one first, the next ones are tried.
		read -r syslog_udp syslog_tcp syslog_counted syslog_tls syslog_mutual < <(python3 -c '
import socket
all = [socket.socket(type=socket.SOCK_DGRAM)] + [socket.socket() for _ in range(4)]
for one in all: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in all))')
		rm -rf "$syslog_kind"
		mkdir -p "$syslog_kind"
		syslog_unix=$PWD/$syslog_kind/log
		syslog_configure_"$syslog_kind" "$PWD/$syslog_kind"
		syslog_again && return 0
	done
	fail "$syslog_kind does not start: $(cat "$syslog_kind/errors")"
}

# syslog_again: starts it once more, with what it had.
syslog_again() {
	local dir=$PWD/$syslog_kind
	rm -f "$syslog_unix" "$dir/pid"
	touch "$dir/stored" "$dir/read"
	case $syslog_kind in
	rsyslog) syslog_run rsyslogd -n -i "$dir/pid" -f "$dir/conf" -M "$(echo "$syslog_root"/usr/lib/*/rsyslog)" ;;
	syslog-ng)
		syslog_run syslog-ng -F --no-caps --stderr --cfgfile="$dir/conf" --persist-file="$dir/persist" --pidfile="$dir/pid" --control="$dir/control" \
			--module-path="$(echo "$syslog_root"/usr/lib/syslog-ng/[0-9]*)" ;;
	esac </dev/null >>"$dir/errors" 2>&1 3>&- 7>&- &
	syslog_pid=$!
	disown
	await 20 syslog_up || return 1
	if kill -0 "$syslog_pid" 2>/dev/null; then return 0; fi
	syslog_pid=''
	return 1
}

# Up, with all it has to listen to, or over.
syslog_up() {
	local one
	kill -0 "$syslog_pid" 2>/dev/null || return 0
	for one in $syslog_tcp $syslog_counted $syslog_tls $syslog_mutual; do
		(exec 9<>"/dev/tcp/127.0.0.1/$one") 2>/dev/null || return 1
	done
	[ -S "$syslog_unix" ] && [ -n "$(syslog_udp_row)" ]
}
syslog_udp_row() { awk -v port="$(printf ':%04X' "$syslog_udp")" 'index($2, port)' /proc/net/udp; }

# syslog_drops: datagrams that its UDP socket had no room for.
syslog_drops() { syslog_udp_row | awk '{ sum += $NF } END { print sum + 0 }'; }

# syslog_kill [SIGNAL]: ends it, at once by default, and waits for that. A record that was left without its end is none.
# shellcheck disable=SC2120
syslog_kill() {
	[ -z "$syslog_pid" ] || kill -"${1:-KILL}" "$syslog_pid" 2>/dev/null || true
	await 20 syslog_gone
	syslog_pid=''
	[ -z "$(tail -c 1 "$syslog_kind/stored")" ] || sed -i '$d' "$syslog_kind/stored"
}

# syslog_kill_reading PORT: kills it while there is something in its socket that it has not read. One that has read everything and dies before it has written that looks from outside like one that has written it.
syslog_kill_reading() {
	local try
	for try in {1..500}; do
		kill -STOP "$syslog_pid"
		if await 1 syslog_has_unread "$1"; then
			syslog_kill
			return
		fi
		kill -CONT "$syslog_pid"
		sleep 0.01
	done
	fail 'the server has always read everything'
}
# More than the end of a connection, which counts as one byte.
syslog_has_unread() { awk -v port="$(printf ':%04X' "$1")" 'index($2, port) && ($4 == "01" || $4 == "08") { split($5, queue, ":"); if (queue[2] !~ /^0000000[01]$/) found = 1 } END { exit !found }' /proc/net/tcp; }
syslog_gone() { [ -z "$syslog_pid" ] || ! kill -0 "$syslog_pid" 2>/dev/null; }

# syslog_stop: for teardown.
syslog_stop() {
	local pid
	[ -z "${syslog_pid-}" ] || kill -9 "$syslog_pid" 2>/dev/null || true
	for pid in ${children-}; do kill -9 "$pid" 2>/dev/null || true; done
}

# Messages are stored by the thread that has read them, before it reads on, so a connection is ended by us only when all that came over it is in the file.
syslog_configure_rsyslog() {
	local dir=$1 driver
	driver="StreamDriver.Name=\"$syslog_driver\" StreamDriver.Mode=\"1\" StreamDriver.CAFile=\"$syslog_pki/ca.pem\" StreamDriver.CertFile=\"$syslog_pki/$syslog_certificate.pem\" StreamDriver.KeyFile=\"$syslog_pki/$syslog_certificate.key\""
	cat >"$dir/conf" <<-E
		global(workDirectory="$dir" maxMessageSize="256k" parser.escapeControlCharactersOnReceive="off" net.enableDNS="off" net.acladdhostnameonfail="off" internalmsg.severity="debug")
		main_queue(queue.type="Direct")
		module(load="imudp" batchSize="128")
		module(load="imtcp" maxSessions="200")
		module(load="imuxsock" SysSock.Use="off")
		template(name="stored" type="string" string="%rawmsg%\\n")
		template(name="read" type="list" option.jsonf="on") {
			property(outname="from" name="inputname" format="jsonf")
			property(outname="host" name="hostname" format="jsonf")
			property(outname="time" name="timereported" format="jsonf" dateFormat="rfc3339")
			property(outname="facility" name="syslogfacility-text" format="jsonf")
			property(outname="severity" name="syslogseverity-text" format="jsonf")
			property(outname="tag" name="syslogtag" format="jsonf")
			property(outname="app" name="app-name" format="jsonf")
			property(outname="procid" name="procid" format="jsonf")
			property(outname="msgid" name="msgid" format="jsonf")
			property(outname="msg" name="msg" format="jsonf")
		}
		ruleset(name="all" queue.type="Direct") {
			action(type="omfile" file="$dir/stored" template="stored" asyncWriting="off" ioBufferSize="64k" flushOnTXEnd="on")
			action(type="omfile" file="$dir/read" template="read" asyncWriting="off" ioBufferSize="64k" flushOnTXEnd="on")
		}
		input(type="imudp" address="127.0.0.1" port="$syslog_udp" rcvbufSize="16m" ruleset="all")
		input(type="imtcp" address="127.0.0.1" port="$syslog_tcp" ruleset="all")
		input(type="imtcp" address="127.0.0.1" port="$syslog_counted" ruleset="all")
		input(type="imtcp" address="127.0.0.1" port="$syslog_tls" ruleset="all" $driver StreamDriver.AuthMode="anon")
		input(type="imtcp" address="127.0.0.1" port="$syslog_mutual" ruleset="all" $driver StreamDriver.AuthMode="x509/certvalid")
		input(type="imuxsock" socket="$syslog_unix" ruleset="all" useSysTimeStamp="off" ignoreTimestamp="off" useSpecialParser="off" parseHostname="off" usePIDFromSystem="off" rateLimit.interval="0")
		action(type="omfile" file="$dir/errors")
	E
}

syslog_configure_syslog-ng() {
	local dir=$1 tls
	tls="key-file(\"$syslog_pki/$syslog_certificate.key\") cert-file(\"$syslog_pki/$syslog_certificate.pem\") ca-file(\"$syslog_pki/ca.pem\")"
	cat >"$dir/conf" <<-E
		@version: 3.38
		options { log-msg-size(262144); stats-freq(0); frac-digits(6); use-dns(no); dns-cache(no); keep-hostname(yes); keep-timestamp(yes); chain-hostnames(no); create-dirs(no); time-reopen(1); log-fifo-size(20000); };
		source s_udp { network(transport(udp) ip(127.0.0.1) port($syslog_udp) so-rcvbuf(16777216) flags(store-raw-message)); };
		source s_tcp { network(transport(tcp) ip(127.0.0.1) port($syslog_tcp) max-connections(200) flags(store-raw-message)); };
		source s_counted { syslog(transport(tcp) ip(127.0.0.1) port($syslog_counted) max-connections(200) flags(store-raw-message)); };
		source s_tls { syslog(transport(tls) ip(127.0.0.1) port($syslog_tls) max-connections(200) flags(store-raw-message) tls($tls peer-verify(optional-untrusted))); };
		source s_mutual { syslog(transport(tls) ip(127.0.0.1) port($syslog_mutual) max-connections(200) flags(store-raw-message) tls($tls peer-verify(required-trusted))); };
		source s_unix { unix-dgram("$syslog_unix" flags(store-raw-message)); };
		source s_internal { internal(); };
		destination stored { file("$dir/stored" template("\${RAWMSG}\\n")); };
		destination read { file("$dir/read" template("\$(format-json from=\${SOURCE} host=\${HOST} time=\${ISODATE} facility=\${FACILITY} severity=\${LEVEL} tag=\${MSGHDR} app=\${PROGRAM} procid=\${PID} msgid=\${MSGID} msg=\${MESSAGE})\\n")); };
		destination errors { file("$dir/errors"); };
		log { source(s_udp); source(s_tcp); source(s_counted); source(s_tls); source(s_mutual); source(s_unix); destination(stored); destination(read); flags(flow-control); };
		log { source(s_internal); destination(errors); };
	E
}

# --- metlog-to-cef towards them ---

# model COMMAND...: cef_model.py, with the parsers.
model() ( syslog_run "$syslog_venv/bin/python" "$SOURCE/tests/peers/cef_model.py" "$@" )

# model_setup_file COUNT SEED: random envelopes for a suite: input, model and map in $BATS_FILE_TMPDIR. CEF_COUNT, or FAULTS=long for 100,000 of them.
model_setup_file() {
	local count=$1
	[ "${FAULTS-}" != long ] || count=100000
	count=${CEF_COUNT:-$count}
	[ ! -e "$BATS_FILE_TMPDIR/skip" ] || return 0
	cd "$BATS_FILE_TMPDIR" || return
	model make "$count" "$2" model map >input
	echo "$count" >count
}
model_setup() { input=$BATS_FILE_TMPDIR/input model=$BATS_FILE_TMPDIR/model map=$BATS_FILE_TMPDIR/map count=$(cat "$BATS_FILE_TMPDIR/count"); }

# cef OPTION...: metlog-to-cef with the map of the model; its books in ./books, its streams and its status apart, as `separately` has them.
cef() {
	rm -f books rejects
	separately metlog-to-cef --map "$map" --rejects rejects --stats books --max-bytes 65000 "$@"
}

# books NAME: a number of the books; kept is not there where it is 0.
books() { jq -s "last.fields.$1 // 0" books; }

# expect_books NAME=NUMBER...
expect_books() {
	local one
	for one; do
		[ "$(books "${one%%=*}")" = "${one#*=}" ] || fail "not $one: $(cat books)"
	done
}

# expect_rejects_none: nothing was refused.
expect_rejects_none() { [ ! -s rejects ] || fail "rejects: $(head -c 2000 rejects)"; }

# stored_count: the records that the server has stored.
stored_count() { wc -l <"$syslog_kind/stored"; }
stored_has() { [ "$(stored_count)" -ge "$1" ]; }

# expect_stored [--again]: what the server has stored is what the model says, once each (or at least once). Lines that the parsers have read on standard output need not be read again, but in the long set.
expect_stored() {
	[ ! -e "$BATS_FILE_TMPDIR/known" ] || [ "${FAULTS-}" = long ] || set -- "$@" --known "$BATS_FILE_TMPDIR/known"
	model compare "$model" "$syslog_kind/stored" "$@" >differences || fail "$(cat differences)"
}
