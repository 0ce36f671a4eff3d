# network - sends through a relay that does to connections what networks do, and looks whether all arrives, once and in order.
# SPDX-License-Identifier: MPL-2.0
"""usage: network.py [--records N] [--seed N] [--only NAME] [--keep]

Each fault by itself: metlog-send --to ack: through relay.py to metlog-recv --spool. The sender has to end with 0, and what is stored has to be what was
sent, nothing twice. And datagrams that are doubled and change their order, which udp: cannot mend: there each has to arrive at least once."""

import argparse
import os
import signal
import subprocess
import sys
import time

import house

ACKNOWLEDGED = {
    "nothing": [],
    "cut": ["--cut", "200-40000", "--faults", "6"],
    "reset": ["--cut", "10-20000", "--reset", "--faults", "6"],
    "refused": ["--refuse", "4"],
    "stall": ["--stall", "1.2", "--stall-after", "3000", "--faults", "1"],
    "dead": ["--stall", "0", "--stall-after", "3000", "--faults", "1"],
    "slow": ["--delay", "0.03"],
    "crumbs": ["--pieces", "7"],
    "bytes": ["--pieces", "1", "--cut", "500-9000", "--faults", "3"],
}
DATAGRAMS = {"doubled": ["--udp", "--duplicate", "30"], "reordered": ["--udp", "--reorder", "30", "--duplicate", "10"]}


class Stand:
    """A receiver, a relay to it, and where the relay listens."""

    def __init__(self, name, options, kind, receiver_options, seed):
        self.work = house.workplace("net")
        self.got, ready = os.path.join(self.work, "got"), os.path.join(self.work, "ready")
        self.processes = []
        with open(self.got, "wb") as got:
            self.start(["metlog-recv", "--from", kind + ("tcp://127.0.0.1:*" if kind == "ack:" else "127.0.0.1:0"), "--ready", ready] + receiver_options, stdout=got)
        deadline = time.monotonic() + house.LIMIT
        while not os.path.exists(ready):
            if time.monotonic() > deadline:
                raise house.Wrong("the receiver is not ready")
            time.sleep(0.005)
        with open(ready, encoding="ascii") as file:
            port = file.read().strip().rpartition(":")[2]
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py")
        relay = self.start([sys.executable, here, "--seed", str(seed)] + options + ["127.0.0.1:" + port], stdout=subprocess.PIPE)
        self.port = int(relay.stdout.readline())
        self.name = name

    def start(self, command, **streams):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, **streams))
        return self.processes[-1]

    def stop(self):
        """The receiver first: SIGTERM, and a good end."""
        receiver, status = self.processes[0], None
        receiver.send_signal(signal.SIGTERM)
        try:
            status = receiver.wait(house.LIMIT)
        finally:
            for process in self.processes:
                process.kill()
                process.wait()
        if status:
            raise house.Wrong("the receiver ended with %d" % status)


def try_acknowledged(name, lines, seed):
    spool = None
    stand = Stand(name, ACKNOWLEDGED[name], "ack:", ["--sync-interval", "2ms", "--spool", os.path.join(house.workplace("net"), "spool")], seed)
    spool = stand.processes[0].args[-1]
    try:
        status, _, messages = house.run(["metlog-send", "--json", "--as-is", "--to", "ack:tcp://127.0.0.1:%d" % stand.port, "--timeout", "30s"], b"".join(lines), limit=60)
        if status:
            raise house.Wrong("the sender ended with %d: %s" % (status, house.short(messages)))
        stand.stop()
        stored = house.stored(spool)
        house.judge(lines, lines, stored)
        if stored != lines:
            raise house.Wrong("the order is another one")
    finally:
        for process in stand.processes:
            process.kill()
        house.clean(os.path.dirname(spool))
        house.clean(stand.work)


def try_datagrams(name, lines, seed):
    stand = Stand(name, DATAGRAMS[name], "udp:", [], seed)
    try:
        for start in range(0, len(lines), 20):    # not more at a time than the sockets in between have room for
            status, _, messages = house.run(["metlog-send", "--json", "--as-is", "--to", "udp:127.0.0.1:%d" % stand.port], b"".join(lines[start:start + 20]))
            if status:
                raise house.Wrong("the sender ended with %d: %s" % (status, house.short(messages)))
            deadline = time.monotonic() + house.LIMIT
            while len(set(house.whole_lines(stand.got, cut=False))) < min(start + 20, len(lines)) and time.monotonic() < deadline:
                time.sleep(0.01)
        stand.stop()
        house.judge(lines, lines, house.whole_lines(stand.got, cut=False), len(lines))
    finally:
        for process in stand.processes:
            process.kill()
        house.clean(stand.work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    options = parser.parse_args()
    lines, wrong = house.flood(options.records, options.seed, "--mix", "counter=3,timer=2,log=1,request=1"), []
    for names, attempt in ((ACKNOWLEDGED, try_acknowledged), (DATAGRAMS, try_datagrams)):
        for name in names:
            begun = time.monotonic()
            try:
                if options.only in (None, name):
                    attempt(name, lines, options.seed)
                    print("%s: %.1f s" % (name, time.monotonic() - begun))
            except house.Wrong as broken:
                wrong.append("%s: %s" % (name, broken))
    return house.report("network (seed %d)" % options.seed, "%d faults" % (len(ACKNOWLEDGED) + len(DATAGRAMS)), wrong)


if __name__ == "__main__":
    sys.exit(main())
