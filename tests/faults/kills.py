# kills - kills each process of a chain at random moments, again and again, and compares what arrives with what was acknowledged.
# SPDX-License-Identifier: MPL-2.0
"""usage: kills.py CHAIN [--kills N] [--seed N] [--keep]

CHAIN: spool    feeder | metlog-spool write --tee, drain, consumer
       ack      metlog-send --to ack:, metlog-recv --from ack: --spool, drain, consumer
       hold     metlog-send --to ack: --spool, metlog-recv --from ack: --spool, drain, consumer

Each process that dies is started again at once. A kill comes 0 to 50 ms behind the one before. --seed: of the flood and of what is drawn."""

import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import threading
import time

import house

SPOOL = ["--sync-interval", "3ms", "--segment-bytes", "8k", "--segment-age", "40ms"]


class Role(threading.Thread):
    """Keeps one process of the chain running until it is told that it is over."""

    def __init__(self, chain):
        super().__init__(daemon=True)
        self.chain, self.process, self.over, self.error = chain, None, threading.Event(), None
        self.starting = threading.Lock()    # over is not set between the look at it and the start

    # How it may end when it is stopped for good. A signal that comes before its handler is there ends it, too: it has done nothing yet.
    last_ends = (0, -signal.SIGTERM)

    def start_process(self, command, **streams):
        self.process = subprocess.Popen(command, stderr=open(os.path.join(self.chain.work, type(self).__name__ + ".err"), "ab"), **streams)
        return self.process

    def kill(self):
        process = self.process
        if process and process.poll() is None:
            process.kill()
            return True
        return False

    def run(self):
        try:
            self.keep()
        except house.Wrong as wrong:
            self.error = str(wrong)

    def keep(self):
        """A process that goes on until it is stopped: each end but by our kills is wrong."""
        while True:
            with self.starting:
                if self.over.is_set():
                    return
                self.start_process(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            status = self.process.wait()
            if status not in (-signal.SIGKILL, 0) and not (self.over.is_set() and status in self.last_ends):
                raise house.Wrong("%s ended with %d" % (" ".join(self.command()), status))

    def command(self):
        raise NotImplementedError

    def finish(self):
        """Stops it for good; its last end has to be a good one."""
        with self.starting:
            self.over.set()
        process = self.process
        if process and process.poll() is None:
            process.terminate()
        self.join(30)
        if self.is_alive():
            raise house.Wrong("%s does not end on SIGTERM" % type(self).__name__)


class Writer(Role):
    """Is fed line by line, and begins again behind the last line that has come out of --tee."""

    def keep(self):
        chain, fed = self.chain, 0
        path = os.path.join(chain.work, "acknowledged")
        while True:
            with open(path, "ab") as tee:
                process = self.start_process(["metlog-spool", "write", "--tee"] + SPOOL + [chain.spool], stdin=subprocess.PIPE, stdout=tee)
            fed = self.feed(process, len(chain.acknowledged))
            status = process.wait()
            chain.acknowledged = house.whole_lines(path)
            if status == 0:
                break
            if status != -signal.SIGKILL:
                raise house.Wrong("the writer ended with %d" % status)
            chain.may_repeat += fed - len(chain.acknowledged)
        if len(chain.acknowledged) != fed:
            raise house.Wrong("the writer ended with 0 and has acknowledged %d of %d" % (len(chain.acknowledged), fed))

    def feed(self, process, position):
        """Some lines a millisecond, until it is over or nobody reads."""
        try:
            while not self.over.is_set():
                piece = self.chain.take(position, self.chain.random.randint(1, 4))
                process.stdin.write(b"".join(piece))
                process.stdin.flush()
                position += len(piece)
                time.sleep(0.001)
        except BrokenPipeError:
            pass
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass
        return position

    def finish(self):
        self.over.set()
        self.join(30)


class Sender(Role):
    """Sends piece after piece, a run each: what was acknowledged is known by the exit status."""

    accepting = (0,)

    def keep(self):
        chain, position = self.chain, 0
        while not self.over.is_set():
            piece = chain.take(position, chain.random.randint(1, 60))
            while not self.send(b"".join(piece)):
                chain.may_repeat += len(piece)
            chain.acknowledged += piece
            position += len(piece)

    def send(self, text):
        process = self.start_process(self.command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            process.communicate(text, timeout=60)
        except BrokenPipeError:
            process.wait()
        except subprocess.TimeoutExpired as late:
            process.kill()
            raise house.Wrong("the sender hangs") from late
        if process.returncode in self.accepting:
            return True
        if process.returncode not in (-signal.SIGKILL, 75):
            raise house.Wrong("the sender ended with %d" % process.returncode)
        return False

    def command(self):
        return ["metlog-send", "--json", "--as-is", "--to", self.chain.endpoint, "--timeout", "20s"]

    def finish(self):
        self.over.set()
        self.join(60)
        if self.is_alive():
            raise house.Wrong("the sender does not come to its end")


class HoldingSender(Sender):
    """What its own spool has taken is acknowledged, whether or not the far side is there: status 75 says so, too."""

    accepting = (0, 75)

    def command(self):
        return ["metlog-send", "--json", "--as-is", "--to", self.chain.endpoint, "--timeout", "50ms", "--spool", self.chain.path("held")] + SPOOL

    def finish(self):
        super().finish()
        for _ in range(20):
            if house.run(self.command()[:-len(SPOOL) - 2] + ["--spool", self.chain.path("held"), "--timeout", "5s"])[0] == 0:
                return
        raise house.Wrong("what the sender holds does not go away")


class Receiver(Role):
    def command(self):
        return ["metlog-recv", "--from", self.chain.endpoint, "--spool", self.chain.spool] + SPOOL


class Drain(Role):
    last_ends = Role.last_ends + (75,)      # a segment was waiting to be tried again

    def command(self):
        return house.drain_command(self.chain.spool, self.chain.output, "--backoff-max", "20ms", "--attempts", "1000")

    def keep(self):
        while not os.path.exists(os.path.join(self.chain.spool, "lock")):
            time.sleep(0.005)
        super().keep()


class Consumer(Role):
    """The command that the drain has started: not ours to keep running."""

    def keep(self):
        self.over.wait()

    def kill(self):
        drain = self.chain.drain.process
        try:
            with open("/proc/%d/task/%d/children" % (drain.pid, drain.pid), encoding="ascii") as children:
                pids = [int(pid) for pid in children.read().split()]
            os.kill(pids[0], signal.SIGKILL)
        except (AttributeError, OSError, IndexError):
            return False
        return True


class Chain:
    def __init__(self, name, seed):
        self.work = house.workplace("kills")
        self.spool, self.output, self.endpoint = self.path("spool"), self.path("out"), "ack:ipc://" + self.path("socket")
        os.mkdir(self.output)
        self.random, self.acknowledged, self.may_repeat, self.killed = random.Random(seed), [], 0, collections.Counter()
        self.flood = subprocess.Popen(["metlog-flood", "--seed", str(seed), "--unicode", "20", "--mix", "counter=3,timer=2,log=1,request=1"], stdout=subprocess.PIPE)
        self.issued, self.lock = [], threading.Lock()
        self.drain = Drain(self)
        first = {"spool": [Writer], "ack": [Sender, Receiver], "hold": [HoldingSender, Receiver]}[name]
        self.roles = [role(self) for role in first] + [self.drain, Consumer(self)]

    def path(self, name):
        return os.path.join(self.work, name)

    def take(self, position, count):
        """Lines of the flood, as they are needed."""
        with self.lock:
            while len(self.issued) < position + count:
                self.issued.append(self.flood.stdout.readline())
            return self.issued[position:position + count]

    def kill(self, kills):
        for role in self.roles:
            role.start()
        while sum(self.killed.values()) < kills:
            time.sleep(self.random.uniform(0, 0.05))
            role = self.random.choice(self.roles)
            if role.kill():
                self.killed[type(role).__name__.lower()] += 1
                if sum(self.killed.values()) % 10 == 0:
                    self.look()
            for other in self.roles:
                if other.error:
                    raise house.Wrong(other.error)

    def look(self):
        """What a reader sees beside all that: never anything torn. A trailer or a last line may be cut off at the very moment."""
        if os.path.exists(os.path.join(self.spool, "lock")):
            house.judge(self.issued, [], house.stored(self.spool), sys.maxsize)

    def finish(self):
        for role in self.roles:
            role.finish()
            if role.error:
                raise house.Wrong(role.error)
        self.flood.kill()
        for _ in range(20):
            status, _, messages = house.run(house.drain_command(self.spool, self.output, "--once", "--attempts", "1000"), limit=30)
            if status == 0:
                break
        else:
            raise house.Wrong("the last drain: status %d: %s" % (status, house.short(messages)))
        status, _, messages = house.run(["metlog-spool", "status", "--verify", self.spool])
        if status or house.stored(self.spool) or house.stored(self.spool, "--failed"):
            raise house.Wrong("something is left in the spool: %s" % house.short(messages))
        twice = house.judge(self.issued, self.acknowledged, house.delivered(self.output), self.may_repeat)
        again = sum(house.deliveries(self.output).values()) - len(house.deliveries(self.output))
        if again > self.killed["drain"] + self.killed["consumer"]:
            raise house.Wrong("segments were delivered again %d times after %d kills" % (again, self.killed["drain"] + self.killed["consumer"]))
        return "%s; %d lines acknowledged, %d sent twice of %d that may be, %d segments delivered, %d of them again" % (
            ", ".join("%d x %s" % (count, name) for name, count in sorted(self.killed.items())), len(self.acknowledged), twice, self.may_repeat,
            len(house.deliveries(self.output)), again)

    def release(self):
        for role in self.roles:
            role.over.set()
            role.kill()
        self.flood.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chain", choices=["spool", "ack", "hold"])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    chain, wrong, told = Chain(options.chain, options.seed), [], ""
    try:
        chain.kill(options.kills)
        told = chain.finish()
    except house.Wrong as broken:
        wrong.append("%s (kept: %s)" % (broken, chain.work))
    finally:
        chain.release()
    if not wrong and not options.keep:
        house.clean(chain.work)
    return house.report("kills, %s (seed %d)" % (options.chain, options.seed), "%d kills: %s" % (sum(chain.killed.values()), told), wrong)


if __name__ == "__main__":
    sys.exit(main())
