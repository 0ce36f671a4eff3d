# users - ends a run of metlog-cardinality --interval by SIGKILL in each of its system calls, or lets the call fail, and runs it again.
# SPDX-License-Identifier: MPL-2.0
"""usage: users.py fresh|next kill|error [--seed N] [--every N] [--calls A,B,...|all] [--errors E,F,...] [--keep]

fresh: the run makes its state. next: it adds to some days of one, begins others, and lets one expire.
kill: at the n-th open, write, rename, ... of the run, for each n there is. After it the state is that of before, or that of after.
error: the n-th fails with each of the errors. The run ends with a status of the table, and with 0 only if all is done; EINTR changes nothing.
In both cases the same input again ends with 0, and then state and gauges are those of a run that met no fault, nothing is left beside it, and once more
changes no byte. --every N: only each N-th of them, beginning with one drawn by the seed."""

import hashlib
import json
import os
import sys

import house
import state_campaign


def calls(day, keys, addresses):
    return ["".join(('{"timestamp":"2012-10-%02dT12:00:00Z","fields":{"api_key":"%s","ip":"10.0.%d.%d"}}\n' % (day, key, a >> 8, a & 255)) for a in addresses)
            for key in keys]


def first_input():
    """Eight days; one group that is counted by estimate, and one whose registers are all there."""
    lines = [line for day in range(1, 9) for line in calls(day, "abc", range(day, day + 5))]
    return "".join(lines + calls(7, "e", range(400)) + calls(7, "f", range(2500))).encode()


def second_input():
    """Adds to the 7th (to each kind of group, and a new one) and the 8th, begins the 9th: so the 1st expires; brings nothing new to the 5th."""
    return "".join(calls(7, "befn", range(300, 340)) + calls(8, "a", [77]) + calls(9, "an", range(3)) + calls(5, "a", [5, 6])).encode()


def judge_directory(path):
    """What the state holds: its day files by day; Wrong if current and they do not fit, or if there is more."""
    if not os.path.exists(os.path.join(path, "current")):
        return {}
    with open(os.path.join(path, "current"), encoding="utf-8") as file:
        current = json.load(file)
    days = {}
    for one in current["fields"]["days"]:
        try:
            with open(os.path.join(path, one["file"]), "rb") as file:
                days[one["file"][:10]] = file.read()
        except OSError as gone:
            raise house.Wrong("current names %s: %s" % (one["file"], gone)) from gone
        if len(days[one["file"][:10]]) != one["bytes"]:
            raise house.Wrong("%s has not the length of which current tells" % one["file"])
    return days


def left_over(path):
    with open(os.path.join(path, "current"), encoding="utf-8") as file:
        known = {one["file"] for one in json.load(file)["fields"]["days"]} | {"current", "lock"}
    return sorted(set(os.listdir(path)) - known)


def bytes_of(path):
    """Every byte in it."""
    sums = {}
    for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), "rb") as file:
            sums[name] = hashlib.sha256(file.read()).hexdigest()
    return sums


def gauges(output):
    """Without what differs from run to run."""
    found = [json.loads(line) for line in house.lines_of(output)]
    return sorted((one["fields"]["key"], one["fields"]["interval"], one["payload"]) for one in found)


class Campaign(state_campaign.StateCampaign):
    name, what = "users", "users by interval"
    command = "metlog-cardinality --of fields.ip --by key=fields.api_key --ip --name locate.user --interval 1d,7d".split()
    calls = "openat,read,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,fcntl,getdents64,close,exit_group".split(",")
    failing = "openat,read,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,fcntl,getdents64".split(",")
    interrupted = "read,write,fsync,fdatasync".split(",")

    def __init__(self, options):
        super().__init__(options)
        self.before = {}
        if options.begin == "next":
            self.make_base(first_input())
            self.before = judge_directory(self.base)
        with open(self.input, "wb") as file:
            file.write(second_input() if self.base else first_input())
        state, _ = self.place()
        self.run(state)
        self.after = judge_directory(state)
        status, output, messages = self.run(state)
        self.gauges = gauges(output)
        if status or len(self.gauges) < 8 or len(self.after) != 8:
            raise house.Wrong("without a fault: status %d: %s: that is no trial" % (status, house.short(messages)))

    def judge_state(self, state, status, output):
        found = judge_directory(state) if os.path.isdir(state) else {}
        if found not in (self.before, self.after):
            raise house.Wrong("the state is neither that of before nor that of after")
        if status == 0 and (found != self.after or gauges(output) != self.gauges):
            raise house.Wrong("it ended with 0, and not all is done")

    def judge_next(self, state, output):
        if judge_directory(state) != self.after or gauges(output) != self.gauges:
            raise house.Wrong("the run behind it comes to another result")
        if left_over(state):
            raise house.Wrong("something is left: %s" % left_over(state))
        before = bytes_of(state)
        if self.run(state)[0] or bytes_of(state) != before:
            raise house.Wrong("once more changes something")


if __name__ == "__main__":
    sys.exit(state_campaign.main(Campaign, __doc__))
