# state_campaign - a run that keeps a state, ended by SIGKILL in each of its system calls, or with the call failing: what users.py and guard.py share.
# SPDX-License-Identifier: MPL-2.0
"""A campaign is a class that says what is run and what must hold of the state behind each fault; main is its command line."""

import argparse
import concurrent.futures
import itertools
import os
import random
import re
import shutil
import time

import crashpoints
import house


class StateCampaign:
    """name: of the workplace. what: in the report. command: without its state and input. calls, failing, interrupted: the system calls that are tried."""

    name = what = ""
    command = calls = failing = interrupted = ()

    def __init__(self, options):
        self.options, self.work, self.wrong, self.number = options, house.workplace(self.name), [], itertools.count()
        self.input, self.base = os.path.join(self.work, "in"), None

    def make_base(self, text):
        """The state that the runs go on with."""
        self.base = os.path.join(self.work, "base")
        status, _, messages = house.run(self.command + ["--state", self.base], text)
        if status:
            raise house.Wrong("the first run: status %d: %s" % (status, house.short(messages)))

    def place(self):
        work = os.path.join(self.work, str(next(self.number)))
        os.mkdir(work)
        state = os.path.join(work, "state")
        if self.base:
            shutil.copytree(self.base, state)
        return state, work

    def run(self, state, fault=None, log=None):
        command = self.command + ["--state", state, self.input]
        return house.run(crashpoints.traced(command, fault, log or os.devnull) if fault or log else command)

    def faults(self):
        counts, names, failing = {}, re.compile(r"^(\w+)\("), self.options.mode == "error"
        crashpoints.CHANGING[:] = ["all"] if self.options.calls == "all" else self.calls
        state, work = self.place()
        self.run(state, log=os.path.join(work, "trace"))
        with open(os.path.join(work, "trace"), encoding="ascii", errors="replace") as lines:
            for match in filter(None, map(names.match, lines)):
                counts[match.group(1)] = counts.get(match.group(1), 0) + 1
        counts.pop("execve", None)
        faults = []
        for error in self.options.errors.split(",") if failing else [None]:
            known = self.interrupted if error == "EINTR" else self.failing if failing else self.calls
            chosen = sorted(counts) if self.options.calls == "all" else self.options.calls.split(",") if self.options.calls else known
            faults += [crashpoints.Fault(call, n, error) for call in chosen for n in range(1, counts.get(call, 0) + 1)]
        return faults[random.Random(self.options.seed).randrange(self.options.every)::self.options.every]

    def judge_state(self, state, status, output):
        """Of the run that met the fault."""
        raise NotImplementedError

    def judge_next(self, state, output):
        """Of the same run once more, without a fault; it ended with 0."""
        raise NotImplementedError

    def judge_fault(self, fault, state, status, output, messages):
        if fault.error == "EINTR" and status not in (0, 127):
            raise house.Wrong("interrupted, it ended with %d: %s" % (status, house.short(messages)))
        if status:
            crashpoints.ended_badly(status, fault, messages)
        self.judge_state(state, status, output)
        if fault.error in ("ENOSPC", "EIO") and fault.call in ("fsync", "fdatasync", "rename", "renameat") and status not in (74, 127):
            raise house.Wrong("ended with %d: %s" % (status, house.short(messages)))

    def try_fault(self, fault):
        try:
            state, work = self.place()
            self.judge_fault(fault, state, *self.run(state, fault))
            status, output, messages = self.run(state)
            if status:
                raise house.Wrong("the run behind it ended with %d: %s" % (status, house.short(messages)))
            self.judge_next(state, output)
            if not self.options.keep:
                house.clean(work)
        except house.Wrong as broken:
            self.wrong.append("%s: %s" % (fault, broken))


def main(campaign_of, text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("begin", choices=["fresh", "next"])
    parser.add_argument("mode", choices=["kill", "error"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--calls")
    parser.add_argument("--errors", default=",".join(crashpoints.ERRORS))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    house.need_strace()
    campaign, begun = campaign_of(options), time.monotonic()
    faults = campaign.faults()
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(campaign.try_fault, faults))
    if not options.keep:
        house.clean(campaign.work)
    return house.report("%s at each call, %s, %s (seed %d)" % (options.mode, campaign.what, options.begin, options.seed),
                        "%d points in %.0f s" % (len(faults), time.monotonic() - begun), campaign.wrong)
