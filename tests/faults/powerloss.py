# powerloss - records what a run does to its files, and tries every state in which a loss of power may leave them.
# SPDX-License-Identifier: MPL-2.0
"""usage: powerloss.py SCENARIO [--records N] [--seed N] [--points N] [--keep]

SCENARIO: each, batch, compress (a writer that seals often, with this policy); restart (a writer that is killed, and the next one);
drain, keep, failed (a drain that removes, keeps, or gives up on segments); receiver (metlog-recv --from ack: --spool); publish
(metlog-to-hdfs --to file:); users (two runs of metlog-cardinality --interval); guard (two of --guard). --points: try so many states, chosen by the seed (default: all)."""

import argparse
import concurrent.futures
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import disk
import guard
import house
import targets
import trace
import users


class Recording:
    """Runs commands one after the other under strace, and follows what they do to the directory `root`."""

    def __init__(self, work):
        self.work, self.root = work, os.path.join(work, "root")
        os.mkdir(self.root)
        self.calls, self.restart, self.published, self.counted, self.admitted = [], False, None, None, None

    def run(self, command, stdin=b"", inject=()):
        log = os.path.join(self.work, "trace")
        done = house.run(trace.COMMAND + [log] + list(inject) + command, stdin, limit=60)
        self.calls += trace.read(log)
        return done


    def run_receiver(self, lines):
        """A receiver that takes all lines from a sender, in some runs of it."""
        log, ready, spool = os.path.join(self.work, "trace"), os.path.join(self.work, "ready"), os.path.join(self.root, "spool")
        endpoint = "ack:ipc://" + os.path.join(self.work, "s")
        receiver = subprocess.Popen(trace.COMMAND + [log, "metlog-recv", "--from", endpoint, "--spool", spool, "--segment-bytes", "4k", "--sync-interval", "1ms",
                                                     "--ready", ready], stdin=subprocess.DEVNULL)
        try:
            await_file(ready)
            for at in range(0, len(lines), 5):
                status, _, messages = house.run(["metlog-send", "--json", "--as-is", "--to", endpoint, "--timeout", "25s"], b"".join(lines[at:at + 5]))
                if status:
                    raise house.Wrong("the sender: status %d: %s" % (status, messages))
            with open("/proc/%d/task/%d/children" % (receiver.pid, receiver.pid), encoding="ascii") as children:
                os.kill(int(children.read().split()[0]), signal.SIGTERM)
            if receiver.wait(house.LIMIT):
                raise house.Wrong("the receiver: status %d" % receiver.returncode)
        finally:
            receiver.kill()
        self.calls += trace.read(log)


def await_file(path):
    deadline = time.monotonic() + house.LIMIT
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise house.Wrong("a receiver is not ready")
        time.sleep(0.002)


class State:
    """A state of the disk, and what has to be there in it."""

    def __init__(self, tree):
        self.tree, self.required, self.where = tree, set(), ""


def enumerate_states(recording, model, required, seed):
    """{digest: State}. `required(model, call)` are the lines that have to be there once the call has been made."""
    states, rng = {}, disk.seeded(seed)
    for number, call in enumerate(recording.calls):
        changed = model.apply(call)
        lines = required(model, call)
        if not changed:
            continue
        for tree in model.states(rng):
            state = states.setdefault(disk.digest(tree), State(tree))
            if not state.where or not state.required >= lines:
                state.where = "behind call %d, %r" % (number, call)
            state.required |= lines
    return states


