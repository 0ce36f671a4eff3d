#!/usr/bin/env python3
# report_page - reads a page of a report as a browser does, and says what is wrong with it, or what it says.
# SPDX-License-Identifier: MPL-2.0
"""report_page.py check PAGE            prints a line for each fault
report_page.py compare PAGE TABLE <ENVELOPES   prints a line for each number that page or table have not as the envelopes have it"""
import base64
import hashlib
import json
import re
import sys
from html.parser import HTMLParser

VOID = {'meta', 'br', 'line', 'rect'}
ELEMENTS = set('html head meta title style body header main section h1 h2 h3 p strong span div dl dt dd table caption thead tbody tr th td'
               ' svg g line rect path text ul li a bdi code i br details summary figure figcaption'.split())
ATTRIBUTES = set('lang charset http-equiv content name class id href scope colspan open role aria-hidden aria-labelledby aria-label tabindex'
                 ' width height x y x1 x2 y1 y2 d viewbox preserveaspectratio text-anchor'.split())
HIDDEN = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff]')


class Element:
    def __init__(self, name, attributes, parent):
        self.name, self.attributes, self.parent, self.children, self.text = name, dict(attributes), parent, [], ''

    def find(self, name, css=None):
        for child in self.children:
            if isinstance(child, Element):
                if child.name == name and (css is None or css in child.attributes.get('class', '').split()):
                    yield child
                yield from child.find(name, css)

    def words(self):
        return ''.join(c if isinstance(c, str) else ' ' if c.name == 'br' else c.words() for c in self.children)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element('', [], None)
        self.faults, self.ids, self.doctype = [], [], None
        self.feed(text)
        self.close()
        if self.at is not self.root:
            self.faults.append(f'<{self.at.name}> is not closed')

    def handle_decl(self, decl):
        self.doctype = decl

    def handle_comment(self, data):
        self.faults.append(f'a comment: {data!r}')

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, self.at)
        self.at.children.append(element)
        self.look(element, [name for name, _ in attrs])
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.at = self.at.parent

    def handle_endtag(self, tag):
        if self.at.name != tag:
            self.faults.append(f'line {self.getpos()[0]}: </{tag}> within <{self.at.name}>')
            return
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)
        if HIDDEN.search(data):
            self.faults.append(f'line {self.getpos()[0]}: a character that cannot be seen: {data!r}')

    def look(self, element, names):
        where = f'line {self.getpos()[0]}: <{element.name}>'
        if element.name not in ELEMENTS:
            self.faults.append(f'{where} is none of ours')
        if len(names) != len(set(names)):
            self.faults.append(f'{where} repeats an attribute')
        for name, value in element.attributes.items():
            if name not in ATTRIBUTES:
                self.faults.append(f'{where} has {name}={value!r}')
            if name == 'href' and not value.startswith('#'):
                self.faults.append(f'{where} leads to {value!r}')
            if name == 'id':
                self.ids.append(value)


def check(page, text):
    faults = page.faults
    if page.doctype != 'DOCTYPE html':
        faults.append('no doctype')
    if len(page.ids) != len(set(page.ids)):
        faults.append('an id stands twice')
    for a in page.root.find('a'):
        if a.attributes['href'][1:] not in page.ids:
            faults.append(f'{a.attributes["href"]} leads nowhere')
    styles = [s.words() for s in page.root.find('style')]
    policy = [m.attributes['content'] for m in page.root.find('meta') if m.attributes.get('http-equiv') == 'Content-Security-Policy']
    digest = base64.b64encode(hashlib.sha256(''.join(styles).encode()).digest()).decode()
    if len(styles) != 1 or len(policy) != 1 or "default-src 'none'" not in policy[0] or f"style-src 'sha256-{digest}'" not in policy[0]:
        faults.append(f'the policy does not let in the style alone, sha256-{digest}: {policy}')
    for word in ('url(', '@import', '//', 'expression', '<'):
        if word in ''.join(styles):
            faults.append(f'the style has {word}')
    for word in ('prefers-color-scheme:dark', '@media print', 'max-width'):
        if word not in ''.join(styles):
            faults.append(f'the style has no {word}')
    for svg in page.root.find('svg'):
        inside = svg.parent.name in ('svg',)
        if not inside and svg.attributes.get('aria-hidden') != 'true' and not next(svg.find('title'), None):
            faults.append('a drawing has neither a title nor is it hidden from who cannot see it')
    for table in page.root.find('table'):
        for th in table.find('th'):
            if 'scope' not in th.attributes:
                faults.append('a head of a table does not say of what')
    for svg in page.root.find('svg', 'chart'):
        if not next(svg.parent.find('table', 'numbers'), None):
            faults.append('a chart has no table of its numbers')
    if '\r' in text or not text.endswith('</html>\n'):
        faults.append('it ends as no page does')


