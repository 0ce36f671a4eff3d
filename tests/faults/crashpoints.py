# crashpoints - ends a process by SIGKILL in each of its system calls, or lets the call fail, one after the other, and looks what is left.
# SPDX-License-Identifier: MPL-2.0
"""usage: crashpoints.py PROCESS kill|error [--records N] [--seed N] [--every N] [--calls A,B,...] [--errors E,F,...] [--keep]

PROCESS: each, batch, compress (a writer that seals often, with this policy), recovery (the writer that finds what a killed one has left),
receiver (metlog-recv --spool, to which metlog-send --to ack: sends), sender (metlog-send --to ack:), holder (metlog-send --spool), drain.
kill: at the n-th write, fsync, rename, ... of the run, for each n there is. error: the n-th fails with each of the errors; the process may
end with a status of the table, go on, or wait; it never says that all is well when it is not, and never hangs.
--every N: only each N-th of them, beginning with one drawn by the seed."""

import argparse
import concurrent.futures
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import house

CHANGING = ("write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate,openat,mkdir,mkdirat,"
            "flock,sendto,sendmsg,fallocate").split(",")
FAILING = "write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,openat,ftruncate,unlinkat,mkdir,mkdirat,flock".split(",")
ERRORS = "ENOSPC,EIO".split(",")
OPTIONS = ["--segment-bytes", "4k"]
RECEIVED = 15       # lines that a receiver is sent at a time: a batch
POLICIES = {"each": ["--sync", "each"], "batch": ["--sync-bytes", "1500"], "compress": ["--sync-bytes", "1500", "--compress", "zstd"]}
# What a run may end with that met an error: everything but "done" and "wrong usage" and a signal of its own.
HONEST = (66, 69, 70, 71, 73, 74, 75, 77, 127)


class Fault:
    """What strace is to do; None: nothing, count the calls."""

    def __init__(self, call, number, error=None):
        self.call, self.number, self.error = call, number, error

    def options(self):
        what = "error=" + self.error if self.error else "signal=KILL"
        return ["-e", "trace=" + self.call, "-e", "inject=%s:%s:when=%d" % (self.call, what, self.number)]

    def __str__(self):
        return "%s at %s number %d" % (self.error or "SIGKILL", self.call, self.number)


def traced(command, fault, log=os.devnull):
    options = fault.options() if fault else ["-e", "trace=" + ",".join(CHANGING)]
    return ["strace", "-qq", "-e", "signal=none", "-o", log] + options + command


def ended_badly(status, fault, messages=""):
    """The end of a run with a fault in it: Wrong unless it is one that it may have."""
    if status == 0 or status == -signal.SIGKILL and not fault.error:
        return status != 0
    # libzmq aborts when a write to an eventfd of its own fails, which no kernel does.
    if fault.error and (status in HONEST or (status == -signal.SIGABRT and fault.call == "write")):
        return True
    raise house.Wrong("ended with %d: %s" % (status, house.short(messages)))


class Trial:
    """One run with one fault, in a directory of its own."""

    def __init__(self, work, lines, fault):
        self.work, self.lines, self.fault = work, lines, fault
        self.spool, self.output = self.path("spool"), self.path("out")
        self.endpoint = "ack:ipc://" + self.path("s")
        self.acknowledged, self.may_repeat = [], 0
        self.log = self.path("trace") if fault is None else os.devnull
        os.mkdir(self.output)

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, options, lines, fault=None, use_strace=True):
        """A writer; what comes out of --tee is acknowledged. True: it has ended well."""
        command = ["metlog-spool", "write", "--tee"] + OPTIONS + options + [self.spool]
        path = self.path("acknowledged")
        with open(path, "wb") as tee:
            status, _, messages = house.run(traced(command, fault, self.log) if use_strace else command, b"".join(lines), tee)
        known = house.whole_lines(path)
        self.acknowledged += known
        if fault is None and status:
            raise house.Wrong("a writer without a fault ended with %d: %s" % (status, house.short(messages)))
        if status == 0 and len(known) != len(lines) and not (fault and fault.error and "standard output" in messages):
            raise house.Wrong("it ended with 0, and %d of %d came out: %s" % (len(known), len(lines), house.short(messages)))
        if status == 0:
            house.judge(self.lines, lines, self.stored(), len(self.lines))
            return True
        self.may_repeat += len(lines) - len(known)
        return not ended_badly(status, fault, messages)

    def stored(self):
        return house.stored(self.spool) if os.path.isdir(self.spool) else []

    def end(self):
        """All that is left goes the whole way."""
        done = len(self.acknowledged)
        if os.path.exists(os.path.join(self.spool, "lock")):
            house.judge(self.lines, self.acknowledged, self.stored() + house.delivered(self.output), len(self.lines))
        if done < len(self.lines):
            self.write([], self.lines[done:], None, False)
        self.drain_all()

    def drain_all(self, consumer=house.APPENDER):
        status, _, messages = house.run(house.drain_command(self.spool, self.output, "--once", "--backoff-max", "10ms", consumer=consumer))
        if status:
            raise house.Wrong("the last drain: status %d: %s" % (status, house.short(messages)))
        status, _, messages = house.run(["metlog-spool", "status", "--verify", self.spool])
        if status or self.stored():
            raise house.Wrong("something is left: %s" % house.short(messages))
        house.judge(self.lines, self.acknowledged, house.delivered(self.output), self.may_repeat)


