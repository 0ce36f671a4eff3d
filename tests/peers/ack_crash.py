# ack_crash - kills a receiver with a spool at each of its system calls of one kind, and looks what its senders have left to complain of.
# SPDX-License-Identifier: MPL-2.0
"""usage: ack_crash.py CALL[,CALL...] [RECORDS [STEP]] -- metlog-recv OPTION...

Runs `metlog-recv --from ack:ipc://... --spool ...` again and again in the current directory, killed by strace at the first, second, ... system call
of that name (at each STEP-th, from one drawn anew each time), until a run has fewer of them; starts it anew each time, and lets two senders go on until all of their RECORDS (50) are acknowledged.
With CRASH_KILLS=N a run is killed at the same call of its first N starts. With CRASH_DRAIN=1 what is sealed or was left behind is taken out by `metlog-spool drain` before each new start.
Every record must be in the spool once, or have come out of it once. Prints how many points there were; a fault ends it with status 1.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import zmq

import ack_peer

ADDRESS, SPOOL, BATCH, PATIENCE = "ipc://crash.sock", "crash.spool", 5, 60


class Sender:
    def __init__(self, name, records):
        self.name, self.records = name, records
        self.lines = [b'{"type":"%d","payload":"%d"}' % (name, i + 1) for i in range(records)]
        self.peer = ack_peer.Peer(ADDRESS)
        self.peer.socket.sndtimeo = 0
        self.done = self.sent = 0
        self.moved = time.monotonic()

    def turn(self):
        while self.sent < self.records and self.sent - self.done < 3 * BATCH:
            try:
                self.peer.batch(self.name, 1 + self.sent, *self.lines[self.sent : self.sent + BATCH])
            except zmq.Again:
                break
            self.sent += BATCH
        heard = self.peer.hear(2)
        if heard and heard[0] == ack_peer.ACK and self.done < heard[1] <= self.records:
            self.done, self.moved = heard[1], time.monotonic()
        elif time.monotonic() - self.moved > 0.1:
            self.sent, self.moved = self.done, time.monotonic()


def start(command, inject):
    trace = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=" + inject.split(":")[0], "-e", "inject=" + inject] if inject else []
    with open("crash.err", "ab") as err:
        return subprocess.Popen(trace + command + ["--from", "ack:" + ADDRESS, "--spool", SPOOL], stderr=err, stdout=subprocess.DEVNULL)


def drain():
    if os.environ.get("CRASH_DRAIN") and os.path.isdir(SPOOL):
        subprocess.run(["metlog-spool", "drain", "--once", "-q", SPOOL, "--", "sh", "-c", "cat >>crash.drained"], check=True)


def stored():
    found = []
    if os.path.exists("crash.drained"):
        with open("crash.drained", "rb") as lines:
            found = lines.read().splitlines()
    for file in sorted(os.listdir(SPOOL)):
        if ".ndjson" in file:
            how = ["zstd", "-dcq"] if file.endswith(".zst") else ["cat"]
            found += subprocess.run(how + [os.path.join(SPOOL, file)], capture_output=True, check=True).stdout.splitlines()
    return [line for line in found if b'"metlog.segment"' not in line]


def stop(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(PATIENCE) != 0:
        sys.exit("ended with %d after SIGTERM: %s" % (process.returncode, open("crash.err").read()))


def one_run(command, records, inject):
    """True if the receiver was killed on its way."""
    shutil.rmtree(SPOOL, ignore_errors=True)
    if os.path.exists("crash.drained"):
        os.unlink("crash.drained")
    senders = [Sender(1, records), Sender(2, records)]
    receiver, kills, end = start(command, inject), 0, time.monotonic() + PATIENCE
    most = int(os.environ.get("CRASH_KILLS", 1))
    while any(sender.done < records for sender in senders):
        for sender in senders:
            sender.turn()
        if receiver.poll() is not None:
            if kills == most:
                sys.exit("%s: ended by itself: %s" % (inject, open("crash.err").read()))
            drain()
            kills += 1
            receiver = start(command, inject if kills < most else None)
        if time.monotonic() > end:
            sys.exit("%s: not acknowledged within %d s" % (inject, PATIENCE))
    killed = kills > 0
    if kills == most:
        stop(receiver)
    else:  # strace passes the signal on to itself: so the receiver is asked to end by its last system calls
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(receiver.pid)], capture_output=True, check=False).stdout.split()
        try:
            os.kill(int(children[0]), signal.SIGTERM)
        except (IndexError, ProcessLookupError):
            pass  # it was killed behind its last acknowledgement
        if receiver.wait(PATIENCE) != 0:
            killed = True
            drain()
            stop(start_and_settle(command))
    found, want = stored(), senders[0].lines + senders[1].lines
    lost, twice = set(want) - set(found), len(found) - len(set(found))
    if lost or twice or len(found) != len(want):
        sys.exit("%s: %d lost, %d twice, %d stored of %d" % (inject, len(lost), twice, len(found), len(want)))
    for sender in senders:
        sender.peer.socket.close(0)
    return killed


def start_and_settle(command):
    if os.path.exists("crash.ready"):
        os.unlink("crash.ready")
    process = start(command + ["--ready", "crash.ready"], None)
    end = time.monotonic() + PATIENCE
    while not os.path.exists("crash.ready") and time.monotonic() < end:
        time.sleep(0.01)
    return process


def main():
    if "--" not in sys.argv or len(sys.argv) < 4:
        sys.exit(__doc__)
    at = sys.argv.index("--")
    calls, numbers, command = sys.argv[1], [int(one) for one in sys.argv[2:at]], sys.argv[at + 1 :]
    records, step = (numbers + [50, 1][len(numbers) :])[:2]
    points = 0
    for call in calls.split(","):
        number = random.randint(1, step)
        while one_run(command, records, "%s:signal=KILL:when=%d" % (call, number)):
            number += step
            points += 1
    print(points)


main()
