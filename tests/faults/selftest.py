# selftest - breaks promises on purpose, so that it is known that the fault tests would see it.
# SPDX-License-Identifier: MPL-2.0
"""usage: selftest.py

Takes the trace of a writer and lets one kind of call in it do nothing, as if the writer had left it out: the enumeration has to find states in which
something that was acknowledged is lost. And shows the oracle what must not pass."""

import os
import sys

import disk
import house
import powerloss


def losses(recording, model, deaf):
    recording.calls = [call for call in recording.calls if call.name not in deaf]
    found = 0
    for state in powerloss.enumerate_states(recording, model, powerloss.acknowledged_lines, 1).values():
        held = b"".join(data for path, data in state.tree.items() if data and "/0" in path)
        found += any(line not in held for line in state.required)
    return found


def recorded(work, name, lines):
    where = os.path.join(work, name)
    os.mkdir(where)
    recording = powerloss.Recording(where)
    model, _, _, _ = powerloss.scenario_batch(recording, lines)
    return recording, model


def main():
    house.need_strace()
    work, lines, wrong = house.workplace("self"), house.flood(30, 1), []
    try:
        for name, deaf, expected in (("as it is", (), False), ("without fdatasync", ("fdatasync",), True), ("without fsync", ("fsync",), True)):
            found = losses(*recorded(work, name.replace(" ", "-"), lines), deaf)
            if bool(found) != expected:
                wrong.append("%s: %d states with a loss" % (name, found))
        for name, seen in (("lost", lines[1:]), ("torn", lines[:-1] + [lines[-1][:30]]), ("twice", lines + lines[:1]), ("altered", lines + [b'{"type":"x"}\n'])):
            try:
                house.judge(lines, lines, seen)
                wrong.append("the oracle does not see what is %s" % name)
            except house.Wrong:
                pass
        model = disk.Disk(work)
        if not model.tree(model.top):
            wrong.append("an empty model")
    finally:
        house.clean(work)
    return house.report("self test", "7 faults of our own", wrong)


if __name__ == "__main__":
    sys.exit(main())
