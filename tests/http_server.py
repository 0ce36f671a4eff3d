# http_server - an HTTP server for tests/http.bats whose behaviour is in the path of each request.
# SPDX-License-Identifier: MPL-2.0
"""usage: http_server.py FILE [host=127.0.0.1] [cert=PEM key=PEM [ca=PEM] [most=1.1]]

Listens on a free port and writes it to FILE. Each request's head goes to FILE.log.
"""
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
import time

lock = threading.Lock()


class Connection:
    def __init__(self, sock, number, log):
        self.sock, self.number, self.log, self.data = sock, number, log, b''

    def head(self):
        while b'\r\n\r\n' not in self.data:
            got = self.sock.recv(65536)
            if not got:
                return None
            self.data += got
            if self.data.startswith(b'\x16\x03'):  # TLS, which is not spoken here
                self.say('HTTP/1.1 400 Bad\r\n\r\n')
                return None
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        with lock:
            self.log.write(b'%d %s\n\n' % (self.number, head))
            self.log.flush()
        lines = head.split(b'\r\n')
        self.length = 0
        for line in lines[1:]:
            if line.lower().startswith(b'content-length:'):
                self.length = int(line.split(b':')[1])
        return lines[0].split()[1].decode()

    def body(self, most=None):
        digest, left = hashlib.sha256(), self.length if most is None else min(self.length, most)
        while left:
            part, self.data = self.data[:left], self.data[left:]
            if not part:
                self.data = self.sock.recv(65536)
                if not self.data:
                    return None
            digest.update(part)
            left -= len(part)
        return digest.hexdigest()

    def say(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def answer(self, status, body='', more=''):
        self.say('HTTP/1.1 %s What\r\n%sContent-Length: %d\r\n\r\n%s' % (status, more, len(body), body))

    def reset(self):
        """The far side sees a reset, not an end."""
        raw = socket.socket(fileno=os.dup(self.sock.fileno()))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raw.close()

    def drain(self):
        while self.sock.recv(65536):
            pass


def forever():
    time.sleep(3600)


def serve(c, path):
    """True: the connection goes on."""
    words = path.split('?')[0].strip('/').split('/')
    what, rest = words[0], words[1:]
    if what == 'put':
        c.say('HTTP/1.1 100 Continue\r\n\r\n')
        digest = c.body()
        if digest is None:
            return False
        c.answer(201, digest)
        return True
    if what == 'ok':
        c.body()
        c.answer(200, 'ok')
        return True
    if what == 'ok-then-gone':
        c.answer(200, 'ok')
        return False
    if what == 'status':
        c.body()
        c.answer(rest[0], 'because')
        return True
    if what == 'redirect':
        c.body()
        c.answer(307, '', 'Location: http://elsewhere.example:1/a%20b%zz?delegation=TOPSECRET&x=\xfc\r\nlocation: http://second.example/\r\n')
        return True
    if what == 'retry':
        c.answer(503, 'busy', 'Retry-After: 17\r\n')
        return True
    if what == 'cookie':
        c.answer(200, 'ok', 'Set-Cookie: hadoop.auth="u=x&s=y"; Path=/\r\n')
        return True
    if what == 'cut-head':
        c.body()
        return False
    if what == 'cut-reset':
        c.body(100000)
        c.reset()
        return False
    if what == 'cut-answer':
        c.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
        return False
    if what == 'stall-head':
        forever()
    if what == 'stall-answer':
        c.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
        forever()
    if what == 'stall-upload':
        c.body(100000)
        forever()
    if what == 'slow':
        c.say('HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n')
        for _ in range(12):
            time.sleep(0.25)
            c.say('x')
        return True
    if what == 'slow-upload':
        for _ in range(9):
            time.sleep(0.3)
            c.say('HTTP/1.1 102 Processing\r\n\r\n')
        c.answer(201, c.body())
        return True
    if what == 'big':
        c.say('HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n' % rest[0])
        c.say(b'x' * int(rest[0]))
        return True
    if what == 'endless':
        c.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        while True:
            c.say('100000\r\n' + 'x' * 0x100000 + '\r\n')
    if what == 'early-stay':
        c.answer(rest[0], 'not you', 'Location: http://dn.example/?delegation=TOPSECRET\r\n')
        forever()
    if what == 'early-close':
        c.answer(rest[0], 'not you', 'Location: http://dn.example/?delegation=TOPSECRET\r\n')
        return False
    if what == 'early-drain':
        c.answer(rest[0], 'not you', 'Location: http://dn.example/?delegation=TOPSECRET\r\n')
        c.drain()
        return False
    if what == 'garbage':
        c.say('220 mail.example ESMTP\r\nlots of it\r\n')
        return False
    if what == 'long-location':
        c.answer(307, '', 'Location: http://x/%s\r\n' % ('y' * 70000))
        return True
    c.answer(404, 'no such thing')
    return True


def run(sock, number, log, context):
    try:
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        c = Connection(sock, number, log)
        while True:
            path = c.head()
            if path is None or not serve(c, path):
                break
        if isinstance(sock, ssl.SSLSocket):
            sock.unwrap()
    except (OSError, ssl.SSLError):
        pass
    finally:
        sock.close()


def main():
    name, options = sys.argv[1], dict(word.split('=', 1) for word in sys.argv[2:])
    host, context = options.get('host', '127.0.0.1'), None
    if 'cert' in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options['cert'], options['key'])
        if 'ca' in options:
            context.load_verify_locations(options['ca'])
            context.verify_mode = ssl.CERT_REQUIRED
        if 'most' in options:
            context.set_ciphers('DEFAULT@SECLEVEL=0')
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ':' in host else socket.AF_INET, backlog=50)
    log = open(name + '.log', 'ab')
    with open(name + '.new', 'w') as out:
        out.write(str(listener.getsockname()[1]))
    os.rename(name + '.new', name)
    number = 0
    while True:
        sock, _ = listener.accept()
        number += 1
        threading.Thread(target=run, args=(sock, number, log, context), daemon=True).start()


main()
