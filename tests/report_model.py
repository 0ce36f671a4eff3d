#!/usr/bin/env python3
# report_model - what metlog-cardinality --report must find, worked out with dictionaries and sets, and a random input to try it on.
# SPDX-License-Identifier: MPL-2.0
"""
report_model.py model [--tags PATH,...] [--top N] INPUT    the numbers as lines, sorted
report_model.py read OUTPUT                                the same lines of the tool's envelopes
report_model.py make SEED LINES                            an input
report_model.py property FROM TO                           makes inputs of those seeds, and compares
"""
import json, random, subprocess, sys
from datetime import datetime, timezone


class Number(str):
    """A number as it stands in the line: 1.0 and 1 are two values."""


def load(line):
    return json.loads(line, parse_int=Number, parse_float=Number, parse_constant=Number)


def text(value):
    if value is True or value is False:
        return 'true' if value else 'false'
    if not isinstance(value, str):
        return None
    return str(value).encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')


def nanoseconds(stamp):
    if not isinstance(stamp, str):
        return None
    whole = datetime.fromisoformat(stamp.replace('Z', '+00:00'))
    if whole.tzinfo is None:
        whole = whole.replace(tzinfo=timezone.utc)
    delta = whole - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return ((delta.days * 86400 + delta.seconds) * 1000000 + delta.microseconds) * 1000


def find(envelope, path):
    """As the toolkit's paths: a key that is all the rest wins over one that is the next segment."""
    if isinstance(envelope, dict):
        if path in envelope:
            return envelope[path]
        head, dot, rest = path.partition('.')
        if dot and head in envelope:
            return find(envelope[head], rest)
    return None


class Set:
    """Different things, and when each came first: a list of (time, how many)."""

    def __init__(self):
        self.seen, self.firsts = set(), []

    def add(self, thing, when):
        if thing not in self.seen:
            self.seen.add(thing)
            self.firsts.append(when)

    def growth(self, clock):
        if not clock:
            return []
        width, first, buckets = clock
        out = [0] * buckets
        for when in self.firsts:
            out[when // width - first] += 1
        return [sum(out[:i + 1]) for i in range(buckets)]


class Metric:
    def __init__(self):
        self.envelopes, self.series, self.sets, self.members = 0, Set(), [], {}


def members_of(envelope, tags):
    fields = envelope.get('fields', {})
    out, inner = {}, fields.get('tags')
    for key, value in fields.items():
        if key not in ('name', 'rate', 'tags') and text(value) is not None and 'fields.' + key not in tags:
            out[(False, key)] = text(value)
    if text(inner) is not None:
        out[(False, 'tags')] = text(inner)
    if isinstance(inner, dict):
        for key, value in inner.items():
            if text(value) is not None and 'fields.tags.' + key not in tags:
                out[(not tags, 'tags.' + text(key))] = text(value)
    for path in tags:
        value = text(find(envelope, path))
        if value is not None:
            out[(True, path[7:] if path.startswith('fields.') else path)] = value
    return {(is_tag, text(name)): value for (is_tag, name), value in out.items()}


def clock_of(times):
    if not times:
        return None
    width = 1000000000
    while max(times) // width - min(times) // width >= 32:
        width *= 2
    return width, min(times) // width, max(times) // width - min(times) // width + 1


def model(lines, tags, top):
    metrics, times, minutes, known = {}, [], {}, set()
    for line in lines:
        envelope = load(line)
        when = nanoseconds(envelope.get('timestamp'))
        if when is not None:
            times.append(when)
        name = envelope.get('fields', {}).get('name')
        name = text(name) if isinstance(name, str) and not isinstance(name, Number) else ''
        key = (text(envelope.get('type', '')), name)
        metric = metrics.setdefault(key, Metric())
        metric.envelopes += 1
        members = members_of(envelope, tags)
        series = frozenset((k, v) for k, v in members.items() if k[0])
        metric.series.add(series, when)
        metric.sets.append(members)
        for member, value in members.items():
            values, counts = metric.members.setdefault(member, (Set(), {}))
            values.add(value, when)
            counts[value] = counts.get(value, 0) + 1
        if (key, series) not in known:
            known.add((key, series))
            if when is not None:
                minutes[when // 60000000000] = minutes.get(when // 60000000000, 0) + 1
    clock = clock_of(times)
    out = [['report', len(lines), len(metrics), clock[2] if clock else 0, clock[0] / 1e9 if clock else 1.0]]
    for key, metric in metrics.items():
        product = 1.0
        for (is_tag, name), (values, counts) in metric.members.items():
            seen = sum(counts.values())
            if is_tag:
                product *= len(values.seen) + (seen < metric.envelopes)
            other = {frozenset((k, v) for k, v in m.items() if (k[0] and k != (is_tag, name)) or (not is_tag and k == (is_tag, name))) for m in metric.sets}
            growth = values.growth(clock)
            per_hour = None
            if clock and clock[2] >= 4:
                quarter = clock[2] // 4
                begin = (clock[1] + clock[2] - quarter) * clock[0]
                per_hour = round(float(growth[-1] - growth[-1 - quarter]) / ((max(times) - begin + 1) / 3.6e12), 4)
            most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].encode()))[:top]
            out.append(['tag', *key, name, is_tag, seen, len(values.seen), 0, len(other), 0, per_hour, growth, [[value, count, 0] for value, count in most]])
        out.append(['metric', *key, metric.envelopes, len(metric.series.seen), 0, product, metric.series.growth(clock)])
    out.append(['limit', 'max-series-per-database', 1000000, sum(len(m.series.seen) for m in metrics.values())])
    out.append(['limit', 'max-values-per-tag', 100000, max([len(v.seen) for m in metrics.values() for (is_tag, _), (v, _) in m.members.items() if is_tag], default=0)])
    if clock or not lines:
        out.append(['limit', 'MAX_CREATES_PER_MINUTE', 50, max(minutes.values(), default=0)])
    return out


