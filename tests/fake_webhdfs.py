# fake_webhdfs.py - stands in for WebHDFS: namenodes and a datanode that do what a script says, for faults a real cluster cannot be made to show.
# SPDX-License-Identifier: MPL-2.0
"""usage: fake_webhdfs.py DIR [--namenodes N] [--httpfs] [--token] [--cert FILE --key FILE]

Listens on free ports of 127.0.0.1, writes `nn0 PORT`, `nn1 PORT`, ..., `dn PORT`, `dead PORT` (where nobody listens) to DIR/ports, keeps the files of HDFS below DIR/hdfs and
writes a line for each request to DIR/log: who, the method, the operation, the path, `->`, the status, `|`, the rest of the query.

DIR/script is read at each request; a rule is a line
    WHERE OPERATION[:PART OF THE PATH] COUNT ACTION [ARGUMENT...]
WHERE is nn0, nn1, ..., nn (any namenode), dn or *; COUNT is how many requests it is good for, or *. The first rule that fits and is not used up is used;
the uses are forgotten when the file changes. Actions:
    pass                      as without a rule
    exception NAME STATUS MESSAGE...
    status CODE               without a body;  retry SECONDS: 503 with Retry-After
    html CODE TITLE...        a proxy's page
    false                     {"boolean":false}, and nothing is done
    lost                      it is done, and the connection closed without an answer
    close                     the connection is closed, and nothing is done
    stall SECONDS             no answer for so long, and nothing is done
    slow SECONDS              it is done, and answered so much later
    length N                  GETFILESTATUS: says so
    checksum                  GETFILECHECKSUM: says another one
    cut N                     CREATE at a datanode: takes N bytes and closes; a file of N bytes is there
    truncate N                the same, but takes all, and answers 201
    redirect URL              307; {dn}, {dead}, {nn0} stand for HOST:PORT
    location                  step one: 200 with the Location as JSON
With --httpfs it is HttpFS: one server that redirects to itself, 500 for an IOException, no renameoptions. With --token only the delegation token in DIR/token counts."""
import argparse
import http.server
import json
import os
import shutil
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import zlib

options = argparse.ArgumentParser()
options.add_argument("dir")
options.add_argument("--namenodes", type=int, default=1)
options.add_argument("--httpfs", action="store_true")
options.add_argument("--token", action="store_true")
options.add_argument("--cert")
options.add_argument("--key")
options = options.parse_args()
root = os.path.join(options.dir, "hdfs")
os.makedirs(root, exist_ok=True)
lock = threading.RLock()
log = open(os.path.join(options.dir, "log"), "ab", buffering=0)
ports = {}
scheme = "https" if options.cert else "http"


class Script:
    """The rules, and how often each has been used."""

    def __init__(self):
        self.text, self.rules = None, []

    def take(self, where, operation, path):
        try:
            with open(os.path.join(options.dir, "script")) as file:
                text = file.read()
        except FileNotFoundError:
            text = ""
        if text != self.text:
            self.text = text
            lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
            self.rules = [[one[0], *one[1].partition(":")[::2], float("inf") if one[2] == "*" else int(one[2]), one[3:]] for one in lines]
        for rule in self.rules:
            place, wanted, part, left, action = rule
            fits = place == "*" or place == where or (place == "nn" and where.startswith("nn"))
            if fits and wanted in (operation, "*") and part in path and left > 0:
                rule[3] -= 1
                return action
        return ["pass"]


script = Script()


class Fault(Exception):
    def __init__(self, name, message, status=403):
        super().__init__(message)
        self.name, self.message = name, message
        self.status = status if status != 403 or not options.httpfs else 500


def local(path):
    """Where a path of HDFS is kept here."""
    parts = [one for one in path.split("/") if one]
    if any(one in (".", "..") for one in parts):
        raise Fault("InvalidPathException", "Invalid path name " + path, 400)
    return os.path.join(root, *parts)


