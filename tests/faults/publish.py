# publish - ends metlog-to-hdfs by SIGKILL in each of its system calls, or lets the call fail, and runs it again: each envelope is published once.
# SPDX-License-Identifier: MPL-2.0
"""usage: publish.py FEED STORE kill|error [--records N] [--seed N] [--every N] [--calls A,B,...] [--errors E,F,...] [--compress HOW] [--keep]

FEED: operand (a FILE), input (a regular file on standard input), segment (a pipe, and METLOG_SEGMENT), name (a pipe, and --name), stream (a pipe).
STORE: file (file:PATH), fake (tests/fake_webhdfs.py), or the address of one: webhdfs://HOST:PORT/PATH.
kill: at the n-th open, write, send, ... of the run, for each n there is. After it no file at a final name is torn or wrong; another run of the same
input ends with 0, and then each envelope is there once, nothing is left in the staging directory, and no temporary file.
error: the n-th fails with each of the errors. The run ends with a status of the table, and with 0 only if all is published; EINTR changes nothing.
--every N: only each N-th of them, beginning with one drawn by the seed. --calls all: each system call there is."""

import argparse
import concurrent.futures
import itertools
import json
import os
import random
import re
import shutil
import signal
import sys
import time

import crashpoints
import house
import targets

FILES_LEAST = 5  # what makes fewer is no trial: the next seed is taken
FEEDS = ("operand", "input", "segment", "name", "stream")
CALLS = crashpoints.CHANGING + "read,pread64,recvfrom,connect,socket,poll,close,rmdir,copy_file_range,sendfile,getdents64,exit_group".split(",")
FAILING = crashpoints.FAILING + "read,pread64,sendto,recvfrom,connect,socket,close,unlink,rmdir,getdents64,copy_file_range,sendfile".split(",")
INTERRUPTED = "read,pread64,write,pwrite64,fsync,fdatasync,flock,ftruncate,recvfrom,sendto,poll,copy_file_range,sendfile,fallocate".split(",")
SEGMENT = "000000000007-20121005T120000Z-0a1b2c3d"


class Publishing:
    """One input and one target, and the runs that bring one to the other."""

    def __init__(self, work, lines, options, target):
        self.work, self.lines, self.feed, self.target = work, lines, options.feed, target
        self.staging, self.input = os.path.join(work, "staging"), os.path.join(work, "in.ndjson")
        with open(self.input, "wb") as file:
            file.writelines(lines)
        os.utime(self.input, (1349438400, 1349438400))
        os.mkdir(self.staging, 0o700)
        # Several partitions, files that are full, and one open partition less than there are.
        self.command = ["metlog-to-hdfs", "--to", target.url, "--staging", self.staging, "--compress", options.compress, "--rotate-bytes", "3k",
                        "--open", "2", "--layout", "type={type}/dt={date}", "--rotate-age", "1h", "--retry-for", "2s", "-q"]

    def run(self, fault=None, log=None, limit=None):
        """Answers its status and its messages."""
        command = list(self.command)
        if fault or log:
            command = crashpoints.traced(command, fault, log or os.devnull)
        if self.feed == "segment":
            command = ["env", "METLOG_SEGMENT=" + SEGMENT, "METLOG_SEGMENT_RECORDS=%d" % len(self.lines)] + command
        elif self.feed == "name":
            command += ["--name", "nightly"]
        if self.feed in ("operand", "input"):
            with open(self.input, "rb") as file:
                status, _, messages = house.run(command + ([self.input] if self.feed == "operand" else []), b"" if self.feed == "operand" else file, limit=limit)
        else:
            status, _, messages = house.run(command, b"".join(self.lines), limit=limit)
        return status, messages

    def finish(self):
        """Runs it until it ends with 0, which is the next time: nothing is in the way any more. And once more: that changes nothing."""
        for _ in range(2):
            status, messages = self.run()
            if status:
                raise house.Wrong("the run behind it ended with %d: %s" % (status, house.short(messages)))
            if self.feed == "stream":
                break       # the same lines again are other lines, as far as a stream is known
        return targets.judge_end(self.lines, self.target, self.staging)


