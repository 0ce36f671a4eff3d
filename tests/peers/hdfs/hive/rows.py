# rows.py - hostile envelopes, and whether rows that Hive has read from them hold what they say: by a reading of its own of the lines that went in.
# SPDX-License-Identifier: MPL-2.0
#
#   rows.py hostile <FLOOD                  envelopes with keys and values that mislead Hive's SerDes
#   rows.py check COLUMNS INPUT ROWS        each row against its line; prints what differs, and exits 1 if anything does
import json
import random
import re
import sys

MEMBERS = {"timestamp", "logger", "type", "severity", "payload", "fields", "env_version"}
NUMBERS = ["1e400", "-1E-400", "123456789012345678901234567890", "123456789012345678901234567890.5", "0.1", "-0", "7" * 1001, "1.50e+10", "0.30000000000000004", "4", "1e5"]
TOP = ['"_col0":{"a":1}', '"_COL3":"x"', '"_col99999999999":1', '"TYPE":"upper"', '"Severity":"high"', '"FIELDS":[1]', '"Fields":{"a":"b"}', '"x":1', '"x":2', '"X":{"type":"inner"}',
       '"paYload":null', '"LOGGER":["a",{"timestamp":0}]', '"\\u0045nv_Version":{}', '"Metlog_Pid":7', '"":0', '"tYpe_2":true', '"metlog_Pid":"a\\tb"', '"Metlog_Hostname":{"severity":9}']
INSIDE = ['"Name":{"a":[1,{"b":"}"}]}', '"NAME":[]', '"name_2":"taken"', '"nul\\u0000":"\\u0000"', '"half\\ud800":"\\udfff \\ud83d\\ude00"', '"_col1":[[]]', '"\\u212a":1', '"k":2', '"a/b\\"\\\\":"\\/"',
          '"t":true', '"f":false', '"n":null', '"":[null]', '"fields":{"fields":{}}', '"type":{"type":"x"}', '"line\\nA":"a\\r\\nb"', '"É":"é"']
PAYLOADS = ['{"type":"inner","severity":3}', '["a",{"payload":1}]', '{}', '[]', 'null', 'true', '"\\ud800 \\u2028\\u0000"', '{"a\\"b":"c\\\\d\\u00e9 e"}']


def hostile():
    rng = random.Random(1)
    for line in sys.stdin:
        envelope = json.loads(line)
        fields = envelope.pop("fields", {})
        inside = [json.dumps(k) + ":" + json.dumps(v) for k, v in fields.items()] + rng.sample(INSIDE, 5)
        inside += ['"number":' + n for n in rng.sample(NUMBERS, 3)]
        if rng.random() < 0.7:
            del envelope["payload"]
        members = [json.dumps(k) + ":" + json.dumps(v) for k, v in envelope.items()] + rng.sample(TOP, 5)
        if "payload" not in envelope:
            members.append('"payload":' + rng.choice(PAYLOADS + NUMBERS))
        rng.shuffle(inside)
        if rng.random() < 0.9:
            members.append('"fields":{' + ",".join(inside) + "}")
        rng.shuffle(members)
        blank = rng.choice(["", " ", "\t", "\r "])
        print("{" + blank + ("," + blank).join(members) + blank + "}")


class Number(str):
    """As it is written."""


def read(text):
    return json.loads(text, object_pairs_hook=tuple, parse_int=Number, parse_float=Number)


def mended(text):
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def named(pairs, members):
    """The pairs under the names they are to have."""
    names = {}
    for key, value in pairs:
        name = mended(key)
        if not (members and name in MEMBERS):
            name = re.sub("[A-Z]", lambda m: m[0].lower(), name).replace("\u212a", "k")
            if members and re.fullmatch("_col[0-9]+", name):
                name = "x" + name
            base, number = name, 1
            while name in names or (members and name in MEMBERS):
                number += 1
                name = f"{base}_{number}"
        names[name] = value
    return names


def is_same_text(value, got):
    if value is None or got is None:
        return value is None and got is None
    if not isinstance(got, str):
        return False
    if isinstance(value, bool):
        return got == ("true" if value else "false")
    if isinstance(value, Number):
        # Hive 4 prints what has a point or an exponent anew; digits it may not lose.
        real = value == "-0" or re.search("[.eE]", value) and len(re.sub("[eE].*|[^0-9]", "", value).lstrip("0")) <= 17 and not re.search("[eE][-+]?[0-9]{3}", value)
        return got == value or bool(real and float(got) == float(value))
    if isinstance(value, str):
        return got == mended(value)
    try:
        return read(got) == value
    except ValueError:
        return False


def is_same_map(value, got):
    if not isinstance(got, dict):
        return False
    wanted = named(value, False)
    return list(wanted) == list(got) and all(is_same_text(wanted[k], got[k]) for k in wanted)


def differences(columns, pairs, row):
    if not isinstance(row, list):
        return [str(row)]
    wanted, found = named(pairs, True), []
    for column, got in zip(columns, row):
        value = wanted.get(column)
        if column == "severity":
            same = got == (None if value is None else int(value))
        elif column == "fields" and value is not None:
            same = is_same_map(value, got)
        else:
            same = is_same_text(value, got)
        if not same:
            found.append(f"{column}: {value!r:.300} became {got!r:.300}")
    return found


def check(columns, lines, rows):
    bad = count = 0
    with open(lines, encoding="utf-8", newline="\n") as given, open(rows, encoding="utf-8", newline="\n") as read_back:
        for line, row in zip(given, read_back, strict=True):
            count += 1
            found = differences(columns.split(","), read(line), json.loads(row))
            bad += bool(found)
            if found and bad <= 5:
                print(f"line {count}:", *found, sep="\n    ")
    print(f"{count} rows, {bad} of them wrong")
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(hostile() if sys.argv[1] == "hostile" else check(*sys.argv[2:]))
