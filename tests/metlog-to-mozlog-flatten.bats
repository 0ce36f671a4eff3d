# metlog-to-mozlog-flatten.bats - rows for BigQuery, and the schema that takes them.
# SPDX-License-Identifier: MPL-2.0
# shellcheck disable=SC2154,SC2317

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	model=$SOURCE/tests/bigquery_model.py
	export PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1
}

# rows FORM FIELDS...: the rows of envelopes with these fields go to `rows`, without the members that all have.
rows() {
	local form=$1 fields
	shift
	for fields; do printf '{"timestamp":"2020-09-21T11:30:00Z","fields":%s}\n' "$fields"; done >envelopes
	separately metlog-to-mozlog --flatten="$form" --stats books envelopes
	sed 's/^{"Timestamp":"1600687800000000000","Time":"2020-09-21T11:30:00.000000Z","Severity":6,*//; s/,*"EnvVersion":"2.0"}$//' "$out" >rows
}

expect_rows() {
	printf '%s\n' "$@" >want
	expect_same rows want
}

# columns FORM: "NAME TYPE MODE" of each column for the envelopes of `rows` that came from fields; parts of a record have its name before theirs.
columns() {
	metlog-to-mozlog -q --flatten="$1" --bigquery-schema --rejects schema-rejects envelopes >schema
	python3 -c '
import json
def show(columns, path):
    for one in columns:
        if path or one["name"] not in ("Timestamp", "Time", "Type", "Logger", "Hostname", "EnvVersion", "Severity", "Pid", "Fields", "Fields_msg"):
            if path + one["name"] != "Fields.msg": print(path + one["name"], one["type"], one["mode"])
        show(one.get("fields", []), path + one["name"] + ".")
show(json.load(open("schema")), "")' >columns
}

@test "an envelope becomes a row: MozLog's members, the time as BigQuery reads it, and the fields as a record" {
	echo '{"timestamp":"2020-09-21T13:30:00.123456789+02:00","type":"request.summary","logger":"app","severity":4,"payload":"GET \"/\"","fields":{"http.status":200,"ms":12.5,"ok":true,"user":{"id":7,"roles":["a","b"]}},"metlog_pid":12,"metlog_hostname":"web-1"}' >envelopes
	separately metlog-to-mozlog --flatten envelopes
	expect_status 0
	expect_empty "$err"
	echo '{"Timestamp":"1600687800123456789","Time":"2020-09-21T11:30:00.123456Z","Type":"request.summary","Logger":"app","Hostname":"web-1","Severity":4,"Pid":12,"Fields":{"http_status":200,"ms":12.5,"ok":true,"user":{"id":7,"roles":["a","b"]},"msg":"GET \"/\""},"EnvVersion":"2.0"}' >want
	expect_same "$out" want
	separately metlog-to-mozlog --flatten=record envelopes
	expect_same "$out" want
}

@test "with --flatten=flat each leaf is a column of its own" {
	rows flat '{"http.status":200,"user":{"id":7,"roles":["a","b"],"name":{"first":"x"}},"list":[{"a":1},{"a":2}]}'
	expect_rows '"Fields_http_status":200,"Fields_user_id":7,"Fields_user_roles":["a","b"],"Fields_user_name_first":"x","Fields_list":"[{\"a\":1},{\"a\":2}]"'
	columns flat
	printf '%s\n' 'Fields_http_status INTEGER NULLABLE' 'Fields_user_id INTEGER NULLABLE' 'Fields_user_roles STRING REPEATED' 'Fields_user_name_first STRING NULLABLE' 'Fields_list STRING NULLABLE' >want
	expect_same columns want
}

@test "names hold letters, digits and _ alone, and begin as BigQuery asks" {
	rows record '{"http.status":1,"a-é b":2,"1st":3,"":4,"_TABLE_x":5,"_partition":6,"__root__":7,"_File_":8,"_fine":9}'
	expect_rows '"Fields":{"http_status":1,"a___b":2,"_1st":3,"_":4,"__TABLE_x":5,"__partition":6,"___root__":7,"__File_":8,"_fine":9}'
	columns record
	expect_in schema '"name": "http_status", "type": "INTEGER", "mode": "NULLABLE", "description": "Fields[http.status]"'
}

