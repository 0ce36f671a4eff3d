#!/usr/bin/env python3
# cef_model.py - random envelopes for metlog-to-cef, and what independent parsers of CEF have to find in the lines that become of them.
# SPDX-License-Identifier: MPL-2.0
"""usage: cef_model.py make COUNT SEED MODEL MAP     envelopes on standard output; what is expected goes to MODEL, the file for --map to MAP
       cef_model.py compare MODEL STORED [--again] [--known FILE]
                                                    STORED holds one record a line, with or without a syslog header; --again: a record may be there more than once;
                                                    --known: FILE holds lines that were compared; the same bytes are not read by the parsers again
       cef_model.py ids STORED                      the ids of the records, one a line

compare needs pycef; and lognormalizer in the PATH. Exit 1: something differs, and what."""

import json
import random
import re
import subprocess
import sys
import tempfile

# Strings of the dictionary, and how many characters they hold.
STRINGS = {'cs1': 4000, 'cs2': 4000, 'cs3': 4000, 'cs4': 4000, 'requestContext': 2048, 'msg': 1023, 'suser': 1023, 'duser': 1023, 'request': 1023, 'fname': 1023, 'filePath': 1023,
           'reason': 1023, 'shost': 1023, 'dhost': 1023, 'cat': 1023, 'requestClientApplication': 1023, 'flexString1': 1023, 'sntdom': 255, 'deviceExternalId': 255,
           'act': 63, 'outcome': 63, 'app': 31, 'proto': 31}
LABELLED = ('cs1', 'cs2', 'cs3', 'cs4', 'flexString1')
TYPED = {'cnt': lambda r: r.randint(-2**31, 2**31 - 1), 'spt': lambda r: r.randint(0, 65535), 'dpt': lambda r: r.randint(0, 65535), 'fsize': lambda r: r.randint(0, 2**31 - 1),
         'src': lambda r: '.'.join(str(r.randint(0, 255)) for _ in range(4)), 'dst': lambda r: '.'.join(str(r.randint(0, 255)) for _ in range(4)),
         'smac': lambda r: ':'.join('%02x' % r.randint(0, 255) for _ in range(6)), 'end': lambda r: r.randint(0, 2**42)}
OTHERS = ('fooBar', 'my_key', 'x9', 'A', 'ad_1_2')  # keys that are valid, and not in the dictionary
PIECES = ['|', '=', '\\', '\n', '\r', '\r\n', '\t', ' ', '\\n', '\\=', '\\|', '\\\\', '||', '==', ' src=6.6.6.6', ' suser=root', 'word=', ' cs1Label=', '\nCEF:0|a|b|c|d|e|9|', '\n<13>Oct  5 12:00:00 forged x: ',
          '12 ', '0', '\u202eevil\u202c', 'e\u0301\u0323', '\u05d0\u05d1', '\u0645\u0631\u062d\u0628\u0627', '\ufeff', '\u200b', '\u2028', '\u2029', '\x85', '\x9b31m', '\x1b[2J', '\x00', '\x07', '\x7f', '\xa0',
          '\u3000', '\U0001f469\u200d\U0001f680', '\U0010ffff', '\ud7ff', '\ue000', '\ufffd', '\uffff', '"', "'", '#012', '#', '%s', '${X}', '$!', '{', '}', '\x0b', '\x0c', '\x1c', '\x1f']
BYTES_MAX = 48000  # of all values of an event: what fits into a datagram


def character(rnd):
    kind = rnd.randrange(10)
    if kind < 5:
        return chr(rnd.randrange(32, 127))
    if kind < 7:
        return chr(rnd.randrange(0xa0, 0x800))
    if kind < 9:
        code = rnd.randrange(0x800, 0x10000)
        return chr(code) if not 0xd800 <= code < 0xe000 else 'x'
    return chr(rnd.randrange(0x10000, 0x110000))


def text(rnd, limit):
    kind = rnd.randrange(100)
    if kind < 4:
        return ''
    if kind < 6:
        return rnd.choice((' ', '\t', '  \t ', '\n', '=', '\\', '|', '\r', '\x00', 'a ', ' a', '\\ ', '= '))
    if kind < 8:
        size = limit
    elif kind < 30:
        size = rnd.randrange(1, min(limit, 300))
    else:
        size = rnd.randrange(1, min(limit, 40))
    whole = ''
    while len(whole) < size:
        whole += piece(rnd) if len(whole) < 60 else rnd.choice(chunks(rnd))
    return whole[:size]