class Campaign:
    def __init__(self, options):
        self.options, self.work, self.wrong, self.number = options, house.workplace("publish"), [], itertools.count()
        for seed in range(options.seed, options.seed + 50):
            self.lines = house.flood(options.records, seed, "--mix", "counter=3,timer=2,log=1")
            if len({(one["type"], one["timestamp"][:10]) for one in map(json.loads, self.lines)}) >= FILES_LEAST:
                break
        self.server, self.expected = targets.Fake(os.path.join(self.work, "fake")) if options.store == "fake" else None, None

    def publishing(self):
        number = next(self.number)
        work = os.path.join(self.work, str(number))
        os.mkdir(work)
        if self.options.store == "file":
            target = targets.Directory(os.path.join(work, "base"))
        elif self.server:
            target = self.server.target(str(number))
        else:
            target = targets.Hdfs("%s/%d-%d" % (self.options.store, os.getpid(), number))
        return Publishing(work, self.lines, self.options, target)

    def calls(self):
        """How often each call comes in a run without a fault; what that has published is what every other one has to."""
        p, counts, names = self.publishing(), {}, re.compile(r"^(\w+)\(")
        log = os.path.join(p.work, "trace")
        every = self.options.calls == "all"
        if every:
            crashpoints.CHANGING[:] = ["all"]
        else:
            crashpoints.CHANGING[:] = sorted(set(CALLS + FAILING + INTERRUPTED))
        status, messages = p.run(log=log)
        if status:
            raise house.Wrong("without a fault it ended with %d: %s" % (status, house.short(messages)))
        files = targets.judge_end(self.lines, p.target, p.staging)
        if len(files) < FILES_LEAST:
            raise house.Wrong("only %d files: that is no trial" % len(files))
        self.expected = files if self.options.feed != "stream" else None
        with open(log, encoding="ascii", errors="replace") as lines:
            for match in filter(None, map(names.match, lines)):
                counts[match.group(1)] = counts.get(match.group(1), 0) + 1
        counts.pop("execve", None)
        return counts

    def faults(self):
        counts, failing = self.calls(), self.options.mode == "error"
        errors = self.options.errors.split(",") if failing else [None]
        faults = []
        for error in errors:
            known = INTERRUPTED if error == "EINTR" else FAILING if failing else CALLS
            chosen = sorted(counts) if self.options.calls == "all" else self.options.calls.split(",") if self.options.calls else known
            faults += [crashpoints.Fault(call, n, error) for call in chosen for n in range(1, counts.get(call, 0) + 1)]
        return faults[random.Random(self.options.seed).randrange(self.options.every)::self.options.every]

    def try_fault(self, fault):
        p = None
        try:
            p = self.publishing()
            status, messages = p.run(fault)
            # Status 127 is the loader's word.
            if fault.error == "EINTR" and status not in (0, 127):
                raise house.Wrong("interrupted, it ended with %d: %s" % (status, house.short(messages)))
            if status:
                crashpoints.ended_badly(status, fault, messages)
            files = targets.judge_visible(self.lines, p.target, self.lines if status == 0 else ())
            if status == 0 and self.expected is not None:
                targets.same(files, self.expected)
            files = p.finish()
            if self.expected is not None:
                targets.same(files, self.expected)
            if not self.options.keep:
                house.clean(p.work)
        except house.Wrong as broken:
            self.wrong.append("%s: %s%s" % (fault, broken, " (%s)" % p.work if p and self.options.keep else ""))

    def release(self):
        if self.server:
            self.server.stop()
        if not self.options.keep:
            house.clean(self.work)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feed", choices=FEEDS)
    parser.add_argument("store")
    parser.add_argument("mode", choices=["kill", "error"])
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--calls")
    parser.add_argument("--errors", default=",".join(crashpoints.ERRORS))
    parser.add_argument("--compress", choices=["none", "gzip", "zstd"], default="gzip")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    house.need_strace()
    if options.compress == "zstd" and not shutil.which("zstd"):
        house.skip("zstd is not installed")
    campaign, begun, faults = Campaign(options), time.monotonic(), []
    try:
        faults = campaign.faults()
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(campaign.try_fault, faults))
    except house.Wrong as broken:
        campaign.wrong.append(str(broken))
    finally:
        campaign.release()
    return house.report("%s at each call, to-hdfs: %s to %s (seed %d)" % (options.mode, options.feed, options.store.split(":")[0], options.seed),
                        "%d points in %.0f s" % (len(faults), time.monotonic() - begun), campaign.wrong)


if __name__ == "__main__":
    sys.exit(main())