def try_restart(root, spool):
    """A receiver takes over what is there: it starts, and stops."""
    ready = os.path.join(root, "ready")
    receiver = subprocess.Popen(["metlog-recv", "--from", "ack:ipc://" + os.path.join(root, "s"), "--spool", spool, "--ready", ready],
                                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_file(ready)
        receiver.terminate()
        if receiver.wait(10):
            raise house.Wrong("the next receiver: status %d" % receiver.returncode)
    finally:
        receiver.kill()


def publish_command(root):
    return ["metlog-to-hdfs", "--to", "file:" + os.path.join(root, "base"), "--staging", os.path.join(root, "staging"), "--compress", "none", "--name", "n",
            "--layout", "type={type}", "--rotate-bytes", "3k", "--open", "2"]


def check_published(state, root, issued, published):
    """What stands at a final name is whole; another run of the same input makes the files that the first one would have made."""
    target, staging, probe = targets.Directory(os.path.join(root, "base")), os.path.join(root, "staging"), os.path.join(root, "probe")
    # Of a target the staging knows the path, which was another one when this was recorded.
    house.run(publish_command(root)[:3] + ["--staging", probe, "--name", "n"])
    if os.path.isdir(staging) and os.listdir(staging):
        os.rename(os.path.join(staging, os.listdir(staging)[0]), os.path.join(staging, os.listdir(probe)[0]))
    house.judge(issued, state.required, [line for lines in targets.judge_visible(issued, target).values() for line in lines])
    status, _, messages = house.run(publish_command(root), b"".join(issued))
    if status:
        raise house.Wrong("the next run: status %d: %s" % (status, house.short(messages)))
    # What the staging knew of a temporary file may be gone with the power.
    targets.same(targets.judge_end(issued, target, staging, True), published)


def check_users(state, root, counted):
    """The state of before a run or of after it, and that of after it if it has ended; the same input again leads to where it would have led."""
    where, least = os.path.join(root, "state"), len(state.required)
    status, output, messages = house.run(users.Campaign.command + ["--state", where], b"")
    if status or users.gauges(output) not in counted[least:]:
        raise house.Wrong("what is kept: status %d: %s%s" % (status, house.short(messages), "" if status else "other counts"))
    for number, text in enumerate((users.first_input(), users.second_input())):
        status, output, messages = house.run(users.Campaign.command + ["--state", where], text)
        if status or users.gauges(output) not in counted[number + 1:]:
            raise house.Wrong("the next run: status %d: %s" % (status, house.short(messages)))
    if users.left_over(where):
        raise house.Wrong("something is left: %s" % users.left_over(where))


def check_guard(state, root, admitted):
    """What a run that has ended has let in is remembered, and of what another has at most the end is forgotten; the next run goes on."""
    where = os.path.join(root, "state")
    for text in (b"", guard.envelopes(40, "bc")):
        status, output, messages = house.run(guard.Campaign.command + ["--state", where], text)
        if status:
            raise house.Wrong("the next run: status %d: %s" % (status, house.short(messages)))
        known = guard.admitted(os.path.join(where, "admitted.ndjson"))
        if not text and (known != admitted[-1][:len(known)] or len(known) < max(state.required, default=0)):
            raise house.Wrong("%d values are remembered of %s" % (len(known), sorted(state.required)))
        if guard.passed(output) - set(known):
            raise house.Wrong("passed, and not remembered: %s" % sorted(guard.passed(output) - set(known), key=str))


def check(state, issued, duplicates, recording):
    """Recovers from the state; Wrong if anything that has to be there is not, or anything torn is."""
    with tempfile.TemporaryDirectory(prefix="state.", dir=house_work[0]) as root:
        disk.materialise(state.tree, root)
        if recording.admitted:
            check_guard(state, root, recording.admitted)
            return
        if recording.counted:
            check_users(state, root, recording.counted)
            return
        if recording.published:
            check_published(state, root, issued, recording.published)
            return
        spool = os.path.join(root, "spool")
        if not os.path.isdir(spool):
            if state.required:
                raise house.Wrong("the whole spool is lost")
            return
        # Beside the damage that recovery has yet to see to, all that matters can be read. Without even a lock it is no spool yet.
        house.judge(issued, state.required, seen(spool, allow=(65,) if state.required else (65, 66)), duplicates)
        if recording.restart:
            try_restart(root, spool)
        status, _, messages = house.run(["metlog-spool", "write", spool])
        if status:
            raise house.Wrong("recovery: status %d: %s" % (status, house.short(messages)))
        house.judge(issued, state.required, seen(spool), duplicates)
        status, _, messages = house.run(["metlog-spool", "status", "--verify", spool])
        if status:
            raise house.Wrong("status --verify: status %d: %s" % (status, house.short(messages)))


def seen(spool, allow=()):
    lines = house.stored(spool, allow=allow)
    if os.path.isdir(os.path.join(spool, "failed")):
        lines += house.stored(spool, "--failed", allow=allow)
    return lines


# --- scenarios: each answers the model at the start, what is required when, the lines issued, and how many may be there twice ---

def writer(recording, options, lines):
    spool = os.path.join(recording.root, "spool")
    model = disk.Disk(recording.root)
    status, _, messages = recording.run(["metlog-spool", "write", "--tee", "--segment-bytes", "4k"] + options + [spool], b"".join(lines))
    if status:
        raise house.Wrong("the writer: status %d: %s" % (status, messages))
    return model, acknowledged_lines, lines, 0


def acknowledged_lines(model, _call):
    return set(house.lines_of(bytes(model.acknowledged)))


def scenario_each(recording, lines):
    return writer(recording, ["--sync", "each"], lines)


def scenario_batch(recording, lines):
    return writer(recording, ["--sync-bytes", "1500"], lines)


def scenario_compress(recording, lines):
    return writer(recording, ["--sync-bytes", "1500", "--compress", "zstd"], lines)


def scenario_restart(recording, lines):
    """Killed in the middle, and again in the recovery that follows: what was not synced then is not synced now either."""
    spool, half = os.path.join(recording.root, "spool"), len(lines) // 2
    model = disk.Disk(recording.root)
    command = ["metlog-spool", "write", "--tee", "--sync-bytes", "1500", "--segment-bytes", "4k", spool]
    recording.run(command, b"".join(lines[:1]), ["-e", "inject=fsync:signal=KILL:when=1"])
    recording.run(command, b"".join(lines[:half]), ["-e", "inject=fdatasync:signal=KILL:when=7"])
    recording.run(command, b"".join(lines[half:]), ["-e", "inject=renameat:signal=KILL:when=1"])
    status, _, messages = recording.run(command, b"".join(lines[half:]))
    if status:
        raise house.Wrong("the writer: status %d: %s" % (status, messages))
    return model, acknowledged_lines, lines, len(lines)


def filled(recording, lines, *options):
    spool = os.path.join(recording.root, "spool")
    status, _, messages = house.run(["metlog-spool", "write", "--segment-bytes", "4k"] + list(options) + [spool], b"".join(lines))
    if status:
        raise house.Wrong("the writer: status %d: %s" % (status, messages))
    return spool, disk.Disk(recording.root)


def drained(recording, lines, options, command, expected):
    """Every line is required until the drain has waited for the command that took it."""
    spool, model = filled(recording, lines)
    status, _, messages = recording.run(["metlog-spool", "drain", "--once"] + options + [spool, "--"] + command)
    if status != expected:
        raise house.Wrong("the drain: status %d: %s" % (status, messages))
    segments = sorted(name for name in model.tree(model.top) if name.startswith("spool/0"))
    bodies = [house.lines_of(model.tree(model.top)[name])[:-1] for name in segments]
    parent, gone = recording.calls[0].pid, [0]

    def required(_model, call):
        if call.pid == parent and call.name in ("wait4", "waitid") and exited_well(call):
            gone[0] += 1
        return set(itertools.chain.from_iterable(bodies[gone[0]:]))
    return model, required, lines, 0


def exited_well(call):
    return "WEXITSTATUS(s) == 0" in call.text or ("CLD_EXITED" in call.text and "si_status=0" in call.text)


ACKNOWLEDGEMENT = re.compile(rb"METLOG1A\x00\x08(.{8})", re.S)


def scenario_receiver(recording, lines):
    """Each sender run numbers its lines from 1; a new run begins where its first acknowledgement is lower than the last."""
    model, known = disk.Disk(recording.root), {"sent": 0, "before": 0, "last": 0}
    recording.run_receiver(lines)

    def required(model, _call):
        for data in model.sent[known["sent"]:]:
            for match in ACKNOWLEDGEMENT.finditer(data):
                number = int.from_bytes(match.group(1), "big")
                if 0 < number <= known["last"] and known["last"] == 5:
                    known["before"], known["last"] = known["before"] + 5, 0
                known["last"] = max(known["last"], number)
        known["sent"] = len(model.sent)
        return set(lines[:known["before"] + known["last"]])
    recording.restart = True
    return model, required, lines, 0


def scenario_drain(recording, lines):
    return drained(recording, lines, [], ["sh", "-c", "cat >/dev/null"], 0)


def scenario_keep(recording, lines):
    return drained(recording, lines, ["--keep", "1h"], ["sh", "-c", "cat >/dev/null"], 0)


def scenario_failed(recording, lines):
    return drained(recording, lines, ["--attempts", "1"], ["sh", "-c", "cat >/dev/null; exit 65"], 69)


def scenario_publish(recording, lines):
    """Nothing is required before the end: it is a batch."""
    model, base = disk.Disk(recording.root), targets.Directory(os.path.join(recording.root, "base"))
    status, _, messages = recording.run(publish_command(recording.root), b"".join(lines))
    if status:
        raise house.Wrong("the publish: status %d: %s" % (status, messages))
    recording.published, last = targets.judge_end(lines, base, os.path.join(recording.root, "staging")), recording.calls[-1]
    return model, lambda _, call: set(lines) if call is last else set(), lines, 0


def scenario_users(recording, _lines):
    """A run that makes its state, and one that adds to it; each is required once it has ended."""
    model, where, ends = disk.Disk(recording.root), os.path.join(recording.root, "state"), []
    recording.counted = [[]]
    for text in (users.first_input(), users.second_input()):
        status, output, messages = recording.run(users.Campaign.command + ["--state", where], text)
        if status:
            raise house.Wrong("the run: status %d: %s" % (status, messages))
        recording.counted.append(users.gauges(output))
        ends.append(recording.calls[-1])
    done = set()

    def required(_model, call):
        done.update(number for number, end in enumerate(ends) if call is end)
        return set(done)
    return model, required, [], 0


def scenario_guard(recording, _lines):
    """A run that makes its state, and one that goes on with it; what each has let in is required once it has ended."""
    model, where, ends = disk.Disk(recording.root), os.path.join(recording.root, "state"), []
    recording.admitted = []
    for text in (guard.envelopes(7, "ab"), guard.envelopes(40, "bc")):
        status, _, messages = recording.run(guard.Campaign.command + ["--state", where], text)
        if status:
            raise house.Wrong("the run: status %d: %s" % (status, messages))
        recording.admitted.append(guard.admitted(os.path.join(where, "admitted.ndjson")))
        ends.append(recording.calls[-1])
    done = set()

    def required(_model, call):
        done.update(len(known) for known, end in zip(recording.admitted, ends) if call is end)
        return set(done)
    return model, required, [], 0


house_work = [None]
SCENARIOS = {name[9:]: function for name, function in globals().items() if name.startswith("scenario_")}


def try_all(chosen, issued, duplicates, recording):
    wrong = []

    def one(state):
        try:
            check(state, issued, duplicates, recording)
        except house.Wrong as broken:
            wrong.append("%s: %s" % (state.where, broken))
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(one, chosen))
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--records", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", type=int)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    house.need_strace()
    house_work[0] = work = house.workplace("powerloss")
    lines = house.flood(options.records, options.seed, "--mix", "counter=3,timer=2,log=1")
    recording = Recording(work)
    model, required, issued, duplicates = SCENARIOS[options.scenario](recording, lines)
    states = enumerate_states(recording, model, required, options.seed)
    order = list(states.values())
    if options.points and len(order) > options.points:
        order = disk.seeded(options.seed).sample(order, options.points)
    wrong = try_all(order, issued, duplicates, recording)
    if not options.keep:
        house.clean(work)
    return house.report("power loss, %s (seed %d)" % (options.scenario, options.seed), "%d of %d states behind %d calls" %
                        (len(order), len(states), len(recording.calls)), wrong)


if __name__ == "__main__":
    sys.exit(main())
