# guard - ends a run of metlog-cardinality --guard --state by SIGKILL in each of its system calls, or lets the call fail, and runs it again.
# SPDX-License-Identifier: MPL-2.0
"""usage: guard.py fresh|next kill|error [--seed N] [--every N] [--calls A,B,...|all] [--errors E,F,...] [--keep]

fresh: the run makes its state. next: it goes on with one, and lets more values in.
kill: at the n-th open, write, rename, ... of the run, for each n there is. error: the n-th fails with each of the errors; the run ends with a status of the
table, and with 0 only if all is done and remembered; EINTR changes nothing.
In both cases no value has passed that the state does not know, in its order; the same input again ends with 0, lets through what a run that met no fault does, and
leaves the same bytes in the state, and nothing beside them."""

import json
import os
import random
import sys

import house
import state_campaign


def envelopes(count, names):
    """Each third one brings a value that no other has."""
    draw = random.Random(count)
    return "".join('{"fields":{"name":"%s","r":"r%d","key":"k%d"}}\n' % (names[i % len(names)], i if i % 3 == 0 else draw.randrange(4), draw.randrange(9)) for i in range(count)).encode()


def admitted(path):
    """What the state holds, up to the last whole line: (rule, per, value) in its order."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        data = file.read()
    found = [json.loads(line) for line in data[:data.rfind(b"\n") + 1].splitlines()]
    return [(one["rule"], one.get("per"), one["value"]) for one in found if "value" in one]


def passed(output):
    """The values that a run has let out, as they are remembered: the rule of r is the first to let one in, that of key the second."""
    found = set()
    for line in house.lines_of(output):
        fields = json.loads(line)["fields"] if line.endswith(b"}\n") else {}
        if fields.get("r", "other") != "other":
            found.add((1, fields["name"], fields["r"]))
        if "key" in fields:
            found.add((2, None, fields["key"]))
    return found


def contents(path):
    found = {}
    for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), "rb") as file:
            found[name] = file.read()
    return found


class Campaign(state_campaign.StateCampaign):
    name, what = "guard", "the guard's state"
    command = ["metlog-cardinality", "--guard", "--unbuffered", "--rule", "tag fields.r limit 6 per fields.name", "--rule", "tag fields.key drop over 5"]
    calls = "openat,read,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,ftruncate,fcntl,poll,close,exit_group".split(",")
    failing = "openat,read,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,ftruncate,fcntl".split(",")
    interrupted = "read,write,fsync,fdatasync,poll".split(",")

    def __init__(self, options):
        super().__init__(options)
        if options.begin == "next":
            self.make_base(envelopes(7, "ab"))
        with open(self.input, "wb") as file:
            file.write(envelopes(40, "bc"))
        state, _ = self.place()
        status, self.output, messages = self.run(state)
        self.after, self.known = contents(state), admitted(os.path.join(state, "admitted.ndjson"))
        if status or len(self.known) < 14 or b'"other"' not in self.output or set(self.after) != {"admitted.mark", "admitted.ndjson", "lock"}:
            raise house.Wrong("without a fault: status %d: %s: that is no trial" % (status, house.short(messages)))

    def judge_state(self, state, status, output):
        found = admitted(os.path.join(state, "admitted.ndjson"))
        if found != self.known[:len(found)]:
            raise house.Wrong("the state knows other values than it should: %s" % found)
        if passed(output) - set(found):
            raise house.Wrong("passed, and not remembered: %s" % sorted(passed(output) - set(found), key=str))
        if status == 0 and (output != self.output or contents(state) != self.after):
            raise house.Wrong("it ended with 0, and not all is done")
        if not self.output.startswith(output[:output.rfind(b"\n") + 1]):
            raise house.Wrong("what came out is not what should have")

    def judge_next(self, state, output):
        if output != self.output:
            raise house.Wrong("the run behind it lets other values in")
        if contents(state) != self.after:
            raise house.Wrong("the run behind it leaves another state: %s" % sorted(contents(state)))


if __name__ == "__main__":
    sys.exit(state_campaign.main(Campaign, __doc__))
