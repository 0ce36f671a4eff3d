# to_mozlog.jq - envelopes to MozLog by jq: the rival of the `mozlog` rows.
# SPDX-License-Identifier: MPL-2.0
{Timestamp: ((.timestamp[0:19] + "Z" | fromdateiso8601) * 1000000000 + ((.timestamp[20:26] + "000000")[0:6] | tonumber) * 1000), Type: .type, Logger: .logger, Hostname: .metlog_hostname, EnvVersion: "2.0",
	Severity: .severity, Pid: .metlog_pid, Fields: (.fields + (if .payload == "" then {} else {msg: .payload} end))}