def piece(rnd):
    if rnd.randrange(4) == 0:
        return rnd.choice(PIECES)
    return character(rnd) if rnd.randrange(2) else rnd.choice(('auth', 'the user', 'x', ' ', 'GET /index.html?a=b&c=d', '192.0.2.1', 'C:\\temp\\new'))


# What long values are put together from, for making each character anew takes its time.
def chunks(rnd, made=[]):
    if not made:
        made.extend(''.join(piece(rnd) for _ in range(rnd.randrange(1, 30))) for _ in range(5000))
    return made


# What cmd/to-cef/cef.h says becomes of a value, and of a part of the header.
def value_of(plain):
    return re.sub('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]', ' ', plain).rstrip(' \t')


# A row of a map that says nothing is left out, and line breaks say nothing.
def not_blank(plain):
    return plain.strip(' \t\r\n') != '' and value_of(plain) != ''


def header_of(plain):
    return re.sub('\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]', ' ', plain)


def header_text(rnd, limit):
    while True:
        plain = text(rnd, limit)
        if plain.strip():
            return plain


def encode(envelope, rnd):
    line = json.dumps(envelope, ensure_ascii=rnd.randrange(2) == 0)
    # Escapes that need not be there.
    return line.replace('/', '\\/') if rnd.randrange(4) == 0 else line


MAP = r'''# of cef_model.py
vendor  = Peers
product = {logger}
version = 1.0
event mapped  type == "mapped"
    signature   = {fields.sig}
    name        = {fields.name}
    severity    = {fields.sev}
    externalId  = {fields.id}
    msg         = {payload}
    suser       = {fields.user}
    request     = {fields.request}
    reason      = <{fields.reason|none}>
    src         = {fields.ip}
    cnt         = {fields.n}
    cs1 "a label" = {fields.one}
    cs2 two     = {fields.two}
    cn1 number  = {fields.n}
drop type == "heartbeat"
'''


def structured(rnd, number):
    fields, want = {}, {}
    header = [header_text(rnd, 63), header_text(rnd, 63), header_text(rnd, 31), header_text(rnd, 100), header_text(rnd, 512), str(rnd.randint(0, 10))]
    for name, part in zip(('vendor', 'product', 'version', 'signature', 'name', 'severity'), header):
        fields[name] = part
    if rnd.randrange(2):
        fields['severity'] = int(header[5])
    budget = BYTES_MAX

    def put(key, plain, sent=None):
        nonlocal budget
        if key in fields or len(str(plain).encode()) > budget:
            return
        fields[key] = plain
        value = value_of(str(plain)) if sent is None else sent
        budget -= len(value.encode())
        if value:
            want[key] = value

    put('externalId', 'id-%d' % number)
    for _ in range(rnd.randrange(0, 9)):
        key = rnd.choice(list(STRINGS))
        plain = text(rnd, STRINGS[key])
        if key in LABELLED:
            if not value_of(plain) or key in fields or len(plain.encode()) > budget:
                continue
            label = 'the label of %s %s' % (key, rnd.choice(('', 'a=b', '|', '\\', '\u00e9\U0001f600')))
            put(key + 'Label', label)
        put(key, plain)
    for _ in range(rnd.randrange(0, 3)):
        key = rnd.choice(list(TYPED))
        plain = TYPED[key](rnd)
        put(key, plain)
    for _ in range(rnd.randrange(0, 2)):
        put(rnd.choice(OTHERS), text(rnd, 200))
    items = list(fields.items())
    rnd.shuffle(items)
    return 'cef', dict(items), header, want


