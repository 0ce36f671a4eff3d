# hdfs.bash - Hadoop's mini cluster for suites: its jars by Maven once a machine, one cluster a suite on free loopback ports, told what to do by a control port.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
#   setup_file()    { load hdfs; hdfs_setup_file [--datanodes N] [--ha] [--https] [--httpfs] [--kerberos] [--conf NAME=VALUE]...; }
#   setup()         { load ../helper; load hdfs; hdfs_setup; }       skips the test, saying why, where the cluster cannot be had
#   teardown_file() { load hdfs; hdfs_teardown_file; }
#
# hdfs_setup sets: hdfs_nn (array: "127.0.0.1:PORT" of each namenode), hdfs_nns (array: the same, TLS), hdfs_dn (of the datanodes), hdfs_at ("webhdfs://" and all of them), hdfs_httpfs,
# hdfs_fs (for Hadoop's own clients), hdfs_dir (the cluster's: conf/core-site.xml for clients, conf/ca.pem, krb5.conf, metlog.keytab, log), hdfs_pid.
# Redirects lead to 127.0.0.1. With --kerberos the servers are HTTP/localhost, so a client has to ask for localhost. What the cluster is told: see hdfs below.

# hdfs_java CLASS...: Java with the class path of these suites. HttpFS and Streaming need java.lang to be open.
hdfs_java() {
	${hdfs_exec-} java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData --add-opens java.base/java.lang=ALL-UNNAMED \
		-Djava.net.preferIPv4Stack=true -Dlog4j.configuration="file:$hdfs_dir/conf/log4j.properties" \
		-cp "$hdfs_dir/conf:$(cat "$hdfs_dir/class-path")" "$@"
}

# hdfs_classes: sets hdfs_class_path, resolved and compiled once for these sources. 1, with the reason in hdfs_reason, if they cannot be had.
hdfs_classes() {
	local one here cache jars classes
	here=$(cd "$(dirname "${BASH_SOURCE[0]}")/hdfs" && pwd)
	for one in java javac mvn jq; do
		command -v "$one" >/dev/null || { hdfs_reason="$one is not installed"; return 1; }
	done
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/hdfs
	jars=$cache/jars-$(cksum <"$here/pom.xml" | tr ' ' -) classes=$cache/classes-$(cat "$here/pom.xml" "$here/MiniHdfs.java" | cksum | tr ' ' -)
	mkdir -p "$jars" "$classes"
	(
		# Two suites at once: the second finds what the first has made. What was broken off is begun again, and so is what names a jar that is gone.
		flock 8
		if ! [ -e "$jars/done" ] || ! xargs -r -d: ls <"$jars/class-path" >/dev/null 2>&1; then
			# A network that is away is not waited for by each suite anew.
			[ -z "$(find "$jars/failed" -mmin -10 2>/dev/null)" ] || exit 1
			cp "$here/pom.xml" "$jars" && cd "$jars" &&
				timeout 240 mvn -B -q -Dstyle.color=never dependency:build-classpath -Dmdep.outputFile=class-path >log 2>&1 && touch "$jars/done" ||
				{ echo 'ERROR: it failed, or took more than 240 s' >>log; touch failed; exit 1; }
		fi
		[ -e "$classes/done" ] || javac -nowarn -proc:none -d "$classes" -cp "$(cat "$jars/class-path")" "$here/MiniHdfs.java" >&2 && touch "$classes/done" || exit 2
	) 8>"$cache/lock" 3>&- || {
		local code=$?
		hdfs_reason="the jars of Hadoop cannot be had by Maven: $(grep -m1 ERROR "$jars/log" 2>&1 | cut -c1-200)"
		return $code
	}
	hdfs_class_path=$classes:$(cat "$jars/class-path")
}

# hdfs_setup_file OPTION...: for setup_file.
hdfs_setup_file() {
	local dir=$BATS_FILE_TMPDIR/hdfs code=0
	mkdir -p "$dir/conf"
	hdfs_classes || code=$?
	case $code in
	0) hdfs_start "$dir" "$@" ;;
	1) printf '%s\n' "$hdfs_reason" >"$dir/skip" ;;
	*) return "$code" ;;
	esac
}

# hdfs_start DIR OPTION...: starts a cluster and waits for it. DIR is its own.
hdfs_start() {
	local dir=$1
	shift
	mkdir -p "$dir/conf"
	cat >"$dir/conf/log4j.properties" <<-'E'
		log4j.rootLogger=WARN,err
		log4j.appender.err=org.apache.log4j.ConsoleAppender
		log4j.appender.err.target=System.err
		log4j.appender.err.layout=org.apache.log4j.PatternLayout
		log4j.appender.err.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
	E
	case " $* " in *' --https '*)
		keytool -genkeypair -alias server -keyalg RSA -keysize 2048 -validity 30 -dname CN=localhost -ext san=dns:localhost,ip:127.0.0.1 \
			-storetype PKCS12 -keystore "$dir/conf/keystore.p12" -storepass changeit >/dev/null 2>&1
		keytool -exportcert -rfc -alias server -keystore "$dir/conf/keystore.p12" -storepass changeit >"$dir/conf/ca.pem" 2>/dev/null
	esac
	printf '%s\n' "$hdfs_class_path" >"$dir/class-path"
	hdfs_exec=exec hdfs_dir=$dir hdfs_java MiniHdfs "$dir" --watch $$ "$@" >"$dir/log" 2>&1 </dev/null 3>&- &
	echo $! >"$dir/pid"
	disown
	local pid=$! deadline=$((SECONDS + 240))
	until [ -e "$dir/ready.json" ]; do
		if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
			echo "the cluster does not start: $(tail -20 "$dir/log")" >&2
			return 1
		fi
		sleep 0.05
	done
}