def read(lines):
    out = []
    for line in lines:
        f = json.loads(line)['fields']
        if f['about'] == 'report':
            out.append(['report', f['envelopes'], f['metrics'], f['buckets'], float(f['bucket_s'])])
        elif f['about'] == 'metric':
            out.append(['metric', f['metric_type'], f['metric'], f['envelopes'], f['series'], f['series_error'], float(f['product']), f['growth']])
        elif f['about'] == 'limit':
            out.append(['limit', f['setting'], f['limit'], f['found']])
        elif f['about'] == 'tag':
            way = 'series_without' if f['is_tag'] else 'series_with'
            per_hour = None if f['per_hour'] is None else round(float(f['per_hour']), 4)
            out.append(['tag', f['metric_type'], f['metric'], f['tag'], f['is_tag'], f['seen'], f['values'], f['values_error'], f[way], f[way + '_error'], per_hour, f['growth'],
                        [[t['value'], t['count'], t['over']] for t in f['top']]])
    return out


def show(rows):
    return ''.join(sorted(json.dumps(row) + '\n' for row in rows))


def make(seed, count):
    """Names with escapes, keys that come again, values of every kind, tags in any order, times that go back, or none."""
    draw = random.Random(seed)
    stamped, span, lines = draw.random() < 0.85, draw.choice([1, 50, 3000, 400000, 90000000]), []
    names, values = ['a', 'b.c', 'caf\u00e9', 'sp ace', 'x"y', ''], draw.choice([2, 7, 40])
    forward, at = draw.random() < 0.5, 1349438400

    def quoted(string):
        return ''.join(f'\\u{ord(c):04x}' if draw.random() < 0.1 and ord(c) < 0x10000 else json.dumps(c)[1:-1] if ord(c) < 0x80 else c for c in string)

    def value():
        kind = draw.random()
        if kind < 0.05: return 'null'
        if kind < 0.1: return draw.choice(['{}', '[]', '{"a":1}', '[1,"b"]'])
        if kind < 0.15: return draw.choice(['true', 'false'])
        if kind < 0.3: return draw.choice(['1', '1.0', '1e3', '-0', '7'])
        if kind < 0.35: return '"1"'
        return '"' + quoted(f'v{draw.randrange(values)}' + draw.choice(['', '', '\u20ac', '"', '\t'])) + '"'

    def pairs(keys):
        chosen = [key for key in keys if draw.random() < 0.6] + [draw.choice(keys)] * (draw.random() < 0.1)
        draw.shuffle(chosen)
        return ','.join(f'"{quoted(key)}":{value()}' for key in chosen)

    for _ in range(count):
        parts = [f'"type":"{draw.choice(["counter", "timer", "request"])}"'] if draw.random() < 0.95 else []
        if stamped:
            at = at + draw.randrange(span // 20 + 2) if forward else 1349438400 + draw.randrange(span)
            when = datetime.fromtimestamp(at, timezone.utc).strftime('%Y-%m-%dT%H:%M:%S')
            parts.append(f'"timestamp":"{when}' + draw.choice(['', 'Z', '.250000Z', '+00:00']) + '"')
        if draw.random() < 0.7:
            parts.append(f'"logger":"{draw.choice(["l1", "l2"])}"')
        fields = []
        if draw.random() < 0.7: fields.append(f'"name":"{draw.choice(["hits", "lat"])}"')
        elif draw.random() < 0.1: fields.append('"name":7')
        if draw.random() < 0.5: fields.append('"rate":0.5')
        if draw.random() < 0.2: fields.append('"deep":{"x":%s}' % value())
        rest = pairs(names)
        if rest: fields.append(rest)
        if draw.random() < 0.7: fields.append('"tags":' + draw.choice(['{%s}' % pairs(['k', 'l', 'caf\u00e9', 'a']), '{%s}' % pairs(['k', 'l']), '{}', '"t"', '[1]']))
        draw.shuffle(fields)
        if fields or draw.random() < 0.5: parts.append('"fields":{' + ','.join(fields) + '}')
        draw.shuffle(parts)
        lines.append('{' + ','.join(parts) + '}')
    return lines


def compare(seed):
    draw = random.Random(-seed)
    lines = make(seed, draw.choice([0, 1, 10, 60, 240]))
    tags = draw.choice([[], [], ['fields.a', 'fields.tags.k'], ['logger', 'fields.deep.x', 'fields.b.c']])
    top = draw.choice([0, 3, 32])
    command = ['metlog-cardinality', '--report', '--format', 'json', '--top', str(top)] + (['--tags', ','.join(tags)] if tags else [])
    done = subprocess.run(command, input='\n'.join(lines).encode() + b'\n', stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found, expected = show(read(done.stdout.decode().splitlines())), show(model(lines, tags, top))
    if done.returncode == 0 and found == expected:
        return True
    sys.stderr.write(f'seed {seed} {tags}: status {done.returncode} {done.stderr.decode()}\n')
    for sign, one, two in (('-', expected, found), ('+', found, expected)):
        for row in sorted(set(one.splitlines()) - set(two.splitlines()))[:5]:
            sys.stderr.write(f'{sign} {row}\n')
    return False


def main():
    sys.stdout.reconfigure(encoding='utf-8')
    what, rest = sys.argv[1], sys.argv[2:]
    if what == 'make':
        print('\n'.join(make(int(rest[0]), int(rest[1]))))
    elif what == 'property':
        return 0 if all([compare(seed) for seed in range(int(rest[0]), int(rest[1]))]) else 1
    elif what == 'read':
        sys.stdout.write(show(read(open(rest[0], encoding='utf-8'))))
    else:
        options = dict(zip(rest[:-1:2], rest[1:-1:2]))
        tags = options.get('--tags', '').split(',') if '--tags' in options else []
        sys.stdout.write(show(model(open(rest[-1], encoding='utf-8').read().splitlines(), tags, int(options.get('--top', '5')))))
    return 0


sys.exit(main())