@test "names that are equal, case aside, are so in one record only, and stay for the run" {
	rows record '{"a.b":1,"A_B":2,"a-b":3,"r":{"A_B":4}}' '{"a-b":5,"A_B":6}' '{"a_b":7,"a.b":8}'
	expect_rows '"Fields":{"a_b":1,"A_B_2":2,"a_b_3":3,"r":{"A_B":4}}' '"Fields":{"a_b_3":5,"A_B_2":6}' '"Fields":{"a_b_4":7,"a_b":8}'
	rows flat '{"a_b":1,"a":{"b":2,"B":3}}'
	expect_rows '"Fields_a_b":1,"Fields_a_b_2":2,"Fields_a_B_3":3'
}

@test "a name has 300 characters at most; one that is cut ends with a hash of the whole" {
	local long
	long=$(printf '%0300d' 0 | tr 0 x)
	rows record "{\"$long\":1,\"${long}y\":2,\"${long}z\":3}"
	expect_in rows "\"$long\":1"
	grep -qE '"x{283}_[0-9a-f]{16}":2,"x{283}_[0-9a-f]{16}":3' rows || fail "$(cat rows)"
}

@test "an integer beyond 2^53-1 stands in quotes, and one beyond 64 bits is text" {
	rows record '{"a":9007199254740991,"b":9007199254740992,"c":-9223372036854775808,"d":9223372036854775808,"e":[1,9007199254740993]}'
	expect_rows '"Fields":{"a":9007199254740991,"b":"9007199254740992","c":"-9223372036854775808","d":"9223372036854775808","e":[1,"9007199254740993"]}'
	columns record
	printf '%s\n' 'Fields.a INTEGER NULLABLE' 'Fields.b INTEGER NULLABLE' 'Fields.c INTEGER NULLABLE' 'Fields.d STRING NULLABLE' 'Fields.e INTEGER REPEATED' >want
	expect_same columns want
}

@test "a column of integers is FLOAT in the end if a fraction comes, unless that would lose digits" {
	rows record '{"ms":12,"id":9007199254740993,"n":[1]}' '{"ms":12.5,"id":0.5,"n":[1.5]}' '{"ms":13,"id":1,"n":[2]}' '{"ms":9007199254740993,"z":-0}'
	expect_rows '"Fields":{"ms":12,"id":"9007199254740993","n":[1]}' '"Fields":{"ms":12.5,"id_float":0.5,"n":[1.5]}' '"Fields":{"ms":13,"id":1,"n":[2]}' '"Fields":{"ms_integer":"9007199254740993","z":-0}'
	columns record
	printf '%s\n' 'Fields.ms FLOAT NULLABLE' 'Fields.id INTEGER NULLABLE' 'Fields.n FLOAT REPEATED' 'Fields.id_float FLOAT NULLABLE' 'Fields.ms_integer INTEGER NULLABLE' 'Fields.z FLOAT NULLABLE' >want
	expect_same columns want
}

@test "a value of another kind goes to a column of its own, which is told once and counted" {
	rows record '{"x":1}' '{"x":"a"}' '{"x":"b"}' '{"x":true}' '{"x":{"y":1}}' '{"x":["c"]}' '{"x":[[1]]}' '{"x":2}'
	expect_status 0
	expect_rows '"Fields":{"x":1}' '"Fields":{"x_string":"a"}' '"Fields":{"x_string":"b"}' '"Fields":{"x_boolean":true}' '"Fields":{"x_record":{"y":1}}' '"Fields":{"x_strings":["c"]}' '"Fields":{"x_json":"[[1]]"}' '"Fields":{"x":2}'
	[ "$(wc -l <"$err")" = 5 ] || fail "$(cat "$err")"
	expect_in "$err" 'metlog-to-mozlog: Fields.x: a string, where values of another kind were before: in a column of its own, x_string'
	expect_in books '"columns_split":5'
}