def try_writer(policy):
    def trial(t):
        t.write(POLICIES[policy], t.lines, t.fault)
        t.end()
    return trial


def try_recovery(t):
    """A torn line, a segment that is not sealed, a left-over: all that there is to recover."""
    half = len(t.lines) // 2
    t.write(POLICIES["batch"], t.lines[:half], Fault("fdatasync", 4))
    segment = os.path.join(t.spool, [name for name in os.listdir(t.spool) if name.endswith(".open")][0])
    with open(segment, "rb") as file:
        body = [line for line in house.lines_of(file.read()) if b"metlog.segment" not in line]
    with open(segment, "wb") as file:
        file.write(b"".join(body) + b'{"type":"torn')
    with open(os.path.join(t.spool, ".tmp.writer.x.ndjson"), "wb") as file:
        file.write(b"left")
    t.write(POLICIES["batch"], t.lines[len(t.acknowledged):half], t.fault)
    t.end()


def try_drain(t):
    """Killed in between, nothing is delivered twice once it is recorded, and nothing is left out."""
    t.write([], t.lines, None, False)
    command = house.drain_command(t.spool, t.output, "--once", "--backoff-max", "10ms")
    status, _, messages = house.run(traced(command, t.fault, t.log))
    if t.fault is None and status:
        raise house.Wrong("the drain ended with %d: %s" % (status, house.short(messages)))
    if t.fault and status and status != -signal.SIGKILL and status not in HONEST:
        raise house.Wrong("ended with %d: %s" % (status, house.short(messages)))
    if status == 0 and t.stored():
        raise house.Wrong("it ended with 0, and something is left")
    before = house.deliveries(t.output)
    t.drain_all(house.CONSUMER)
    again = [name for name, count in house.deliveries(t.output).items() if count > 1]
    if len(again) > 1:
        raise house.Wrong("%d segments were delivered again" % len(again))
    if before and not before.keys() <= house.deliveries(t.output).keys():
        raise house.Wrong("a delivery has gone")


def send(t, lines, options=(), fault=None, use_strace=False, log=os.devnull):
    """Only one that may fail is to give up soon: a busy machine may take long for the others."""
    timeout = "3s" if fault and fault.error else "25s"
    command = ["metlog-send", "--json", "--as-is", "--to", t.endpoint, "--timeout", timeout] + list(options)
    return house.run(traced(command, fault, log) if use_strace else command, b"".join(lines))


class Receiving:
    """A receiver in the background, that is started again without a fault when it dies of one."""

    def __init__(self, t, fault=None, use_strace=False):
        self.t, self.over, self.status, self.error, self.process = t, False, None, None, None
        plain = ["metlog-recv", "--from", t.endpoint, "--spool", t.spool] + OPTIONS + ["--sync-interval", "2ms", "--segment-age", "15ms"]
        self.commands = [traced(plain, fault, t.log)] if use_strace else []
        self.plain, self.fault = plain, fault
        self.thread = threading.Thread(target=self.keep, daemon=True)
        self.thread.start()

    def keep(self):
        for command in itertools.chain(self.commands, itertools.repeat(self.plain)):
            if self.over:
                return
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            messages = self.process.stderr.read().decode("utf-8", "replace")
            self.status = self.process.wait()
            if self.over:
                return
            if command is self.plain or not self.fault or self.status == 0 or (self.fault.error and self.status not in HONEST and self.status != -signal.SIGABRT):
                self.error = "the receiver ended with %d: %s" % (self.status, house.short(messages))
                return

    def terminate(self, process):
        """strace keeps SIGTERM from itself while it traces: its child is asked."""
        try:
            pids = [process.pid]
            if process.args[0] == "strace":
                with open("/proc/%d/task/%d/children" % (process.pid, process.pid), encoding="ascii") as file:
                    pids = [int(pid) for pid in file.read().split()]
            for pid in pids:
                os.kill(pid, signal.SIGTERM)
        except OSError:
            pass

    def finish(self):
        self.over, asked, deadline = True, None, time.monotonic() + house.LIMIT
        while self.thread.is_alive() and time.monotonic() < deadline:
            if self.process and self.process is not asked:   # one that has only just been started, too
                asked = self.process
                self.terminate(asked)
            self.thread.join(0.05)
        if self.thread.is_alive():
            self.process.kill()
            raise house.Wrong("the receiver does not end on SIGTERM")
        if self.error:
            raise house.Wrong(self.error)