def mapped(rnd, number):
    header = ['Peers', None, '1.0', header_text(rnd, 100), header_text(rnd, 300), str(rnd.randint(0, 10))]
    fields = {'id': 'id-%d' % number, 'sig': header[3], 'name': header[4], 'sev': int(header[5]), 'unused': text(rnd, 50)}
    want = {'externalId': fields['id']}
    for key, name, limit in (('user', 'suser', 1023), ('request', 'request', 1023), ('one', 'cs1', 4000), ('two', 'cs2', 4000)):
        if rnd.randrange(3):
            continue
        fields[key] = text(rnd, limit)
        value = value_of(fields[key])
        if not_blank(fields[key]):
            want[name] = value
    for key, label in (('cs1', 'a label'), ('cs2', 'two')):
        if key in want:
            want[key + 'Label'] = label
    if rnd.randrange(2):
        fields['reason'] = text(rnd, 1000)
    want['reason'] = value_of('<' + (fields.get('reason') or 'none') + '>')
    if rnd.randrange(2):
        fields['ip'] = want['src'] = TYPED['src'](rnd)
    if rnd.randrange(2):
        fields['n'] = rnd.randint(0, 10**6)
        want['cnt'] = want['cn1'] = str(fields['n'])
        want['cn1Label'] = 'number'
    return 'mapped', fields, header, want


def make(count, seed, model, map_file):
    rnd = random.Random(seed)
    with open(map_file, 'w') as out:
        out.write(MAP)
    out = open(sys.stdout.fileno(), 'wb', closefd=False)
    with open(model, 'w') as expected:
        for number in range(count):
            kind, fields, header, want = (structured if rnd.randrange(10) < 7 else mapped)(rnd, number)
            envelope = {'timestamp': '2026-10-0%d%s12:00:%02d.%03dZ' % (rnd.randint(1, 9), 'T', number % 60, number % 1000), 'logger': 'peer', 'type': kind, 'severity': rnd.randint(0, 7), 'fields': fields,
                        'metlog_hostname': 'web%d.example.com' % rnd.randint(1, 3), 'metlog_pid': rnd.randint(1, 32768)}
            if header[1] is None:
                header[1] = 'peer'
            payload = text(rnd, 1023)
            if rnd.randrange(2):
                envelope['payload'] = payload
                if kind == 'mapped' and not_blank(payload):
                    want['msg'] = value_of(payload)
                elif kind == 'cef' and not value_of(fields.get('msg', '')) and value_of(payload) and payload != fields['name']:
                    want['msg'] = value_of(payload)
            if kind == 'cef':
                stamp = 1790812800 + (int(envelope['timestamp'][8:10]) - 1) * 86400 + 12 * 3600 + number % 60
                want['rt'] = '%d%03d' % (stamp, number % 1000)
                want['dvchost'] = envelope['metlog_hostname']
            if rnd.randrange(4) == 0:
                envelope['type'] = envelope.pop('type')
            out.write(encode(envelope, rnd).encode() + b'\n')
            expected.write(json.dumps({'header': [header_of(part) for part in header], 'ext': want}) + '\n')


ESCAPES = {'n': '\n', 'r': '\r', '\\': '\\', '=': '=', '|': '|'}


def unescape(raw):
    return re.sub(r'\\(.)', lambda m: ESCAPES.get(m.group(1), '\\' + m.group(1)), raw, flags=re.S)


# The header by its grammar; the rest of the line.
def header_read(line):
    parts, rest = [], line
    for _ in range(7):
        found = re.match(r'((?:[^\\|]|\\[\\|])*)\|', rest, re.S)
        if not found:
            return None, None
        parts.append(re.sub(r'\\(.)', r'\1', found.group(1), flags=re.S))
        rest = rest[found.end():]
    return parts, rest


# pycef knows no escape in a header, so it gets a plain one; it leaves escapes as they are, and puts the label in the place of its key.
def pycef_read(pycef, extension):
    found = pycef.parse('CEF:0|v|p|1|s|n|5|' + extension)
    if found is None:
        return None
    for name in ('DeviceVendor', 'DeviceProduct', 'DeviceVersion', 'DeviceEventClassID', 'Name', 'DeviceName', 'Severity', 'DeviceSeverity', 'CEFVersion'):
        found.pop(name, None)
    return {unescape(key): unescape(value) for key, value in found.items()}


def pycef_expects(want):
    names = {key: want.get(key + 'Label', key) for key in want if not (key.endswith('Label') and key[:-5] in want)}
    return {names[key]: want[key] for key in names}