@test "arrays that BigQuery cannot load are their JSON text" {
	rows record '{"a":[1,null],"b":[1,"x"],"c":[[1],[2]],"d":[true,false],"e":[{"x":1},{},{"y":null},{"x":2}]}'
	expect_rows '"Fields":{"a":"[1,null]","b":"[1,\"x\"]","c":"[[1],[2]]","d":[true,false],"e":[{"x":1},{},{},{"x":2}]}'
	columns record
	expect_in columns 'Fields.e RECORD REPEATED'
	expect_in schema '"name": "a", "type": "STRING", "mode": "NULLABLE", "description": "Fields.a (JSON text)"'
}

@test "null, empty objects and empty arrays are left out, and make no column" {
	rows record '{"a":null,"b":{},"c":[],"d":{"e":{"f":null},"g":[{}]},"h":[{},{"i":[]}],"j":""}' '{"a":null}' '{}'
	expect_rows '"Fields":{"j":""}' '' ''
	columns record
	echo 'Fields.j STRING NULLABLE' >want
	expect_same columns want
	rows flat '{"a":null,"b":{},"d":{"e":{"f":null}},"j":""}'
	expect_rows '"Fields_j":""'
}

@test "records nest 15 deep; what is deeper is JSON text" {
	local deep='{"z":1}' wanted='"{\"z\":1}"'
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do deep="{\"r\":$deep}" wanted="{\"r\":$wanted}"; done
	rows record "$deep"
	expect_rows "\"Fields\":$wanted"
	columns record
	python3 "$model" load schema "$out" >/dev/null
	rows flat "$deep"
	expect_rows '"Fields_r_r_r_r_r_r_r_r_r_r_r_r_r_r_r_z":1'
}

@test "of a repeated key the last counts" {
	rows record '{"a":1,"b":2,"a":3,"r":{"x":1,"x":{"y":2}}}' '{"a":1,"\u0061":null,"b":4}'
	expect_rows '"Fields":{"b":2,"a":3,"r":{"x_record":{"y":2}}}' '"Fields":{"b":4}'
	separately metlog-to-mozlog --flatten <<<'{"timestamp":"2020-09-21T11:30:00Z","metlog_mozlog_EnvVersion":"1.0","x":1,"x":2}'
	expect_in "$out" '"Severity":6,"EnvVersion":"1.0","metlog_x":2}'
}

@test "a value is written alike the first time and every other, and so is its name" {
	local long=abcdefghijklmnopqrstuvwxyz0123456789
	local fields='{"a":1,"wide":9007199254740993,"huge":18446744073709551616,"over":1e999,"f":1.50,"t":true,"é b":"x","":"","\u0061b":2,"e":"\u00e9\n\ud800","'$long$long'":"'$long$long'","'$long$long$long$long'":0,"n":null,"o":{"a":"a","wide":-9007199254740993},"l":[1,2],"'${long}1'":1,"'${long}2'":2}'
	for form in record flat; do
		rows "$form" "$fields" "$fields" "$fields"
		[ "$(wc -l <rows)" = 3 ]
		[ "$(sort -u rows | wc -l)" = 1 ]
		grep -q '"Fields.*wide":"9007199254740993".*huge":"18446744073709551616".*over":"1e999".*f":1.50,.*ab":2,.*e":"\\u00e9\\n\\ufffd",.*wide":"-9007199254740993"' rows
		grep -q "$long$long\":\"$long$long\",\"\(Fields_\)\?$long$long$long$long\":0,.*${long}1\":1,\"\(Fields_\)\?${long}2\":2" rows
	done
	rows record '{"a":1,"\u0061":2}' '{"a":1}' '{"a":1,"a":2}' '{"a":2,"\u0061":1}' '{"a":2,"a":null}' '{"a":1.5}' '{"a":1}'
	expect_rows '"Fields":{"a":2}' '"Fields":{"a":1}' '"Fields":{"a":2}' '"Fields":{"a":1}' '' '"Fields":{"a":1.5}' '"Fields":{"a":1}'
}