def try_receiver(t):
    """A sender goes on over its death: nothing comes twice. If what it remembers of senders cannot be written, a batch may."""
    receiving = Receiving(t, t.fault, True)
    for piece in (t.lines[at:at + RECEIVED] for at in range(0, len(t.lines), RECEIVED)):
        status, _, messages = send(t, piece)
        if status:
            receiving.finish()
            raise house.Wrong("the sender ended with %d: %s" % (status, house.short(messages)))
        t.acknowledged += piece
    receiving.finish()
    t.may_repeat = RECEIVED if t.fault and t.fault.error else 0
    t.drain_all()


def try_sender(t):
    receiving = Receiving(t)
    status, _, messages = send(t, t.lines, (), t.fault, True, t.log)
    if status == 0:
        t.acknowledged += t.lines
    elif t.fault is None:
        raise house.Wrong("the sender ended with %d: %s" % (status, house.short(messages)))
    else:
        ended_badly(status, t.fault, messages)
        t.may_repeat = len(t.lines)
        status, _, messages = send(t, t.lines)
        if status:
            raise house.Wrong("the second sender has no luck either: %s" % house.short(messages))
        t.acknowledged += t.lines
    receiving.finish()
    t.drain_all()


def try_holder(t):
    """With a spool of its own: what it had accepted when it was killed arrives with the next run, once."""
    receiving, held = Receiving(t), ["--spool", t.path("held"), "--sync", "each"] + OPTIONS
    first, rest = t.lines[:len(t.lines) // 2], t.lines[len(t.lines) // 2:]
    if send(t, first, held)[0]:
        raise house.Wrong("the first sender has no luck")
    status, _, messages = send(t, rest, held, t.fault, True, t.log)
    if t.fault is None and status:
        raise house.Wrong("the sender ended with %d: %s" % (status, house.short(messages)))
    t.acknowledged += first
    if status in (0, 75):
        t.acknowledged += rest
    else:
        ended_badly(status, t.fault, messages)
        t.may_repeat = len(rest)
        status, _, more = send(t, rest, held)
        if status:
            raise house.Wrong("the second sender has no luck either: %s" % house.short(more))
        # If it could not be sure of the numbers, what was on its way comes once more; it says so.
        t.may_repeat += len(t.lines) if "new numbers" in more else 0
        t.acknowledged += rest
    if status == 75 and send(t, [], held)[0]:
        raise house.Wrong("what is held does not arrive")
    receiving.finish()
    t.drain_all()


PROCESSES = {"each": try_writer("each"), "batch": try_writer("batch"), "compress": try_writer("compress"), "recovery": try_recovery, "drain": try_drain,
             "receiver": try_receiver, "sender": try_sender, "holder": try_holder}


class Campaign:
    def __init__(self, options):
        self.options, self.work, self.wrong = options, house.workplace("crash"), []
        self.lines = house.flood(options.records, options.seed, "--mix", "counter=3,timer=2,log=1")
        self.number = itertools.count()

    def trial(self, fault):
        work = os.path.join(self.work, str(next(self.number)))
        os.mkdir(work)
        trial = Trial(work, self.lines, fault)
        PROCESSES[self.options.process](trial)
        return work

    def try_fault(self, fault):
        try:
            house.clean(self.trial(fault))
        except house.Wrong as broken:
            self.wrong.append("%s: %s" % (fault, broken))

    def calls(self):
        """How often each call comes in a run without a fault."""
        counts, names = {}, re.compile(r"^(\w+)\(")
        with open(os.path.join(self.trial(None), "trace"), encoding="ascii", errors="replace") as lines:
            for match in filter(None, map(names.match, lines)):
                counts[match.group(1)] = counts.get(match.group(1), 0) + 1
        return counts

    def faults(self):
        failing = self.options.mode == "error"
        chosen = (self.options.calls or ",".join(FAILING if failing else CHANGING)).split(",")
        errors = self.options.errors.split(",") if failing else [None]
        counts = self.calls()
        faults = [Fault(call, n, error) for call in chosen for n in range(1, counts.get(call, 0) + 1) for error in errors]
        return faults[random.Random(self.options.seed).randrange(self.options.every)::self.options.every]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("process", choices=sorted(PROCESSES))
    parser.add_argument("mode", choices=["kill", "error"])
    parser.add_argument("--records", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--calls")
    parser.add_argument("--errors", default=",".join(ERRORS))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    house.need_strace()
    campaign, begun = Campaign(options), time.monotonic()
    faults = campaign.faults()
    # Those that talk to each other wait more than they work.
    workers = os.cpu_count() * (4 if options.process in ("receiver", "sender", "holder") else 1)
    with concurrent.futures.ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(campaign.try_fault, faults))
    if not options.keep:
        house.clean(campaign.work)
    return house.report("%s at each call, %s (seed %d)" % (options.mode, options.process, options.seed),
                        "%d points in %.0f s" % (len(faults), time.monotonic() - begun), campaign.wrong)


if __name__ == "__main__":
    sys.exit(main())
