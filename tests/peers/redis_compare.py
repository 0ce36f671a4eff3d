#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""redis_compare - the same elements in the same order to a Redis server and to sketch_driver: equal bytes, equal counts.

usage: redis_compare.py SOCKET DRIVER sparse|promoted|dense|crowded|odd|merge [SEED]
"""
import os
import random
import socket
import subprocess
import sys
import tempfile

MASK = (1 << 64) - 1


class Redis:
    """As much of RESP2 as is needed."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise SystemExit("redis: " + rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        return rest

    def add(self, key, elements):
        self("PFADD", key)
        for at in range(0, len(elements), 500):
            self("PFADD", key, *elements[at:at + 500])


def murmur(data):
    m = 0xC6A4A7935BD1E995
    h = 0xADC83B19 ^ (len(data) * m & MASK)
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        k = int.from_bytes(data[at:at + 8], "little") * m & MASK
        k = (k ^ k >> 47) * m & MASK
        h = (h ^ k) * m & MASK
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & MASK
    h = (h ^ h >> 47) * m & MASK
    return h ^ h >> 47


def neighbours(rng, registers, count):
    """Elements of the first registers only, whose runs are split and joined again and again."""
    found = []
    while len(found) < count:
        element = b"%x" % rng.getrandbits(64)
        if murmur(element) & 16383 < registers:
            found.append(element)
    return found


def elements(rng, count):
    kind = rng.randrange(5)
    make = [lambda: b"10.%d.%d.%d" % tuple(rng.randrange(256) for _ in range(3)),
            lambda: b"user:%d" % rng.randrange(10 * count + 1),
            lambda: b"%032x" % rng.getrandbits(128),
            lambda: bytes(rng.randrange(1, 256) for _ in range(rng.randrange(24))).replace(b"\n", b"-"),
            lambda: ("gr\u00f6\u00dfe-%d" % rng.randrange(10 * count + 1)).encode()][kind]
    return [make() for _ in range(count)]


class Compare:
    def __init__(self, path, driver, seed):
        self.redis, self.driver, self.rng, self.sets, self.wrong = Redis(path), driver, random.Random(seed), 0, 0

    def drive(self, *arguments, given=b""):
        return subprocess.run([self.driver, *arguments], input=given, stdout=subprocess.PIPE, check=True).stdout

    def same(self, what, theirs, ours):
        self.sets += 1
        if theirs != ours:
            self.wrong += 1
            at = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
            print("%s: redis has %d bytes, the driver %d; they differ from byte %d" % (what, len(theirs), len(ours), at))

    def one(self, given):
        """One set: GET before PFCOUNT, then PFCOUNT against the count of the file."""
        self.redis("DEL", "k")
        self.redis.add("k", given)
        theirs, ours = self.redis("GET", "k"), self.drive("add", given=b"".join(e + b"\n" for e in given))
        self.same("a set of %d" % len(given), theirs, ours)
        self.counts({"k": ours})
        return theirs

    def odd(self, pool):
        """A value that PFADD would not have made, of runs that could be joined, and what PFADD then makes of it."""
        left, runs = 16384, b""
        while left:
            size, value = min(left, self.rng.choice((1, 1, 1, 2, 3, 4))), self.rng.choice((1, 1, 1, 2))
            if left <= 14000 or not self.rng.randrange(6):
                size = min(left, self.rng.choice((1, 30, 64, 700)) if left > 14000 else 16384)
                wide = size > 64 or self.rng.randrange(2)
                runs += bytes([0x40 | (size - 1) >> 8, (size - 1) & 255] if wide else [size - 1])
            else:
                runs += bytes([0x80 | (value - 1) << 2 | size - 1])
            left -= size
            if len(runs) > 2700:
                runs += bytes([0x40 | (left - 1) >> 8, (left - 1) & 255]) if left else b""
                break
        value, given = b"HYLL\1" + bytes(10) + b"\x80" + runs, pool[:self.rng.randrange(1, 30)]
        self.redis("SET", "k", value)
        self.redis("PFADD", "k", *given)
        with tempfile.NamedTemporaryFile() as file:
            file.write(value)
            file.flush()
            self.same("%d runs and %d elements" % (len(runs), len(given)), self.redis("GET", "k"), self.drive("add", file.name, given=b"".join(e + b"\n" for e in given)))

    def counts(self, values):
        with tempfile.TemporaryDirectory() as directory:
            names = [os.path.join(directory, key) for key in values]
            for name, value in zip(names, values.values()):
                with open(name, "wb") as file:
                    file.write(value)
            ours = [int(n) for n in self.drive("count", *names).split()]
        theirs = [self.redis("PFCOUNT", key) for key in values]
        if ours != theirs:
            self.wrong += 1
            print("PFCOUNT is", theirs, "and ours", ours)

    def merge(self):
        """PFMERGE of one to five keys into a fresh key, and into one that has values."""
        sizes = [0, 1, 9, 260, 700, 1400] if self.rng.randrange(4) else [300, 1500, 5000, 20000]
        count = self.rng.randrange(1, 6)
        keys = ["s%d" % i for i in range(count)] + ["dest"]
        self.redis("FLUSHALL")
        with tempfile.TemporaryDirectory() as directory:
            names = []
            for key in keys:
                self.redis.add(key, elements(self.rng, self.rng.choice(sizes)))
                names.append(os.path.join(directory, key))
                with open(names[-1], "wb") as file:
                    file.write(self.redis("GET", key))
            self.redis("PFMERGE", "fresh", *keys[:-1])
            fresh = self.drive("merge", *names[:-1])
            self.same("PFMERGE of %d into a fresh key" % count, self.redis("GET", "fresh"), fresh)
            self.redis("PFMERGE", "dest", *keys[:-1])
            into = self.drive("into", names[-1], *names[:-1])
            self.same("PFMERGE of %d into a key" % count, self.redis("GET", "dest"), into)
            self.counts({"fresh": fresh, "dest": into})


def main():
    path, driver, kind = sys.argv[1:4]
    c = Compare(path, driver, int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    rng, forms = c.rng, set()
    if kind == "merge":
        for _ in range(30):
            c.merge()
    elif kind == "odd":
        pool = neighbours(rng, 2400, 3000)
        for _ in range(150):
            rng.shuffle(pool)
            c.odd(pool)
    elif kind == "crowded":
        for registers, count in ((40, 300), (600, 2000), (3000, 4000)):
            pool = neighbours(rng, registers, count)
            for _ in range(30):
                rng.shuffle(pool)
                forms.add(c.one(pool[:rng.randrange(len(pool) if rng.randrange(2) else 200)])[4])
    else:
        sizes = {"sparse": (0, 1450, 120), "promoted": (1500, 1800, 60), "dense": (3000, 60000, 12)}[kind]
        for _ in range(sizes[2]):
            forms.add(c.one(elements(rng, rng.randrange(*sizes[:2])))[4])
    print("%d values, forms %s, %d wrong" % (c.sets, sorted(forms), c.wrong))
    sys.exit(1 if c.wrong else 0)


main()