@test "half of a surrogate pair is U+FFFD" {
	rows record '{"a":"\ud83d","b":"x\udd25\ud83d\udd25","c":["\ud83dy"],"d":"\\ud83d"}'
	expect_rows '"Fields":{"a":"\ufffd","b":"x\ufffd\ud83d\udd25","c":["\ufffdy"],"d":"\\ud83d"}'
}

@test "the message is Fields.msg, and always text; a field of that name makes room" {
	printf '{"timestamp":"2020-09-21T11:30:00Z",%s}\n' '"payload":"hello","fields":{"msg":7,"fields.msg":8}' '"payload":{"a":1}' '"payload":12' '"payload":"","fields":{"msg":"from the fields"}' '"payload":"","fields":{"msg":9}' >in
	metlog-to-mozlog -q --flatten in | grep -oE '"Fields":.*\}' | sed 's/,"EnvVersion.*//' >rows
	expect_rows '"Fields":{"fields_msg":7,"fields_msg_2":8,"msg":"hello"}' '"Fields":{"msg":"{\"a\":1}"}' '"Fields":{"msg":"12"}' '"Fields":{"msg":"from the fields"}' '"Fields":{"msg_integer":9}'
}

@test "a process that is no number and a host that is no text stand in Fields; other members are columns, named as in MozLog" {
	echo '{"timestamp":"2020-09-21T11:30:00Z","metlog_pid":"7","metlog_hostname":{"name":"x"},"metlog_mozlog_EnvVersion":"1.0","metlog_mozlog_Time":"now","metlog_mozlog_severity":200,"custom":{"a":1}}' >in
	separately metlog-to-mozlog --flatten in
	expect_in "$out" '"Severity":6,"Fields":{"metlog_hostname":{"name":"x"},"metlog_pid":"7"},"EnvVersion":"1.0","Time_2":"now","severity_2":200,"metlog_custom":{"a":1}}'
}

@test "an envelope without a time is rejected, or stamped" {
	echo '{"fields":{"a":1}}' >in
	separately metlog-to-mozlog --flatten in
	expect_status 65
	expect_empty "$out"
	expect_in "$err" 'in:1: no timestamp'
	separately metlog-to-mozlog --flatten --no-timestamp=now in
	expect_status 0
	expect_in "$out" '"Time":"20'
	echo '{"timestamp":"1969-12-31T23:59:59Z"}' >in
	separately metlog-to-mozlog --flatten in
	expect_status 65
	expect_in "$err" 'a timestamp before 1970'
	echo '{"timestamp":"yesterday"}' >in
	separately metlog-to-mozlog --flatten in
	expect_in "$err" 'a timestamp that cannot be read'
	echo '{"timestamp":"2020-09-21T11\u003a30:00Z"}' >in
	separately metlog-to-mozlog --flatten in
	expect_in "$out" '"Time":"2020-09-21T11:30:00.000000Z"'
}

@test "an envelope that would bring more than 10000 columns is rejected; what has its columns goes on" {
	python3 -c '
import json
for start in (0, 9000, 20000, 0):
    print(json.dumps({"timestamp": "2020-09-21T11:30:00Z", "fields": {"k%d" % i: i for i in range(start, start + 900)}}))
print(json.dumps({"timestamp": "2020-09-21T11:30:00Z", "fields": {"m%d" % i: i for i in range(9000)}}))
print(json.dumps({"timestamp": "2020-09-21T11:30:00Z", "fields": {"k1": 1}}))' >envelopes
	separately metlog-to-mozlog --flatten --rejects rejects envelopes
	expect_status 0
	[ "$(wc -l <"$out")" = 5 ] || fail "$(wc -l <"$out") rows"
	expect_in rejects 'more than 10000 columns'
	columns record
	python3 "$model" load schema "$out" >/dev/null
}

