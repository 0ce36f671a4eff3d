# from_mozlog.jq - MozLog to envelopes by jq: the rival of the `mozlog` rows (its numbers are doubles, so nanoseconds are lost).
# SPDX-License-Identifier: MPL-2.0
{type: (.Type // ""), timestamp: (.Timestamp / 1000000000 | (floor | strftime("%Y-%m-%dT%H:%M:%S")) + "." + ((. - floor) * 1000000 | floor | tostring | ("000000" + .)[-6:]) + "Z"), logger: (.Logger // ""),
	severity: (.Severity // 6), payload: (.Fields.msg // ""), fields: ((.Fields // {}) | del(.msg)), env_version: "0.8", metlog_pid: .Pid, metlog_hostname: .Hostname}
