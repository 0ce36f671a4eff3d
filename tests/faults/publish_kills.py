# publish_kills - kills metlog-to-hdfs at random moments of a larger publish, again and again, alone, beside another run, and under a drain.
# SPDX-License-Identifier: MPL-2.0
"""usage: publish_kills.py run|drain STORE [--kills N] [--seed N] [--records N] [--compress HOW] [--keep]

run: the same input until a run comes to its end by itself; then another input, fed in another way. Some runs have another one of the same input beside them.
drain: a spool's `metlog-spool drain --once -- metlog-to-hdfs`; it is killed, or its command, and a command may outlive its drain and meet the next one.
STORE: file, or webhdfs://HOST:PORT/PATH of an active namenode. After each kill no final name shows a torn file; in the end each envelope is there once."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import house
import targets

FEEDS = ("operand", "input", "segment", "name", "stream")
SEGMENT = "%012d-20121005T120000Z-0a1b2c3d"
PATIENCE = 60


class Round:
    """One input, one target, and what has become of it."""

    def __init__(self, campaign, number):
        self.campaign, self.random = campaign, campaign.random
        self.work = os.path.join(campaign.work, str(number))
        os.mkdir(self.work)
        self.staging, self.errors = os.path.join(self.work, "staging"), os.path.join(self.work, "messages")
        os.mkdir(self.staging, 0o700)
        name = "%d-%d" % (os.getpid(), number)
        self.target = targets.Directory(os.path.join(self.work, "base")) if campaign.options.store == "file" else \
            targets.Hdfs(campaign.options.store + "/" + name)
        self.lines = house.flood(campaign.options.records, self.random.getrandbits(30), "--mix", "counter=3,timer=2,log=1", "--skew", "1s")
        self.number, self.kills = number, 0
        self.command = ["metlog-to-hdfs", "--to", self.target.url, "--staging", self.staging, "--compress", campaign.options.compress, "--rotate-bytes",
                        "96k", "--open", "8", "--layout", "type={type}/dt={date}", "--retry-for", "20s", "-q"]

    def start(self, command, stdin, **more):
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=open(self.errors, "ab"), **more)

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return house.short(file.read()[-300:])

    def look(self):
        targets.judge_visible(self.lines, self.target)

    def release(self):
        if not self.campaign.options.keep:
            house.clean(self.work)


class Runs(Round):
    def __init__(self, campaign, number):
        super().__init__(campaign, number)
        self.feed = FEEDS[number % len(FEEDS)]
        self.input = os.path.join(self.work, "in.ndjson")
        with open(self.input, "wb") as file:
            file.writelines(self.lines)
        self.running = []

    def begin(self):
        environment = dict(os.environ)
        if self.feed == "segment":
            environment["METLOG_SEGMENT"] = SEGMENT % self.number
        command = self.command + {"operand": [self.input], "name": ["--name", "n%d" % self.number]}.get(self.feed, [])
        if self.feed in ("operand", "input"):
            with open(self.input if self.feed == "input" else os.devnull, "rb") as file:
                self.running.append(self.start(command, file, env=environment))
            return
        with subprocess.Popen(["cat", self.input], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as cat:
            self.running.append(self.start(command, cat.stdout, env=environment))
            cat.stdout.close()

    def end(self, process):
        """Waits for it; answers True if it has published all."""
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise house.Wrong("a run hangs: " + self.said()) from late
        if status not in (0, -signal.SIGKILL):
            raise house.Wrong("a run (%s) ended with %d: %s" % (self.feed, status, self.said()))
        return status == 0

    def go(self, most):
        """Until one has ended by itself, or so many were killed. A last run is not disturbed."""
        done = False
        while not done and self.kills < most:
            self.begin()
            if self.feed != "stream" and self.random.random() < 0.3:
                time.sleep(self.random.uniform(0, self.campaign.longest / 4))
                self.begin()
            begun = time.monotonic()
            try:
                self.running[0].wait(self.random.uniform(0, self.campaign.longest))
                # A server that is warm is much quicker than the first run has found it. One that goes on where another was killed has less to do.
                if not self.kills:
                    self.campaign.longest = min(self.campaign.longest, time.monotonic() - begun)
            except subprocess.TimeoutExpired:
                pass
            for process in self.running:
                if process.poll() is None and (len(self.running) == 1 or self.random.random() < 0.7):
                    process.kill()
                    self.kills += 1
            done = any([self.end(process) for process in self.running])
            self.running = []
            self.look()
        if not done or self.feed != "stream":
            self.begin()
            if not self.end(self.running.pop()):
                raise house.Wrong("nobody killed the last run")
        return len(targets.judge_end(self.lines, self.target, self.staging))

    def release(self):
        for process in self.running:
            process.kill()
            process.wait()
        super().release()


class Drains(Round):
    def __init__(self, campaign, number):
        super().__init__(campaign, number)
        self.spool, self.drain = os.path.join(self.work, "spool"), None
        status, _, messages = house.run(["metlog-spool", "write", "--sync", "none", "--segment-bytes", "200k", self.spool], b"".join(self.lines))
        if status:
            raise house.Wrong("the spool: " + house.short(messages))

    def begin(self):
        self.drain = self.start(["metlog-spool", "drain", "--once", "--backoff-max", "20ms", "--attempts", "1000", self.spool, "--"] + self.command, subprocess.DEVNULL)

    def children(self):
        try:
            with open("/proc/%d/task/%d/children" % (self.drain.pid, self.drain.pid), encoding="ascii") as children:
                return [int(pid) for pid in children.read().split()]
        except OSError:
            return []

    def go(self, most):
        while self.kills < most:
            self.begin()
            while self.kills < most and self.drain.poll() is None:
                time.sleep(self.random.uniform(0, self.campaign.longest / 3))
                children = self.children()
                if self.random.random() < 0.6 and children:
                    try:
                        os.kill(children[0], signal.SIGKILL)
                        self.kills += 1
                    except ProcessLookupError:
                        pass
                elif self.drain.poll() is None:
                    self.drain.kill()
                    self.kills += 1
            if self.drain.poll() is None:
                self.drain.kill()
            status = self.drain.wait()
            if status == 0:
                break
            if status not in (-signal.SIGKILL, 73):
                raise house.Wrong("the drain ended with %d: %s" % (status, self.said()))
            self.look()
        self.settle()
        return len(targets.judge_end(self.lines, self.target, self.staging))

    def settle(self):
        """What still runs of a killed drain comes to its end; then another one does, and takes up what was left in staging."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.begin()
            status = self.drain.wait(PATIENCE)
            if status == 0 and not house.stored(self.spool):
                break
            if status not in (0, 73) or time.monotonic() > deadline:
                raise house.Wrong("the last drain ended with %d: %s" % (status, self.said()))
        while any(name.startswith("run-") for _, names, _ in os.walk(self.staging) for name in names):
            process = self.start(["env", "METLOG_SEGMENT=" + SEGMENT % 0] + self.command, subprocess.DEVNULL)
            if process.wait(PATIENCE) or time.monotonic() > deadline:
                raise house.Wrong("what is left in staging stays there: " + self.said())

    def release(self):
        if self.drain and self.drain.poll() is None:
            self.drain.kill()
            self.drain.wait()
        super().release()