def status_of(path):
    here = local(path)
    if not os.path.exists(here):
        raise Fault("FileNotFoundException", "File does not exist: " + path, 404)
    is_dir = os.path.isdir(here)
    return {"type": "DIRECTORY" if is_dir else "FILE", "length": 0 if is_dir else os.path.getsize(here), "pathSuffix": "",
            "modificationTime": int(os.path.getmtime(here) * 1000), "blockSize": 134217728, "permission": "644", "owner": "fake"}


def rename(path, to, how):
    source, target = local(path), local(to)
    if options.httpfs or how is None:
        # The old form: into a directory, and false for whatever is in the way.
        if os.path.isdir(target):
            target = os.path.join(target, os.path.basename(source))
        if not os.path.exists(source) or os.path.exists(target) or not os.path.isdir(os.path.dirname(target)):
            return {"boolean": False}
        os.rename(source, target)
        return {"boolean": True}
    if not os.path.exists(source):
        raise Fault("FileNotFoundException", "rename source " + path + " is not found.", 404)
    if os.path.isdir(target) or (os.path.exists(target) and how != "OVERWRITE"):
        raise Fault("FileAlreadyExistsException", "rename destination " + to + " already exists")
    os.rename(source, target)
    return None


def checksum(path, wrong):
    """The composite kind, of zlib's CRC: Python has that one."""
    with open(local(path), "rb") as file:
        crc = zlib.crc32(file.read()) ^ (1 if wrong else 0)
    return {"FileChecksum": {"algorithm": "COMPOSITE-CRC32", "bytes": struct.pack(">I", crc).hex(), "length": 4}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def note(self, code):
        rest = "&".join(one for one in self.query.split("&") if not one.startswith("op="))
        log.write(f"{self.server.who} {self.command} {self.operation} {self.path_text} -> {code} | {rest}\n".encode())

    def answer(self, code, body=b"", kind="application/json", headers=()):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        self.note(code)
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.server.who == "dn":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self, code):
        if code:
            self.note(code)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def fault(self, fault):
        body = {"exception": fault.name, "javaClassName": "org.apache.hadoop." + fault.name, "message": fault.message}
        self.answer(fault.status, {"RemoteException": body})

    def read_body(self, most=None):
        left = self.unread
        if most is not None:
            left = min(left, most)
        parts = []
        while left > 0:
            block = self.rfile.read(min(left, 65536))
            if not block:
                break
            parts.append(block)
            left -= len(block)
            self.unread -= len(block)
        return b"".join(parts)

    def store(self, body):
        here = local(self.path_text)
        os.makedirs(os.path.dirname(here), exist_ok=True)
        with open(here + ".fake", "wb") as file:
            file.write(body)
        os.rename(here + ".fake", here)

    # -- what a request is

    def do_any(self):
        raw, _, self.query = self.path.partition("?")
        self.unread = int(self.headers.get("Content-Length") or 0)
        self.values = dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True))
        self.operation = self.values.get("op", "-").upper()
        self.path_text = urllib.parse.unquote(raw[len("/webhdfs/v1"):]) or "/"
        with lock:
            action, *words = script.take(self.server.who, self.operation, self.path_text)
        try:
            self.act(action, words)
        except Fault as fault:
            self.read_body()
            self.fault(fault)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_any

    def act(self, action, words):
        if action == "exception":
            raise Fault(words[0], " ".join(words[2:]).replace("\\n", "\n"), int(words[1]))
        if action in ("status", "html", "retry", "false", "redirect"):
            self.read_body()
        if action == "status":
            return self.answer(int(words[0]))
        if action == "retry":
            return self.answer(503, headers=[("Retry-After", words[0])])
        if action == "html":
            return self.answer(int(words[0]), f"<html><head><title>{' '.join(words[1:])}</title></head></html>".encode(), "text/html")
        if action == "false":
            return self.answer(200, {"boolean": False})
        if action == "redirect":
            url = words[0]
            for name, port in ports.items():
                url = url.replace("{" + name + "}", f"127.0.0.1:{port}")
            return self.answer(307, headers=[("Location", url + "?" + self.query)])
        if action == "close":
            return self.hang_up("closed")
        if action == "stall":
            self.note("stalled")
            time.sleep(float(words[0]))
            return self.hang_up(None)
        if action in ("cut", "truncate"):
            return self.cut(action, int(words[0]))
        done = self.do(action, words)
        if action == "lost":
            return self.hang_up("lost")
        if action == "slow":
            time.sleep(float(words[0]))
        return self.answer(*done)

    def cut(self, action, length):
        body = self.read_body(length if action == "cut" else None)
        with lock:
            self.store(body[:length])
        if action == "cut":
            return self.hang_up("cut")
        return self.answer(201)

    # -- what is done: (status, body), and what else `answer` takes

    def check_token(self):
        with open(os.path.join(options.dir, "token")) as file:
            if self.values.get("delegation") != file.read().strip():
                raise Fault("InvalidToken", "token (owner=metlog, renewer=cron) delegation=" + self.values.get("delegation", "") + " can't be found in cache")

    def do(self, action, words):
        if options.token:
            self.check_token()
        step_two = self.server.who == "dn" or self.values.get("data") == "true"
        if self.operation == "CREATE" and step_two:
            if self.headers.get("Content-Type") != "application/octet-stream" and options.httpfs:
                raise Fault("IllegalArgumentException", "Data upload requests must have content-type set to 'application/octet-stream'", 400)
            body = self.read_body() # all that comes: a datanode closes a cut file normally, too
            with lock:
                self.store(body)
            return (201, b"" if not options.httpfs else {"Location": "there"})
        with lock:
            return self.do_at_namenode(action, words, step_two)

    def do_at_namenode(self, action, words, step_two):
        path = self.path_text
        if self.operation == "CREATE" or (self.operation == "GETFILECHECKSUM" and not step_two and not options.httpfs):
            if self.read_body():
                raise Fault("IllegalArgumentException", "step one has a body", 400)
            if self.operation == "CREATE" and os.path.isdir(local(path)):
                raise Fault("FileAlreadyExistsException", path + " already exists as a directory")
            to = "nn0" if options.httpfs else "dn"
            more = "&data=true" if options.httpfs else "&namenoderpcaddress=127.0.0.1:8020"
            location = f"{scheme}://127.0.0.1:{ports[to]}{self.path}{more}"
            if action == "location":
                return (200, {"Location": location})
            return (307, b"", "application/octet-stream", [("Location", location)])
        if self.operation == "GETFILECHECKSUM":
            return (200, checksum(path, action == "checksum"))
        if self.operation == "GETFILESTATUS":
            status = status_of(path)
            if action == "length":
                status["length"] = int(words[0])
            return (200, {"FileStatus": status})
        if self.operation == "MKDIRS":
            try:
                os.makedirs(local(path), exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise Fault("FileAlreadyExistsException", "Path is not a directory: " + path) from None
            return (200, {"boolean": True})
        if self.operation == "RENAME":
            said = rename(path, self.values["destination"], self.values.get("renameoptions"))
            return (200, said if said is not None else b"")
        if self.operation == "DELETE":
            here = local(path)
            if not os.path.exists(here):
                return (200, {"boolean": False})
            if os.path.isdir(here):
                shutil.rmtree(here)
            else:
                os.unlink(here)
            return (200, {"boolean": True})
        raise Fault("IllegalArgumentException", "Invalid value for webhdfs parameter \"op\": " + self.operation, 400)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def serve(who):
    server = Server(("127.0.0.1", 0), Handler)
    server.who = who
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    ports[who] = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()


for number in range(options.namenodes):
    serve(f"nn{number}")
if not options.httpfs:
    serve("dn")
# Bound and not listening: it refuses, and nobody else gets it meanwhile.
dead = socket.socket()
dead.bind(("127.0.0.1", 0))
ports["dead"] = dead.getsockname()[1]
with open(os.path.join(options.dir, "ports.new"), "w") as file:
    file.writelines(f"{who} {port}\n" for who, port in ports.items())
os.rename(os.path.join(options.dir, "ports.new"), os.path.join(options.dir, "ports"))
threading.Event().wait()
