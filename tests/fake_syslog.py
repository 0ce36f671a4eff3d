# fake_syslog - a receiver of syslog that misbehaves as it is told, and a reader of what it has got.
# SPDX-License-Identifier: MPL-2.0
"""usage: fake_syslog.py FILE [kind=tcp|udp|stream|datagram] [do=WHAT,WHAT...] [host=127.0.0.1] [path=PATH] [cert=PEM key=PEM [ca=PEM] [most=1.1|1.2]]
       fake_syslog.py frames FILE lf|counted

Listens on a free port, or at a path, and writes port or path to FILE. What a connection brings goes to FILE.1, FILE.2 ...; datagrams, a line each, to FILE.1;
what happens to FILE.log. Each connection is treated by the next WHAT; the last one is for all the others too:
  read        reads to the end, then ends its own side: a receiver as it should be
  slow:N      the same, N bytes every 5 ms
  cut:N       reads N bytes, and closes
  reset:N     reads N bytes, and resets
  stall:N     reads N bytes, then no more
  never       reads to the end, and does not end its own side
  half        ends its own side at once, then reads to the end
  talk        says a lot, reads to the end
  plain       says something that is not TLS
With `later` as the first WHAT nobody is there until the file FILE.up exists.
`frames` prints the whole messages of all connections, a line each, and says on standard error if one began in the middle of a message.
"""
import glob
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import warnings


def say(name, text):
    with open(name + '.log', 'a') as log:
        log.write(text + '\n')


def await_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def reset(sock):
    raw = socket.socket(fileno=os.dup(sock.fileno()))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    raw.close()


def read(sock, out, most=None, step=65536, pause=0):
    """True: to its end."""
    while most is None or most > 0:
        data = sock.recv(step if most is None else min(step, most))
        if not data:
            return True
        out.write(data)
        out.flush()
        if most is not None:
            most -= len(data)
        if pause:
            time.sleep(pause)
    return False


def treat(sock, what, out, name, number):
    word, _, argument = what.partition(':')
    most = int(argument) if argument else 0
    if word == 'half':
        sock.shutdown(socket.SHUT_WR)
    if word == 'plain':
        sock.sendall(b'220 mail.example ESMTP\r\n')
    if word == 'talk':
        sock.sendall(b'I have a lot to say. ' * 100000)
    if word == 'slow':
        ended = read(sock, out, None, most, 0.005)
    elif word in ('cut', 'reset', 'stall'):
        ended = read(sock, out, most)
    else:
        ended = read(sock, out)
    say(name, '%d %s %s' % (number, word, 'ended' if ended else 'not ended'))
    if word == 'stall' or (word == 'never' and ended):
        await_file(name + '.never')
    if word == 'reset':
        reset(sock)
    if isinstance(sock, ssl.SSLSocket) and ended:
        sock.unwrap()


def serve(sock, what, name, number, context):
    try:
        with open('%s.%d' % (name, number), 'wb') as out:
            say(name, '%d connected' % number)
            if context:
                sock = context.wrap_socket(sock, server_side=True)
            treat(sock, what, out, name, number)
    except (OSError, ssl.SSLError) as error:
        say(name, '%d %s' % (number, error))
    finally:
        sock.close()


def tls(options):
    if 'cert' not in options:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options['cert'], options['key'])
    if 'ca' in options:
        context.load_verify_locations(options['ca'])
        context.verify_mode = ssl.CERT_REQUIRED
    if options.get('most') == '1.1':
        warnings.simplefilter('ignore')
        context.set_ciphers('DEFAULT@SECLEVEL=0')
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    if options.get('most') == '1.2':
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def tell(name, text):
    with open(name + '.new', 'w') as out:
        out.write(str(text))
    os.rename(name + '.new', name)


def connections(name, sock, actions, context):
    number = 0
    while True:
        one, _ = sock.accept()
        number += 1
        what = actions.pop(0) if len(actions) > 1 else actions[0]
        threading.Thread(target=serve, args=(one, what, name, number, context), daemon=True).start()


def datagrams(name, sock, what):
    word = what.partition(':')[0]
    with open(name + '.1', 'wb') as out:
        while True:
            if word == 'slow':
                time.sleep(0.005)
            out.write(sock.recv(65536) + b'\n')
            out.flush()


def receive(name, options):
    kind, actions = options.get('kind', 'tcp'), options.get('do', 'read').split(',')
    host = options.get('host', '127.0.0.1')
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    stream = kind in ('tcp', 'stream')
    later = actions[0] == 'later'
    if later:
        actions = actions[1:] or ['read']
    sock = socket.socket(socket.AF_UNIX if 'path' in options else family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    if 'path' in options:
        if later:
            tell(name, options['path'])
            await_file(name + '.up')
        if os.path.exists(options['path']):
            os.unlink(options['path'])
        sock.bind(options['path'])
        tell_now = options['path']
    else:
        sock.bind((host, 0))
        tell_now = sock.getsockname()[1]
        if later:
            if not stream:
                sock.connect((host, 9))  # so that a datagram of anybody else is refused
            tell(name, tell_now)
            await_file(name + '.up')
            if not stream:
                sock = again(sock, family, host, tell_now)
    if stream:
        sock.listen(50)
    tell(name, tell_now)
    if stream:
        connections(name, sock, actions, tls(options))
    datagrams(name, sock, actions[0])


def again(old, family, host, port):
    """The same port, for everybody. Between the two nobody has it; it is tried until it is ours."""
    old.close()
    new = socket.socket(family, socket.SOCK_DGRAM)
    new.bind((host, port))
    return new


def split(data, framing, name):
    frames, at = [], 0
    while at < len(data):
        if framing == 'lf':
            end = data.find(b'\n', at)
            if end < 0:
                break
            frames.append(data[at:end])
            at = end + 1
            continue
        count = re.match(rb'([1-9][0-9]*) ', data[at:at + 12])
        if not count:
            if len(data) - at < 12 and re.fullmatch(rb'[1-9][0-9]*', data[at:]):
                break
            sys.exit('%s: no count at byte %d: %r' % (name, at, data[at:at + 40]))
        end = at + count.end() + int(count.group(1))
        if end > len(data):
            break
        frames.append(data[at + count.end():end])
        at = end
    if data and not re.match(rb'(<[0-9]+>|CEF:| )', frames[0] if frames else b'<1>'):
        sys.exit('%s begins in the middle of a message: %r' % (name, data[:40]))
    return frames


def print_frames(name, framing):
    names = sorted(glob.glob(name + '.[0-9]*'), key=lambda n: int(n.rsplit('.', 1)[1]))
    for one in names:
        with open(one, 'rb') as file:
            for frame in split(file.read(), framing, one):
                sys.stdout.buffer.write(frame + b'\n')


if sys.argv[1] == 'frames':
    print_frames(sys.argv[2], sys.argv[3])
else:
    receive(sys.argv[1], dict(word.split('=', 1) for word in sys.argv[2:]))
