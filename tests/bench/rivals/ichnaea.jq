# ichnaea.jq - what contrib/ichnaea/metrics-code.rules derives, by jq: the rival of the `derive` rows.
# SPDX-License-Identifier: MPL-2.0
def safe: gsub("[^0-9A-Za-z._/-]"; "_") | ascii_downcase;
def pathtag: gsub("/"; ".") | sub("^[.]+"; "") | gsub("@"; "-") | if . == "" then ".homepage" else . end | safe | .[0:195];
def class: if . == null then empty elif . <= 0 then "none" elif . < 2 then "one" else "many" end;
def metric($e; $type; $name; $value; $tags): {type: $type, timestamp: $e.timestamp, logger: $e.logger, severity: 6, payload: ($value | tostring),
	fields: {name: $name, rate: 1, tags: $tags}, env_version: "0.8", metlog_pid: $e.metlog_pid, metlog_hostname: $e.metlog_hostname};
. as $e | .fields as $f
| select((.type == "canonical-log-line" or .logger == "canonical-log-line") and $f.http_path != null
	and ($f.http_path | test("^/(favicon[.]ico|robots[.]txt|apple-touch-icon-precomposed[.]png|static)") | not))
| (if $f.api_key_allowed == false then "invalid" else $f.api_key end) as $key
| (if $f.api_type != null and $f.api_key_db_fail != true then metric($e; "counter"; $f.api_type + ".request"; 1; {path: $f.api_path, key: $key}) else empty end),
(if ($f.api_type == "locate" or $f.api_type == "region") and $f.result_status != null then
	metric($e; "counter"; $f.api_type + ".query"; 1; {key: $key} + (if $f.has_ip then {} else {geoip: "false"} end)
		+ {blue: ($f.blue | class), cell: ($f.cell_valid | class), wifi: ($f.wifi | class)}),
	(("internal", "geoip", "fallback") as $s | select($f["source_" + $s + "_status"] != null)
		| metric($e; "counter"; $f.api_type + ".source"; 1; {key: $key, source: $s, accuracy: $f["source_" + $s + "_accuracy_min"], status: $f["source_" + $s + "_status"]})),
	([("internal", "geoip", "fallback") | select($f["source_" + . + "_status"] == "hit")] as $hits
		| (if ($hits | length) < 2 or $f.api_type == "region" then $hits[0] else first($hits[] | select($f["source_" + . + "_accuracy"] == $f.accuracy)) end) as $won
		| metric($e; "counter"; $f.api_type + ".result"; 1; {key: $key, fallback_allowed: ($f.fallback_allowed | tostring), accuracy: $f.accuracy_min, status: $f.result_status}
			+ (if $f.result_status == "hit" and $won then {source: $won} else {} end)))
	else empty end),
(if $f.api_type == "submit" and ($f.http_status == 200 or $f.http_status == 204) then
	metric($e; "counter"; "data.batch.upload"; 1; if $key == "none" or $key == "invalid" or $f.api_key_db_fail then {} else {key: $key} end) else empty end),
({path: ($f.http_path | pathtag), method: ($f.http_method | safe)} as $tags
	| metric($e; "timer"; "request.timing"; ($f.duration_s * 1000 | round); $tags), metric($e; "counter"; "request"; 1; $tags + {status: ($f.http_status | tostring)}))