# hdfs_stop DIR, hdfs_teardown_file: by its process id, whatever state it is in.
hdfs_stop() {
	[ ! -e "$1/pid" ] || kill -9 "$(cat "$1/pid")" 2>/dev/null || true
}
hdfs_teardown_file() { hdfs_stop "$BATS_FILE_TMPDIR/hdfs"; }

# hdfs_setup [DIR]: for setup.
hdfs_setup() {
	hdfs_dir=${1:-$BATS_FILE_TMPDIR/hdfs}
	[ ! -e "$hdfs_dir/skip" ] || skip "$(cat "$hdfs_dir/skip")"
	hdfs_ready=$hdfs_dir/ready.json
	hdfs_control=$(jq .control "$hdfs_ready")
	hdfs_pid=$(jq .pid "$hdfs_ready")
	hdfs_fs=$(jq -r .fs "$hdfs_ready")
	mapfile -t hdfs_nn < <(jq -r '.namenodes[].http | "127.0.0.1:\(.)"' "$hdfs_ready")
	mapfile -t hdfs_nns < <(jq -r '.namenodes[].https | "127.0.0.1:\(.)"' "$hdfs_ready")
	# One that was stopped and started again has another.
	mapfile -t hdfs_dn < <(hdfs datanodes)
	hdfs_httpfs=127.0.0.1:$(jq .httpfs "$hdfs_ready")
	hdfs_at=webhdfs://$(IFS=,; echo "${hdfs_nn[*]}")
}

# hdfs WORD...: tells the cluster something, or asks it. Prints the answer; false, with the reason on stderr, if it refuses.
#   active|standby|stop-namenode|start-namenode I    stop-datanode I [dead] | start-datanode I    safemode on|off
#   quota PATH NAMES BYTES (-1: none)    mkdir PATH [OCTAL [OWNER]]    put LOCAL PATH    get PATH LOCAL    rm PATH    mv FROM TO
#   cat|count PATH: the lines of a file, or of all below, through Hadoop's codecs, without hidden ones    raw PATH: its bytes
#   ls PATH: "BYTES, tab, PATH" of every file below, hidden ones too    stat PATH: JSON of a file, or of each below    checksum PATH    token RENEWER    datanodes    exit
hdfs() (
	case $1 in
	put) set -- put "$(realpath -- "$2")" "$3" ;;
	get) set -- get "$2" "$(realpath -m -- "$3")" ;;
	esac
	IFS=$'\t'
	exec 9<>"/dev/tcp/127.0.0.1/$hdfs_control" || exit 1
	printf '%s\n' "$*" >&9
	IFS= read -r answer <&9 || answer='no: the cluster is gone'
	cat <&9
	[ "$answer" = ok ] && exit 0
	printf 'hdfs %s: %s\n' "$*" "$answer" >&2
	exit 1
)

# hdfs_base NAME: a new directory in which everybody may write, in $base; $to is its address.
hdfs_base() {
	base=/$BATS_SUITE_TEST_NUMBER-$1
	to=$hdfs_at$base
	hdfs mkdir "$base" 777
}

# publish ARGUMENT...: metlog-to-hdfs as a user of no rights of its own, towards $to; its streams and its status apart, as `separately` has them.
publish() { separately metlog-to-hdfs --to "$to" --user metlog --staging "$PWD/staging" "$@"; }

# expect_all FILE...: below $base is each line of the files, once, and no file under a temporary name.
expect_all() {
	hdfs cat "$base" >read.back
	sort read.back >read.sorted
	sort "$@" | cmp - read.sorted >&2 || fail "$(wc -l <read.back) lines are there instead of $(cat "$@" | wc -l): $(hdfs ls "$base" | head -20)"
	hdfs ls "$base" >listed
	run grep -F /. listed
	[ "$status" -eq 1 ] || fail "hidden: $output"
}

# expect_none_kept: nothing is left in the staging directory.
expect_none_kept() {
	local left
	left=$(find staging -name '*.item' -o -name '*.data' -o -name '*.ndjson' -o -name 'run-*')
	[ -z "$left" ] || fail "left: $left"
}

# expect_kept: something is, the message says where, and that it was not for good or why.
expect_kept() {
	[ -n "$(find staging -name '*.item')" ] || fail "nothing is kept: $(find staging)"
	expect_in "$err" "$PWD/staging"
}

# gate HOST:PORT [AFTER]: gate.py before a server: $gate is its address, $gate_pid its process.
gate() {
	rm -f gate.out asked
	python3 "$SOURCE/tests/peers/gate.py" "$@" >gate.out 2>gate.err 3>&- &
	gate_pid=$!
	disown
	children+=" $gate_pid"
	await 20 test -s gate.out || fail "$(cat gate.err)"
	gate=127.0.0.1:$(head -1 gate.out)
}
gate_holds() { grep -q held gate.out; }

# ended PID SECONDS: waits for a child, and leaves its exit status in $status.
ended() {
	status=0
	await "$2" hdfs_gone "$1" || fail "still running after $2 s: $(cat "$err")"
	wait "$1" || status=$?
}
hdfs_gone() { ! kill -0 "$1" || grep -q '^State:.*zombie' "/proc/$1/status"; }
