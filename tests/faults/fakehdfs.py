# fakehdfs - an honest WebHDFS server in memory: what the fault tests publish to where no cluster is started.
# SPDX-License-Identifier: MPL-2.0
"""start() answers its address, webhdfs://127.0.0.1:PORT; stop() ends it. As in HDFS, a file whose writer goes away in the middle is closed as it is."""

import http.server
import json
import threading
import time
import urllib.parse

SERVER = None


class Remote(Exception):
    """What the namenode answers with."""

    def __init__(self, status, name, message):
        super().__init__(message)
        self.status, self.body = status, {"RemoteException": {"exception": name, "javaClassName": "java.io." + name, "message": message}}


class Files:
    """path: its bytes; None: a directory."""

    def __init__(self):
        self.paths, self.lock = {"/": None}, threading.RLock()

    def make(self, path):
        with self.lock:
            parts = path.strip("/").split("/")
            for i in range(1, len(parts) + 1):
                inner = "/" + "/".join(parts[:i])
                if self.paths.setdefault(inner, None) is not None:
                    raise Remote(403, "ParentNotDirectoryException", inner + " (is not a directory)")

    def status(self, path, suffix=""):
        if path not in self.paths:
            raise Remote(404, "FileNotFoundException", "File does not exist: " + path)
        data = self.paths[path]
        return {"accessTime": 0, "blockSize": 134217728 if data is not None else 0, "childrenNum": 0, "fileId": 1, "group": "supergroup", "owner": "metlog",
                "length": len(data or b""), "modificationTime": int(time.time() * 1000), "pathSuffix": suffix, "permission": "644", "replication": 1,
                "storagePolicy": 0, "type": "FILE" if data is not None else "DIRECTORY"}

    def listed(self, path):
        with self.lock:
            one = self.status(path)
            if one["type"] == "FILE":
                return [one]
            start = path.rstrip("/") + "/"
            return [self.status(name, name[len(start):]) for name in sorted(self.paths) if name.startswith(start) and name != "/" and "/" not in name[len(start):]]

    def rename(self, old, new):
        with self.lock:
            if new in self.paths or old not in self.paths or self.paths.get(new.rsplit("/", 1)[0] or "/", b"") is not None:
                return False
            self.paths[new] = self.paths.pop(old)
            return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True      # or each answer waits for the acknowledgement of its header

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, headers=(), raw=None):
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json" if raw is None else "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do(self):
        parts = urllib.parse.urlsplit(self.path)
        query = {key.lower(): value[0] for key, value in urllib.parse.parse_qs(parts.query).items()}
        path = urllib.parse.unquote(parts.path)[len("/webhdfs/v1"):].rstrip("/") or "/"
        operation = getattr(self, self.command + "_" + query.get("op", "").upper(), None)
        try:
            if not operation:
                raise Remote(400, "IllegalArgumentException", "no such operation")
            operation(path, query, parts)
        except Remote as remote:
            self.answer(remote.status, remote.body)
        except ConnectionError:
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = do

    def GET_GETFILESTATUS(self, path, *_):
        self.answer(200, {"FileStatus": self.server.files.status(path)})

    def GET_LISTSTATUS(self, path, *_):
        self.answer(200, {"FileStatuses": {"FileStatus": self.server.files.listed(path)}})

    def GET_OPEN(self, path, *_):
        self.server.files.status(path)
        self.answer(200, raw=bytes(self.server.files.paths[path] or b""))

    def PUT_MKDIRS(self, path, *_):
        self.server.files.make(path)
        self.answer(200, {"boolean": True})

    def PUT_RENAME(self, path, query, _):
        self.answer(200, {"boolean": self.server.files.rename(path, query["destination"].rstrip("/"))})

    def DELETE_DELETE(self, path, *_):
        with self.server.files.lock:
            self.answer(200, {"boolean": self.server.files.paths.pop(path, False) is not False})

    def PUT_CREATE(self, path, query, parts):
        if "datanode" not in query:
            address = "http://127.0.0.1:%d%s?%s&datanode=1" % (self.server.server_port, parts.path, parts.query)
            self.answer(307, None, [("Location", address)])
            return
        files = self.server.files
        with files.lock:
            if path in files.paths and (files.paths[path] is None or query.get("overwrite") != "true"):
                raise Remote(403, "FileAlreadyExistsException", path + " already exists")
            files.make(path.rsplit("/", 1)[0] or "/")
            ours = files.paths[path] = bytearray()      # whoever still writes the one before writes to a file without a name
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        for piece in self.pieces():
            with files.lock:
                ours += piece
        self.answer(201, None, [("Location", "hdfs://127.0.0.1:8020" + parts.path[len("/webhdfs/v1"):])])

    def handle_expect_100(self):
        return True

    def pieces(self):
        """The body, as it comes; ConnectionError if it does not come to its end."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while True:
                size = int(self.rfile.readline().split(b";")[0] or b"-1", 16)
                if size < 0:
                    raise ConnectionError
                data = self.rfile.read(size + 2)
                if len(data) != size + 2:
                    raise ConnectionError
                if not size:
                    return
                yield data[:-2]
        left = int(self.headers.get("Content-Length", 0))
        while left:
            data = self.rfile.read1(min(left, 65536))
            if not data:
                raise ConnectionError
            left -= len(data)
            yield data


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass        # who is killed says no goodbye


def start():
    global SERVER
    SERVER = Server(("127.0.0.1", 0), Handler)
    SERVER.files = Files()
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    return "webhdfs://127.0.0.1:%d" % SERVER.server_port


def stop():
    SERVER.shutdown()
    SERVER.server_close()


if __name__ == "__main__":
    print(start(), flush=True)
    threading.Event().wait()
