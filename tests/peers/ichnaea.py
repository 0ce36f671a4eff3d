# ichnaea - counts users as Ichnaea does, in a real redis-server, beside metlog-cardinality, and compares the gauges of both after each round.
# SPDX-License-Identifier: MPL-2.0
"""usage: ichnaea.py SOCKET [--rounds N] [--calls N] [--seed N]

Each round is some hours of calls to two APIs, by keys of few and of many users. Ichnaea's view does PFADD apiuser:TYPE:KEY:DAY ADDRESS for each; its job
PFCOUNT of the key of the day, and of that and the six before. Beside it, metlog-cardinality reads the same calls as envelopes; what it writes goes through
metlog-to-statsd --tags dogstatsd. A set that metlog-cardinality counts exactly is what it truly is, and what Redis says of it is at most 2.5 % away; of any
other both say the same."""

import argparse
import collections
import datetime
import ipaddress
import json
import random
import re
import socket
import subprocess
import sys

APIS = ("locate", "submit")
EXACT = 256     # values counted exactly
START = datetime.datetime(2012, 10, 1)
HOURS = 7       # of a round: so borders of days come anywhere in it


class Redis:
    """Speaks to a server; commands are sent together."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def all(self, commands):
        text = b"".join(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
                        for words in ([word.encode() for word in command] for command in commands))
        self.socket.sendall(text)
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.file.readline()
        if not line.startswith(b":"):
            sys.exit("redis-server: %r" % line)
        return int(line[1:])


def address(rng, users, key):
    """Of one of the users of a key, in one of the ways in which it may be written; of some there is none."""
    number = rng.randrange(users) * 2654435761 % 2**32
    if number % 11 == 0:
        return rng.choice([None, "", "unknown", "10.0.0.256", "1:2:3"])
    if number % 3 == 0:
        text = "2001:db8:0:%x::%x:%x" % (key, number >> 16, number & 65535)
        return rng.choice([text, text.upper(), ipaddress.ip_address(text).exploded])
    return str(ipaddress.ip_address(number))


def canonical(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return "127.0.0.1"


class Trial:
    def __init__(self, options):
        self.redis, self.options, self.rng = Redis(options.socket), options, random.Random(options.seed)
        self.sets = collections.defaultdict(set)
        self.wrong, self.compared, self.exact = [], 0, 0
        # Few users, as many as are just counted exactly, many; some keys call only on some days.
        self.keys = {"key-%d" % n: users for n, users in enumerate((1, 3, 30, 120, 270, 300, 1500, 4000, 20000))}

    def calls(self, number):
        begin = START + datetime.timedelta(hours=HOURS * number)
        for _ in range(self.options.calls):
            when = begin + datetime.timedelta(seconds=self.rng.randrange(-600, HOURS * 3600))
            which = self.rng.randrange(len(self.keys))
            key, users = list(self.keys.items())[which]
            if (when.day + which) % 4 == 0:
                continue
            yield when, self.rng.choice(APIS), key, address(self.rng, users, which)

    def play(self, number):
        commands = []
        with open("round", "w", encoding="utf-8") as out:
            for when, api, key, text in self.calls(number):
                fields = {"name": api + ".request", "api_type": api, "api_key": key}
                if text is not None:
                    fields["ip"] = text
                stamp = when.isoformat() + self.rng.choice(["", "Z", ".5Z", "+00:00"])
                print(json.dumps({"timestamp": stamp, "type": "counter", "payload": "1", "fields": fields}), file=out)
                name = "apiuser:%s:%s:%s" % (api, key, when.date())
                commands.append(("PFADD", name, canonical(text)))
                self.sets[name].add(canonical(text))
        self.redis.all(commands)

    def expected(self, api, now):
        """Of each gauge: what Redis says, and what is true."""
        wanted = []
        for key in self.keys:
            for days in (1, 7):
                names = ["apiuser:%s:%s:%s" % (api, key, now.date() - datetime.timedelta(back)) for back in range(days)]
                wanted.append((key, days, names))
        said = self.redis.all([["PFCOUNT"] + names for _, _, names in wanted])
        return {(key, days): (count, len(set().union(*(self.sets[name] for name in names)))) for (key, days, names), count in zip(wanted, said) if count}

    def counted(self, api, now):
        command = ["metlog-cardinality", "-m", 'fields.api_type == "%s"' % api, "--of", "fields.ip", "--by", "key=fields.api_key", "--ip", "--now",
                   now.isoformat() + "Z", "--name", api + ".user", "--interval", "1d,7d", "--state", "state." + api, "round"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        lines = subprocess.run(["metlog-to-statsd", "--tags", "dogstatsd", "--dry-run"], input=done.stdout, stdout=subprocess.PIPE, check=True).stdout
        found = {}
        for line in lines.decode().splitlines():
            match = re.fullmatch(r"%s\.user:(\d+)\|g\|#key:([\w-]+),interval:(\d)d" % api, line)
            if not match or (match.group(2), int(match.group(3))) in found:
                sys.exit("not a line of the seed's: " + line)
            found[match.group(2), int(match.group(3))] = int(match.group(1))
        return found

    def compare(self, number):
        now = START + datetime.timedelta(hours=HOURS * (number + 1))
        for api in APIS:
            expected, found = self.expected(api, now), self.counted(api, now)
            if expected.keys() != found.keys():
                self.wrong.append("round %d, %s: gauges %s" % (number, api, sorted(expected.keys() ^ found.keys())))
            for gauge in expected.keys() & found.keys():
                said, true = expected[gauge]
                self.compared += 1
                self.exact += true <= EXACT
                good = found[gauge] == true and abs(said - true) <= 0.025 * true + 1.5 if true <= EXACT else found[gauge] == said
                if not good:
                    self.wrong.append("round %d, %s %s: %d; Redis: %d; true: %d" % (number, api, gauge, found[gauge], said, true))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("socket")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    trial = Trial(parser.parse_args())
    for number in range(trial.options.rounds):
        trial.play(number)
        trial.compare(number)
    print("\n".join(trial.wrong[:10]))
    print("%d gauges in %d rounds, %d of sets that are counted exactly: %d wrong" % (trial.compared, trial.options.rounds, trial.exact, len(trial.wrong)))
    return bool(trial.wrong) or trial.exact == 0 or trial.exact == trial.compared


if __name__ == "__main__":
    sys.exit(main())