# lognormalizer takes the first character behind the header for a blank.
def lognormalizer_read(lines, places):
    with tempfile.TemporaryDirectory() as room:
        with open(room + '/rules', 'w') as rules:
            rules.write('version=2\nrule=:%f:cef%\n')
        with open(room + '/lines', 'w', newline='') as out:
            out.writelines(line[:place] + ' ' + line[place:] + '\n' for line, place in zip(lines, places))
        with open(room + '/lines', 'rb') as given:
            done = subprocess.run(['lognormalizer', '-r', room + '/rules', '-e', 'json'], stdin=given, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.split(b'\n') if line]


def records(stored):
    with open(stored, 'rb') as given:
        data = given.read()
    if data and not data.endswith(b'\n'):
        raise SystemExit('the last record has no end')
    return data.split(b'\n')[:-1]


def identity(line):
    found = re.search(rb' ?externalId=id-(\d+)(?: [A-Za-z0-9_]+=|$)', line)
    return int(found.group(1)) if found else None


class Differences:
    def __init__(self):
        self.count = 0

    def add(self, *what):
        self.count += 1
        if self.count <= 5:
            print(*what, sep='\n    ')


def compare(model, stored, again, known):
    import pycef
    known = set(records(known)) if known else ()
    with open(model) as given:
        expected = [json.loads(line) for line in given]
    differences = Differences()
    lines, numbers, places = [], [], []
    seen, count_known = set(), 0
    for raw in records(stored):
        at = raw.find(b'CEF:')
        number = identity(raw)
        try:
            line = raw[max(at, 0):].decode()
        except UnicodeDecodeError as why:
            differences.add('not UTF-8: %s' % why, repr(raw[:300]))
            continue
        if at < 0 or number is None or number >= len(expected):
            differences.add('a record that was not sent:', repr(raw[:300]))
            continue
        if number in seen and not again:
            differences.add('sent once, and there twice: %d' % number)
        seen.add(number)
        if raw[at:] in known:
            count_known += 1
            continue
        header, rest = header_read(line)
        if header is None:
            differences.add('no header: %r' % line[:300])
            continue
        want = expected[number]
        if header[0] != 'CEF:0' or header[1:] != want['header']:
            differences.add('header of %d:' % number, repr(header), repr(want['header']))
        found, ours = pycef_read(pycef, rest), pycef_expects(want['ext'])
        if found != ours:
            differences.add('pycef reads %d as:' % number, *difference(found, ours))
        lines.append(line)
        numbers.append(number)
        places.append(len(line) - len(rest))
    found = lognormalizer_read(lines, places) if lines else []
    if len(found) != len(lines):
        differences.add('lognormalizer reads %d records instead of %d' % (len(found), len(lines)))
    for number, line, one in zip(numbers, lines, found):
        want = expected[number]
        if 'f' not in one:
            differences.add('lognormalizer cannot read %d: %r' % (number, line[:2000]))
            continue
        one = one['f']
        header = [one[name] for name in ('DeviceVendor', 'DeviceProduct', 'DeviceVersion', 'SignatureID', 'Name', 'Severity')]
        if header != want['header']:
            differences.add('lognormalizer, header of %d:' % number, repr(header), repr(want['header']))
        if one['Extensions'] != want['ext']:
            differences.add('lognormalizer reads %d as:' % number, *difference(one['Extensions'], want['ext']))
    missing = [number for number in range(len(expected)) if number not in seen]
    if missing:
        differences.add('%d of %d are missing, the first %s' % (len(missing), len(expected), missing[:10]))
    print('%d records, %d of %d ids, %d differences' % (len(lines) + count_known, len(seen), len(expected), differences.count))
    return differences.count == 0


def difference(found, want):
    if found is None:
        yield 'nothing'
        return
    for key in sorted(set(found) | set(want)):
        if found.get(key) != want.get(key):
            yield '%s: %r instead of %r' % (key, (found.get(key) or '')[:300], (want.get(key) or '')[:300])


def main():
    command = sys.argv[1:2]
    if command == ['make']:
        make(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
    elif command == ['compare']:
        sys.exit(0 if compare(sys.argv[2], sys.argv[3], '--again' in sys.argv, sys.argv[sys.argv.index('--known') + 1] if '--known' in sys.argv else None) else 1)
    elif command == ['ids']:
        for raw in records(sys.argv[2]):
            print(identity(raw))
    else:
        sys.exit(__doc__)


main()
