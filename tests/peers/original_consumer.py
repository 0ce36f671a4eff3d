# original_consumer - a receiver as the original router had it, for what clients of today send: a message that it would have misread is named, and the run fails.
# SPDX-License-Identifier: MPL-2.0
"""usage: original_consumer.py udp|sub PORTFILE COUNT

Binds a port of the loopback address and writes it to PORTFILE; then takes COUNT messages, and prints of each the line that the original
statsd output made of it, or else `TYPE SEVERITY PAYLOAD`. A run that hears nothing for half a minute fails. The connection is kept until PORTFILE is
removed: a sender cannot know what became of its last messages if the far side leaves at once.

  udp   datagrams, of which no more than 60000 bytes are read; one document each, with at most one line end
  sub   a ZeroMQ SUB socket that is subscribed to everything; one part, one document, no topic
"""
import json
import os
import re
import socket
import sys
import time

WAIT_S = 30
TEXT, NUMBER, OBJECT = str, int, dict
MEMBERS = {
    "type": TEXT, "timestamp": TEXT, "logger": TEXT, "severity": NUMBER, "payload": TEXT, "fields": OBJECT,
    "env_version": TEXT, "metlog_pid": NUMBER, "metlog_hostname": TEXT,
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LETTERS = {"counter": "c", "timer": "ms"}


def refuse_constant(text):
    raise ValueError(text + " is not JSON")


def refuse_repetition(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is repeated")
    return dict(pairs)


def read_envelope(text):
    envelope = json.loads(text.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=refuse_repetition)
    if set(envelope) != set(MEMBERS):
        raise ValueError("members: %s" % sorted(envelope))
    for name, kind in MEMBERS.items():
        if type(envelope[name]) is not kind:
            raise ValueError("%s is %r" % (name, envelope[name]))
    if not 0 <= envelope["severity"] <= 7:
        raise ValueError("severity %d" % envelope["severity"])
    if not TIME.fullmatch(envelope["timestamp"]):
        raise ValueError("timestamp %s" % envelope["timestamp"])
    if envelope["env_version"] != "0.8":
        raise ValueError("env_version %s" % envelope["env_version"])
    return envelope


def statsd_line(envelope):
    """What it sent to statsd: the namespace is fields.logger, value and rate by Ruby's to_f, a rate only if it is below 1."""
    fields = envelope["fields"]
    value, rate = float(envelope["payload"]), float(fields["rate"])
    if rate <= 0:
        raise ValueError("by a rate of %r the server would divide" % rate)
    key = re.sub("[:|@]", "_", fields["name"].replace("::", "."))
    if not key:
        raise ValueError("a metric without a name")
    if fields.get("logger"):
        key = fields["logger"] + "." + key
    return "%s:%s|%s%s" % (key, value, LETTERS[envelope["type"]], "|@%s" % rate if rate < 1 else "")


def show(text):
    envelope = read_envelope(text)
    if envelope["type"] in LETTERS:
        print(statsd_line(envelope))
    else:
        print(envelope["type"], envelope["severity"], json.dumps(envelope["payload"]))


def tell_port(port, path):
    with open(path + ".tmp", "w", encoding="ascii") as file:
        file.write("%d\n" % port)
    os.rename(path + ".tmp", path)


def datagrams(portfile, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(WAIT_S)
    tell_port(sock.getsockname()[1], portfile)

    def receive():
        text = sock.recv(60000)
        return text[:-1] if text.endswith(b"\n") else text
    return sock, (receive() for _ in range(count))


def published(portfile, count):
    import zmq
    sock = zmq.Context().socket(zmq.SUB)
    sock.subscribe(b"")
    tell_port(sock.bind_to_random_port("tcp://127.0.0.1"), portfile)

    def receive():
        if not sock.poll(WAIT_S * 1000):
            sys.exit("nothing comes")
        parts = sock.recv_multipart()
        return parts[0] if len(parts) == 1 else b"a message of %d parts" % len(parts)
    return sock, (receive() for _ in range(count))


def main(kind, portfile, count):
    faults = 0
    sock, messages = {"udp": datagrams, "sub": published}[kind](portfile, int(count))
    for text in messages:
        try:
            if b"\n" in text:
                raise ValueError("more than one line")
            show(text)
        except (ValueError, KeyError, TypeError) as fault:
            faults = 1
            print("%s: %r" % (fault, text), file=sys.stderr)
    sys.stdout.flush()
    end = time.monotonic() + WAIT_S
    while os.path.exists(portfile) and time.monotonic() < end:
        time.sleep(0.01)
    sock.close()
    return faults


if len(sys.argv) != 4:
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))
