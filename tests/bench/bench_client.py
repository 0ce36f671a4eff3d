#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""bench_client.py - what a call of the Python client costs its thread, beside its rivals; prints lines "name p50 p99 mean", in ns.

usage: bench_client.py [BURSTS]       bursts of 1000 calls, with a pause behind each as an application has; each call is measured, the clock's own cost is in it
"""
import json
import os
import socket
import sys
import time
from time import perf_counter_ns

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "python"))
import metlog  # noqa: E402

BURST, PAUSE_S = 1000, 0.02
FIELDS = {"user": 25, "path": "/cart/checkout", "ms": 12.5, "cached": False}


def measured(call, bursts):
    costs = []
    for number in range(bursts + 1):
        for _ in range(BURST):
            began = perf_counter_ns()
            call()
            ended = perf_counter_ns()
            if number:
                costs.append(ended - began)
        time.sleep(PAUSE_S)
    costs.sort()
    return costs[len(costs) // 2], costs[len(costs) * 99 // 100], sum(costs) // len(costs)


def report(name, call, bursts):
    p50, p99, mean = measured(call, bursts)
    print(f"{name} {p50} {p99} {mean}", flush=True)


def listener():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return one


def timed(client):
    def call():
        with client.timer("db.query"):
            pass
    return call


def bench_client(bursts):
    udp = listener()   # nobody reads it: the kernel drops what its buffer does not hold, for us and for statsd alike
    client = metlog.MetlogClient(f"udp:127.0.0.1:{udp.getsockname()[1]}", "bench", buffer="16Mi", disabled_timers=["off"])
    report("metlog_incr", lambda: client.incr("page.view"), bursts)
    report("metlog_incr_fields", lambda: client.incr("page.view", fields=FIELDS), bursts)
    report("metlog_message", lambda: client.metlog("request", payload="GET /cart/checkout", fields=FIELDS), bursts)
    report("metlog_timer", timed(client), bursts)
    report("metlog_timer_send", lambda: client.timer_send("db.query", 12.5), bursts)
    report("metlog_info", lambda: client.info("user %s has paid", "ada"), bursts)
    report("metlog_incr_sampled_out", lambda: client.incr("page.view", rate=0.0), bursts)
    off = client.timer("off")

    def disabled():
        with off:
            pass
    report("metlog_timer_disabled", disabled, bursts)
    counts = client.close(10)
    if counts.dropped or counts.refused:
        print(f"bench_client.py: {counts}", file=sys.stderr)


def bench_statsd(bursts):
    try:
        import statsd
    except ImportError:
        print("# statsd: the package is not installed", flush=True)
        return
    udp = listener()
    client = statsd.StatsClient("127.0.0.1", udp.getsockname()[1])
    report("statsd_incr", lambda: client.incr("page.view"), bursts)


def bench_dumps(bursts):
    """What the original client did: a dict, json.dumps, a PUB socket."""
    try:
        import zmq
    except ImportError:
        print("# json.dumps and pyzmq: pyzmq is not installed", flush=True)
        return
    context = zmq.Context()
    receiver, sender = context.socket(zmq.SUB), context.socket(zmq.PUB)
    receiver.setsockopt(zmq.SUBSCRIBE, b"")
    receiver.setsockopt(zmq.CONFLATE, 1)
    port = receiver.bind_to_random_port("tcp://127.0.0.1")
    sender.connect(f"tcp://127.0.0.1:{port}")
    time.sleep(0.5)

    def call():
        envelope = {"type": "counter", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "logger": "bench", "severity": 6, "payload": "1",
                    "fields": {"name": "page.view", "rate": 1.0}, "env_version": "0.8", "metlog_pid": 26482, "metlog_hostname": "web1.example.com"}
        sender.send(json.dumps(envelope).encode())
    report("json_dumps_pyzmq", call, bursts)
    context.destroy(0)


def main():
    bursts = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    report("clock", lambda: None, bursts)
    bench_client(bursts)
    bench_statsd(bursts)
    bench_dumps(bursts)


if __name__ == "__main__":
    main()
