# statsd.py - json.loads and statsd lines packed into datagrams, as a Python service does it.
# SPDX-License-Identifier: MPL-2.0
import json
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(sys.argv[1])))
letter = {"counter": "c", "timer": "ms", "gauge": "g"}
packet = []
size = 0
for line in sys.stdin.buffer:
    envelope = json.loads(line)
    kind = letter.get(envelope.get("type"))
    if not kind:
        continue
    fields = envelope["fields"]
    rate = float(fields["rate"])
    text = f"{fields['name']}:{envelope['payload']}|{kind}" + (f"|@{rate}" if rate != 1 and kind == "c" else "")
    if size + len(text) + 1 > 1432:
        sock.send("\n".join(packet).encode())
        packet, size = [], 0
    packet.append(text)
    size += len(text) + 1
if packet:
    sock.send("\n".join(packet).encode())