def number(words):
    return int(re.match(r'\s*([\d,]+)', words).group(1).replace(',', ''))


def visible(text):
    return ''.join({'\n': '\\n', '\t': '\\t', '\r': '\\r'}.get(c, c if not HIDDEN.match(c) else f'\\x{ord(c):02x}' if ord(c) < 128 else f'\\u{{{ord(c):04x}}}') for c in text)


def grouped(n):
    return f'{n:,}'


def page_tags(page):
    """(metric, tag): values, series, growth's end, counts of the most frequent"""
    found = {}
    for metric in page.root.find('details', 'metric'):
        name = next(metric.find('h3')).words()
        for table in metric.find('table', 'tags'):
            tag = None
            for row in next(table.find('tbody')).find('tr'):
                cells = list(row.find('td'))
                if 'tag' in row.attributes['class'].split():
                    tag = next(row.find('th')).words()
                    title = next(row.find('title'), None)
                    found[name, tag] = [number(cells[0].words()), number(cells[2].words()), title and title.words(), []]
                else:
                    found[name, tag][3] = [number(s.words().removeprefix('≤')) for s in row.find('span', 'dim')]
    return found


def compare(page, table, envelopes):
    tags, lines, faults = page_tags(page), table.split('\n'), []
    words, rows = page.root.words(), {}
    for line in lines:
        if line.startswith('  ') and line[2:3].strip():
            rows.setdefault(line.split()[0], []).append(set(line.split()))
    for e in envelopes:
        f = e['fields']
        if f['about'] == 'tag':
            name = visible(f"{f['metric_type']} {f['metric']}".strip())
            series = f['series_without'] if f['is_tag'] else f['series_with']
            counts = [t['count'] for t in f['top'] if t['over'] <= t['count'] // 2]
            title = f"from {grouped(f['growth'][0])} to {grouped(f['growth'][-1])}" if f['growth'] else None
            if len(f['tag']) > 80:  # cut, and said with its first letters
                tags = {k: v for k, v in tags.items() if not f['tag'].startswith(k[1].removesuffix('...'))}
                continue
            was, here = tags.pop((name, visible(f['tag'])), None), [f['values'], series, title, counts]
            if was != here:
                faults.append(f'page: {name}, {f["tag"]}: {was} for {here}')
            if not any({grouped(f['values']), grouped(series)} <= words_of for words_of in rows.get(visible(f['tag']).split(' ')[0], [])):
                faults.append(f'table: {name}, {f["tag"]}')
            for t in f['top'][:1]:
                text = f"{visible(t['value'])[:10]}"
                if t['over'] == 0 and not any(text in line and f" {grouped(t['count'])} (" in line for line in lines):
                    faults.append(f'table: value {t}')
        elif f['about'] == 'metric':
            error = f' ±{100 * f["series_error"]:.2f} %' if f['series_error'] else ''
            text = f"{grouped(f['series'])}{error} series of {grouped(f['product'])} possible, {grouped(f['envelopes'])} envelope"
            faults += [f'{where}: {text}' for where, all_of_it in (('page', words), ('table', table)) if text not in all_of_it]
        elif f['about'] == 'limit':
            text = f"{grouped(f['found'])} of {grouped(f['limit'])}"
            faults += [f'{where}: {text}' for where, all_of_it in (('page', words), ('table', table)) if text not in all_of_it]
        elif f['about'] == 'report':
            faults += [f'{where}: {e["payload"]}' for where, all_of_it in (('page', words), ('table', table)) if visible(e['payload']) not in all_of_it.replace('\n', ' ')]
    return faults + [f'only the page has {name}' for name in tags]


def main():
    text = open(sys.argv[2], encoding='utf-8', newline='').read()
    page = Page(text)
    if sys.argv[1] == 'check':
        check(page, text)
        faults = page.faults
    else:
        faults = compare(page, open(sys.argv[3], encoding='utf-8').read(), [json.loads(line) for line in sys.stdin])
    print('\n'.join(faults), end='\n' if faults else '')
    return 1 if faults else 0


sys.exit(main())
