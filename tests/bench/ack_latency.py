# ack_latency.py - sends single envelopes by the acknowledged transport at a steady rate and prints how long acknowledgements took.
# SPDX-License-Identifier: MPL-2.0
"""usage: ack_latency.py ADDRESS RATE SECONDS

Speaks metlog-wire(5) itself: a DEALER, one envelope a batch. Prints "count p50 p99 max", in milliseconds, from the send to the cumulative
acknowledgement that covers it. Those of the first second are left out.
"""
import os
import struct
import sys
import time

import zmq


def main(address, rate, seconds):
    sock = zmq.Context().socket(zmq.DEALER)
    sock.connect(address)
    sender = os.urandom(16)
    total, sent, acked = int(rate * seconds), 0, 0
    stamps, waits = [], []
    start = time.monotonic()
    while acked < total:
        now = time.monotonic()
        while sent < total and start + sent / rate <= now:
            sent += 1
            line = b'{"type":"counter","logger":"bench","payload":"1","fields":{"name":"n","id":%d}}\n' % sent
            stamps.append(time.monotonic())
            sock.send_multipart([b"METLOG1B", sender, struct.pack(">Q", sent), line])
        due = start + sent / rate - time.monotonic() if sent < total else 10
        if not sock.poll(max(0, due * 1000)):
            if sent >= total and due == 10:
                sys.exit("no acknowledgement for 10 s, %d of %d" % (acked, total))
            continue
        while sock.poll(0):
            parts = sock.recv_multipart()
            if parts[0] != b"METLOG1A":
                sys.exit("unexpected: %r" % parts)
            upto = struct.unpack(">Q", parts[1])[0]
            now = time.monotonic()
            for number in range(acked, upto):
                if number >= rate:
                    waits.append((now - stamps[number]) * 1000)
            acked = max(acked, upto)
    waits.sort()
    print("%d %.2f %.2f %.2f" % (len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1]))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
