# bigquery_model - envelopes that are hard to load, and a loader that refuses what BigQuery's manual says it refuses. The real service cannot run here.
# SPDX-License-Identifier: MPL-2.0
#
# usage: bigquery_model.py make SEED COUNT [short]    envelopes, one a line; short: without long keys
#        bigquery_model.py load SCHEMA ROWS [ENVELOPES]  fails if a row does not load, or if a value of the envelopes has not arrived
#
# The rules: "Specifying a schema" (names, modes), "Loading JSON data" (types), "Quotas and limits" (10,000 columns, 15 records in each other).
import collections
import json
import random
import re
import sys

PREFIXES = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
TYPES = {"STRING", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP", "RECORD"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
FIXED = ("Timestamp", "Time", "Type", "Logger", "EnvVersion", "Severity")


def need(true, *what):
    if not true:
        sys.exit("bigquery_model: " + " ".join(str(one)[:500] for one in what))


# --- what loads ---

def check_schema(columns, depth=0):
    """Returns how many columns there are, those of records included."""
    need(isinstance(columns, list) and columns, "no columns", columns)
    need(depth <= 15, "records nest deeper than 15")
    seen, count = set(), 0
    for column in columns:
        need(set(column) <= {"name", "type", "mode", "fields", "description"}, "unknown member", column)
        name = column["name"]
        need(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,299}", name), "bad name", name)
        need(not name.lower().startswith(PREFIXES), "reserved prefix", name)
        need(name.lower() not in seen, "the name is there already", name)
        seen.add(name.lower())
        need(column["type"] in TYPES and column["mode"] in ("NULLABLE", "REQUIRED", "REPEATED"), "type or mode", column)
        need(len(column.get("description", "")) <= 1024, "description too long", name)
        need(("fields" in column) == (column["type"] == "RECORD"), "fields without a record", column)
        count += 1
        if column["type"] == "RECORD":
            count += check_schema(column["fields"], depth + 1)
    need(count <= 10000, "more than 10000 columns")
    return count


def check_value(column, value, path):
    kind = column["type"]
    if kind == "RECORD":
        need(isinstance(value, dict), "no object", path, value)
        check_row(column["fields"], value, path + ".")
    elif kind == "INTEGER":
        if isinstance(value, str):
            need(re.fullmatch(r"-?\d+", value) and -(2**63) <= int(value) < 2**63, "no INTEGER", path, value)
        else:
            need(type(value) is int and abs(value) < 2**53, "no INTEGER", path, value)
    elif kind == "FLOAT":
        need(type(value) in (int, float) and abs(value) < 1.8e308, "no FLOAT", path, value)
        need(type(value) is float or abs(value) < 2**53, "a FLOAT that loses digits", path, value)
    elif kind == "BOOLEAN":
        need(isinstance(value, bool), "no BOOLEAN", path, value)
    else:
        need(isinstance(value, str), "no text", path, value)
        need(not any(0xD800 <= ord(c) < 0xE000 for c in value), "half a character", path)
        need(kind == "STRING" or TIME.fullmatch(value), "no TIMESTAMP", path, value)


def check_row(columns, row, path=""):
    known = {column["name"]: column for column in columns}
    for name, value in row.items():
        need(name in known, "no such column", path + name)
        column = known[name]
        if column["mode"] == "REPEATED":
            need(isinstance(value, list), "not repeated", path + name, value)
            for element in value:
                check_value(column, element, path + name)
        else:
            check_value(column, value, path + name)
    for column in columns:
        need(column["mode"] != "REQUIRED" or column["name"] in row, "missing", path + column["name"])


def once(pairs):
    need(len({name for name, _ in pairs}) == len(pairs), "a repeated member", pairs)
    return dict(pairs)


# --- what has to arrive ---

def leaves(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, str):
        yield "text", re.sub("[\ud800-\udfff]", "\ufffd", value)
    elif value is not None:
        yield type(value) is bool, value


def row_leaves(columns, row):
    known = {column["name"]: column for column in columns}
    for name, value in row.items():
        column = known[name]
        if column["type"] == "RECORD":
            for part in value if column["mode"] == "REPEATED" else [value]:
                yield from row_leaves(column["fields"], part)
        elif column.get("description", "").endswith(" (JSON text)"):
            yield from leaves(json.loads(value))
        elif column["type"] == "INTEGER":
            yield from leaves([int(part) for part in (value if isinstance(value, list) else [value])])
        else:
            yield from leaves(value)


def load(schema_file, rows_file, envelopes_file=None):
    columns = json.load(open(schema_file), object_pairs_hook=once)
    check_schema(columns)
    rows = [json.loads(line, object_pairs_hook=once) for line in open(rows_file)]
    for row in rows:
        check_row(columns, row)
    print(len(rows), "rows load")
    if not envelopes_file:
        return
    envelopes = [json.loads(line) for line in open(envelopes_file)]
    need(len(envelopes) == len(rows), "rows are missing")
    for row, envelope in zip(rows, envelopes):
        got = row_leaves(columns, {name: value for name, value in row.items() if name not in FIXED})
        others = {name: value for name, value in envelope.items() if name not in ("timestamp", "type", "logger", "severity", "payload", "fields", "env_version")}
        want = leaves([envelope.get("fields"), envelope.get("payload") or None, others])
        got, want = collections.Counter(got), collections.Counter(want)
        need(got == want, "has not arrived:", dict(want - got), "is new:", dict(got - want))
    print("all values arrive")


# --- what is hard to load ---

KEYS = ["a", "A", "b", "a.b", "a_b", "A-B", "1", "_1", "", "_", "é", "ß", "msg", "fields.msg", "string", "a_string", "a_integer", "ms", "Timestamp", "Fields", "_TABLE_x", "_partitiontime",
        "__ROOT__", "_File_", "x" * 299, "x" * 300, "X" * 301, "x" * 302, "\u212a", "k", "\ud83d", "\n", "a b", "a_2", "A_2", "metlog_pid"]
TEXTS = ["", "x", "12", "1.5", "true", "null", "é\u2028\U0001f525", "\ud83d", "\udd25x", "\"q\"\\", "{\"a\":1}", "2020-01-01", "\u0007"]
NUMBERS = ["0", "1", "-1", "-0", "-0.0", "1.5", "1e3", "1E-7", "9007199254740991", "-9007199254740991", "9007199254740992", "-9007199254740993", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "123456789012345678901234567890", "1e400", "-1e999", "0." + "3" * 400, "1" * 400 + ".5"]


def scalar(r, kinds=4):
    kind = r.randrange(kinds)
    if kind == 0:
        return json.dumps(r.choice(TEXTS), ensure_ascii=r.random() < 0.5) if r.random() < 0.9 else json.dumps("é", ensure_ascii=True)
    if kind == 1:
        return r.choice(NUMBERS)
    return r.choice(["true", "false"]) if kind == 2 else "null"


def whole(text):
    """No half of a surrogate pair but as an escape."""
    return re.sub("[\ud800-\udfff]", lambda half: "\\u%04x" % ord(half[0]), text)


def value(r, depth):
    if depth <= 0 or r.random() < 0.5:
        return scalar(r)
    kind = r.randrange(4)
    if kind == 0:
        return obj(r, depth - 1)
    count = r.randrange(4)
    if kind == 1:
        return "[" + ",".join(obj(r, depth - 1) for _ in range(count)) + "]"
    if kind == 2:
        return "[" + ", ".join(r.choice([scalar(r), value(r, depth - 1)]) for _ in range(count)) + "]"
    one = r.choice([lambda: json.dumps(r.choice(TEXTS)), lambda: r.choice(NUMBERS), lambda: r.choice(["true", "false"]), lambda: str(r.randrange(9))])
    return "[" + ",".join(one() for _ in range(count)) + "]"


def obj(r, depth, most=6):
    keys = [r.choice(KEYS[:12] if r.random() < 0.6 else KEYS) for _ in range(r.randrange(most))]
    return "{" + ",".join(json.dumps(key, ensure_ascii=r.random() < 0.3) + r.choice([":", ": "]) + value(r, depth) for key in keys) + "}"


def make(seed, count):
    r = random.Random(seed)
    for _ in range(count):
        members = ['"timestamp":"20%02d-02-28T23:59:59.%09dZ"' % (r.randrange(100), r.randrange(10**9))]
        if r.random() < 0.8:
            members.append('"payload":' + json.dumps(r.choice(TEXTS)))
        if r.random() < 0.95:
            deep = value(r, 3)
            for _ in range(r.randrange(20) if r.random() < 0.1 else 0):
                deep = '{"d":%s}' % deep
            fields = obj(r, 4, 12)
            members.append('"fields":' + (fields[:-1] + (", " if len(fields) > 2 else "") + '"deep":' + deep + "}" if r.random() < 0.2 else fields))
        for name in ("metlog_mozlog_Time", "metlog_mozlog_severity", "custom", "Fields_a", "time"):
            if r.random() < 0.1:
                members.append('"%s":%s' % (name, value(r, 3)))
        r.shuffle(members)
        print(whole("{" + ", ".join(members) + "}"))


if sys.argv[1] == "make":
    sys.stdout.reconfigure(encoding="utf-8")
    if sys.argv[4:] == ["short"]:
        KEYS = [key for key in KEYS if len(key) < 100]
    make(int(sys.argv[2]), int(sys.argv[3]))
else:
    load(*sys.argv[2:])