@test "names without a value take no room, and in the form flat objects are no columns" {
	python3 -c '
import json
for i in range(25000):
    print(json.dumps({"timestamp": "2020-09-21T11:30:00Z", "fields": {"e%d" % i: {"x": []} if i % 2 else {}}}))
print(json.dumps({"timestamp": "2020-09-21T11:30:00Z", "fields": {"k%d" % i: {"x": i} for i in range(9000)}}))' >envelopes
	separately metlog-to-mozlog --flatten=flat --stats stats envelopes
	expect_status 0
	expect_empty "$err"
	expect_in stats '"columns":9009'
	separately metlog-to-mozlog --flatten <(head -25000 envelopes)
	expect_status 0
}

@test "--bigquery-schema prints the columns in the order they came in, as bq reads them" {
	printf '{"timestamp":"2020-09-21T11:30:00Z","fields":%s}\n' '{"b":1,"r":{"x":true}}' '{"a":"x"}' >envelopes
	separately metlog-to-mozlog --bigquery-schema envelopes
	expect_status 0
	cat >want <<-'JSON'
		[
		  {"name": "Timestamp", "type": "INTEGER", "mode": "REQUIRED"},
		  {"name": "Time", "type": "TIMESTAMP", "mode": "REQUIRED"},
		  {"name": "Type", "type": "STRING", "mode": "NULLABLE"},
		  {"name": "Logger", "type": "STRING", "mode": "NULLABLE"},
		  {"name": "Hostname", "type": "STRING", "mode": "NULLABLE"},
		  {"name": "EnvVersion", "type": "STRING", "mode": "NULLABLE"},
		  {"name": "Severity", "type": "INTEGER", "mode": "NULLABLE"},
		  {"name": "Pid", "type": "INTEGER", "mode": "NULLABLE"},
		  {"name": "Fields", "type": "RECORD", "mode": "NULLABLE", "fields": [
		    {"name": "msg", "type": "STRING", "mode": "NULLABLE"},
		    {"name": "b", "type": "INTEGER", "mode": "NULLABLE"},
		    {"name": "r", "type": "RECORD", "mode": "NULLABLE", "fields": [
		      {"name": "x", "type": "BOOLEAN", "mode": "NULLABLE"}
		    ]},
		    {"name": "a", "type": "STRING", "mode": "NULLABLE"}
		  ]}
		]
	JSON
	expect_same "$out" want
	separately metlog-to-mozlog --bigquery-schema </dev/null
	expect_status 0
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$out"
}

@test "--columns begins with those of a schema: names stay, types too, and what is new comes behind them" {
	printf '{"timestamp":"2020-09-21T11:30:00Z","fields":%s}\n' '{"A_b":1,"a.b":2,"ms":3}' '{"ms":"slow"}' >first
	metlog-to-mozlog -q --bigquery-schema first >old
	printf '{"timestamp":"2020-09-21T11:30:00Z","fields":%s}\n' '{"ms":"fast","a.b":4,"A_b":5}' '{"ms":1.5,"new":true}' >second
	separately metlog-to-mozlog --flatten --columns=old second
	expect_status 0
	expect_in "$out" '"Fields":{"ms_string":"fast","a_b_2":4,"A_b":5}'
	expect_in "$out" '"Fields":{"ms_float":1.5,"new":true}'
	metlog-to-mozlog -q --bigquery-schema --columns old second >new
	grep '"name"' old | tail -1 | sed 's/$/,/' >last
	grep -F -f last -A2 new | sed 1d >added
	printf '    %s\n' '{"name": "ms_float", "type": "FLOAT", "mode": "NULLABLE", "description": "Fields.ms"},' '{"name": "new", "type": "BOOLEAN", "mode": "NULLABLE"}' >want
	expect_same added want
}