class Campaign:
    def __init__(self, options):
        self.options, self.work, self.random = options, house.workplace("publishing"), random.Random(options.seed)
        self.kills = self.rounds = self.files = self.longest = 0

    def measure(self):
        """How long a run takes that nobody kills."""
        one = Runs(self, 0)
        begun = time.monotonic()
        one.begin()
        if not one.end(one.running.pop()):
            raise house.Wrong("somebody killed the first run")
        self.longest = time.monotonic() - begun
        self.files = len(targets.judge_end(one.lines, one.target, one.staging))
        one.release()

    def go(self):
        self.measure()
        while self.kills < self.options.kills:
            self.rounds += 1
            one = (Runs if self.options.what == "run" else Drains)(self, self.rounds)
            try:
                self.files += one.go(min(self.options.kills - self.kills, 12))
                self.kills += one.kills
            except house.Wrong as wrong:
                self.options.keep = True
                raise house.Wrong("%s (kept: %s)" % (wrong, one.work)) from wrong
            finally:
                one.release()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "drain"])
    parser.add_argument("store")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--records", type=int, default=4000)
    parser.add_argument("--compress", choices=["none", "gzip", "zstd"], default="gzip")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.compress == "zstd" and not shutil.which("zstd"):
        house.skip("zstd is not installed")
    campaign, wrong, begun = Campaign(options), [], time.monotonic()
    try:
        campaign.go()
    except house.Wrong as broken:
        wrong.append(str(broken))
    if not options.keep:
        house.clean(campaign.work)
    return house.report("random kills, to-hdfs: %s to %s (seed %d)" % (options.what, options.store.split(":")[0], options.seed),
                        "%d kills in %d inputs of %.1f s each, %d files, in %.0f s" % (campaign.kills, campaign.rounds, campaign.longest, campaign.files,
                                                                                      time.monotonic() - begun), wrong)


if __name__ == "__main__":
    sys.exit(main())
