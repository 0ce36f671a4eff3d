# hdfs-hive.bats - Hive's own classes and what metlog-to-hdfs publishes for them: JSON SerDes of Hive 3 and 4 over its lines, and the names of its partitions.
# SPDX-License-Identifier: MPL-2.0

hcatalog=org.apache.hive.hcatalog.data.JsonSerDe
serde2=org.apache.hadoop.hive.serde2.JsonSerDe

# The jars of Hive for both versions, and HiveLines compiled against each: once a machine. False with the reason in hdfs_reason.
hive_classes() {
	local here one sum
	hdfs_classes || return 1
	here=$(dirname "${BASH_SOURCE[0]}")/hdfs/hive
	[ -e "$here/pom.xml" ] || here=$BATS_TEST_DIRNAME/hdfs/hive
	sum=$(cat "$here/pom.xml" "$here/HiveLines.java" | cksum)
	hive_cache=${XDG_CACHE_HOME:-$HOME/.cache}/metlog-tests/hive/${sum// /-}
	mkdir -p "$hive_cache"
	(
		flock 8
		[ ! -e "$hive_cache/done" ] || cat "$hive_cache"/*/class-path | tr '\n' : | xargs -r -d: ls >/dev/null 2>&1 || rm "$hive_cache/done"
		[ ! -e "$hive_cache/done" ] || exit 0
		cp "$here/pom.xml" "$here/HiveLines.java" "$hive_cache" && cd "$hive_cache" || exit 1
		for one in 3.1.3:2.7.0 4.0.1:4.0.1; do
			mkdir -p "${one%:*}"
			timeout 300 mvn -B -q -Dstyle.color=never -Dhive="${one%:*}" -Dstorage="${one#*:}" dependency:build-classpath -Dmdep.outputFile="${one%:*}/class-path" >mvn.log 2>&1 &&
				echo >>"${one%:*}/class-path" &&
				javac -encoding UTF-8 -nowarn -proc:none -d "${one%:*}" -cp "$(cat "${one%:*}/class-path"):$hdfs_class_path" HiveLines.java >javac.log 2>&1 || exit 1
		done
		touch "$PWD/done"
	) 8>"$hive_cache/lock" 3>&- || { hdfs_reason="the jars of Hive cannot be had by Maven: $(cat "$hive_cache"/*.log | grep -m1 -E 'ERROR|error' | cut -c1-200)"; return 1; }
}

# hive VERSION ARGUMENT...: HiveLines.
hive() {
	local version=$1
	shift
	LC_ALL=C.UTF-8 java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData --add-opens java.base/java.net=ALL-UNNAMED \
		-cp "$hive_cache/$version:$(cat "$hive_cache/$version/class-path"):$hdfs_class_path" HiveLines "$@" 2>hive.err || fail "$(tail -5 hive.err)"
}

setup() {
	load ../helper
	load hdfs
	cd "$BATS_TEST_TMPDIR"
	hive_classes || skip "$hdfs_reason"
	rows=$BATS_TEST_DIRNAME/hdfs/hive/rows.py
}

# publish_here OPTION...: below `base`, as plain files.
publish_here() {
	separately metlog-to-hdfs --to "file:$PWD/base" --staging staging --compress none "$@"
	expect_status 0
}

# columns OPTION...: sets columns and types, from the statement that --ddl prints.
columns() {
	metlog-to-hdfs --to "file:$PWD/base" --staging staging --ddl "$@" >ddl
	columns=$(sed -n 's/^  `\([^`]*\)` [^ ]*$/\1/p' ddl | paste -sd,)
	types=$(sed -n 's/^  `[^`]*` \([^ ]*[^ ,]\),*$/\1/p' ddl | paste -sd:)
}

@test "every line of --format=hive is read by the SerDes of Hive 3 and 4 as what it says, whatever its keys and values are" {
	metlog-flood -q -c 1000 --unicode 30 | python3 "$rows" hostile >input
	publish_here --format hive --layout '{name}' input
	columns --layout '{name}'
	[ "$columns" = timestamp,logger,type,severity,payload,fields,env_version,metlog_pid,metlog_hostname ] || fail "$columns"
	for version in 3.1.3 4.0.1; do
		hive $version rows "$columns" "$types" base/*.ndjson $hcatalog $serde2
		python3 "$rows" check "$columns" input rows.4 || fail "Hive $version, hcatalog"
		python3 "$rows" check "$columns" input rows.5 || fail "Hive $version, serde2"
	done
}

@test "with --format=json nested values break them: --format=hive is what makes the difference" {
	printf '{"type":"outer","payload":{"type":"inner"},"severity":3}\n{"type":"a","_col3":"x","Fields":[1]}\n' >input
	read=$(printf '["outer",3,"{\\"type\\":\\"inner\\"}",null]\n["a",null,null,null]')
	columns=type,severity,payload,fields types='string:int:string:map<string,string>'
	publish_here --format json --layout 'json/{name}' input
	publish_here --format hive --layout 'hive/{name}' input
	cat base/json/*.ndjson base/hive/*.ndjson >lines
	hive 3.1.3 rows $columns "$types" lines $hcatalog
	[ "$(head -1 rows.4)" = '["inner",null,"{",null]' ] || fail "$(cat rows.4)"
	[ "$(sed 1,2d rows.4)" = "$read" ] || fail "$(cat rows.4)"
	# The check of the other test would see it.
	head -2 rows.4 >rows
	if python3 "$rows" check $columns input rows; then fail "the check sees nothing"; fi
	# Hive 4 makes a string of what is nested itself, but not of the rest.
	hive 4.0.1 rows $columns "$types" lines $hcatalog
	[ "$(sed -n 2p rows.4 | jq -r '.error != null')" = true ] || fail "$(cat rows.4)"
	[ "$(sed 1,2d rows.4)" = "$read" ] || fail "$(cat rows.4)"
}

@test "a value's directory is what Hive calls its partition, and Hive reads the name as the value" {
	hive 4.0.1 values 7 1000 >input
	[ "$(wc -l <input)" -gt 700 ]
	publish_here --layout 'type={type}/{name}' --open 8 input
	# And where it is not, that is seen.
	mkdir other
	cp -r base/type=CON other/type=CON2
	for version in 3.1.3 4.0.1; do
		hive $version names base other >names
		[ "$(wc -l <names)" -eq 3 ] || fail "$(head -5 names)"
		[ "$(sed -n 1p names)" = "$(wc -l <input)" ] || fail "$(cat names)"
		[ "$(sed -n 2p names)" = 'of "CON": type=CON2 is type=CON for Hive' ] || fail "$(cat names)"
	done
}