@test "a column that the table has besides ours stays as it is, and its name is taken" {
	printf '%s\n' '[{"name":"Timestamp","type":"INT64"},{"name":"day","type":"DATE","mode":"REQUIRED"},{"name":"Fields","type":"STRUCT","fields":[{"name":"x","type":"FLOAT64"},{"name":"place","type":"GEOGRAPHY"}]}]' >table
	echo '{"timestamp":"2020-09-21T11:30:00Z","fields":{"x":1,"Place":"here"},"metlog_mozlog_Day":"Monday"}' >envelopes
	separately metlog-to-mozlog --flatten --columns table envelopes
	expect_in "$out" '"Fields":{"x":1,"Place_2":"here"},"Day_2":"Monday"'
	metlog-to-mozlog --bigquery-schema --columns table envelopes >schema
	expect_in schema '{"name":"day","type":"DATE","mode":"REQUIRED"}'
	expect_in schema '{"name":"place","type":"GEOGRAPHY"}'
}

@test "a description that somebody gave a column stays, and the column is that of its name" {
	local form
	printf '{"timestamp":"2020-09-21T11:30:00Z","fields":%s}\n' '{"ms":1,"user":{"id":2}}' >envelopes
	for form in record flat; do
		metlog-to-mozlog --flatten="$form" --bigquery-schema envelopes >schema
		sed -E 's/(ms", [^}]*NULLABLE")[^}]*/\1, "description": "how \\"long\\" it took. In ms"/; s/(user", [^}]*NULLABLE")/\1, "description": "who"/' schema >table
		grep -q 'how' table || fail "$(cat table)"
		metlog-to-mozlog --flatten="$form" --columns table --bigquery-schema envelopes >again
		expect_same again table
	done
}

@test "a file that is no schema, or does not fit, is a mistake in the configuration" {
	local text
	for text in '' '{}' '[],"x":[]' '[' '[1' '[{"type":"STRING"}]' '[{"name":"a","type":"STRING"},{"name":"A","type":"STRING"}]' '[{"name":"a\"b","type":"STRING"}]' '[{"name":"Timestamp","type":"TIMESTAMP"}]' '[{"name":"Fields","type":"RECORD"}]'; do
		printf '%s' "$text" >schema
		separately metlog-to-mozlog --flatten --columns schema </dev/null
		expect_status 78 || fail "$text"
		expect_in "$err" 'metlog-to-mozlog: schema: no schema of BigQuery: '
	done
	separately metlog-to-mozlog --flatten --columns nowhere </dev/null
	expect_status 78
	separately metlog-to-mozlog --columns schema </dev/null
	expect_status 64
}

@test "with --columns nothing of an earlier run changes: its rows still load, and all its columns are found again" {
	local form
	python3 "$model" make 5 200 short >first
	python3 "$model" make 6 200 short >second
	for form in record flat; do
		metlog-to-mozlog -q --flatten="$form" first >rows1
		metlog-to-mozlog -q --flatten="$form" --bigquery-schema first >schema1
		metlog-to-mozlog -q --flatten="$form" --columns schema1 second >rows2
		metlog-to-mozlog -q --flatten="$form" --columns schema1 --bigquery-schema second >schema2
		python3 "$model" load schema2 rows1 first || fail "$form"
		python3 "$model" load schema2 rows2 second || fail "$form"
		cat first second | metlog-to-mozlog -q --flatten="$form" --columns schema2 --bigquery-schema >schema3
		expect_same schema3 schema2
		metlog-to-mozlog -q --flatten="$form" --columns schema2 second >rows3
		python3 "$model" load schema2 rows3 second || fail "$form"
	done
}

# The real service cannot run here: the loader is a model of what its manual says.
@test "the schema takes every row of its input, and no value is lost, whatever the fields hold" {
	local seed form
	for seed in 1 2; do
		python3 "$model" make "$seed" 300 >envelopes
		for form in record flat; do
			metlog-to-mozlog -q --flatten="$form" envelopes >rows || fail "seed $seed, $form"
			metlog-to-mozlog -q --flatten="$form" --bigquery-schema --rejects schema-rejects envelopes >schema
			python3 "$model" load schema rows envelopes || fail "seed $seed, $form"
		done
	done
}
