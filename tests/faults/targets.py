# targets - where metlog-to-hdfs publishes, as a reader sees it: a directory or a WebHDFS server, and what may be found there.
# SPDX-License-Identifier: MPL-2.0
"""A target tells its files: {path below the base: bytes}. A name that begins with a dot is a temporary one; any other is final, and what stands
there is whole: it can be unpacked to its last byte, and each of its lines was issued."""

import gzip
import json
import os
import subprocess
import sys
import time
import zlib

import house


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Directory:
    def __init__(self, path):
        self.path, self.url = path, "file:" + path

    def files(self):
        """A server may still be at what a client that was killed has asked for: if a file goes before it is read, all of them are looked at anew."""
        while True:
            try:
                return {os.path.relpath(path, self.path): read(path) for path in (os.path.join(folder, name) for folder, _, names in os.walk(self.path) for name in names)}
            except FileNotFoundError:
                pass


class Fake:
    """tests/fake_webhdfs.py: WebHDFS over a directory of this machine."""

    def __init__(self, path):
        self.path = path
        os.mkdir(path)
        self.process = subprocess.Popen([sys.executable, os.path.join(house.SOURCE, "tests", "fake_webhdfs.py"), path], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + house.LIMIT
        while not os.path.exists(os.path.join(path, "ports")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise house.Wrong("the WebHDFS server does not start")
            time.sleep(0.01)
        with open(os.path.join(path, "ports"), encoding="ascii") as ports:
            self.port = dict(line.split() for line in ports)["nn0"]

    def target(self, name):
        target = Directory(os.path.join(self.path, "hdfs", name))
        target.url = "webhdfs://127.0.0.1:%s/%s" % (self.port, name)
        return target

    def stop(self):
        self.process.kill()
        self.process.wait()


class Hdfs:
    """url: webhdfs://HOST:PORT/PATH of a namenode that is active."""

    def __init__(self, url):
        # Here, since it takes longer to load them than most runs take.
        import urllib.error
        import urllib.parse
        import urllib.request
        self.url, self.missing, self.quote, self.open = url, urllib.error.HTTPError, urllib.parse.quote, urllib.request.urlopen
        parts = urllib.parse.urlsplit(url)
        self.base, self.rest = parts.path, "http://%s/webhdfs/v1" % parts.netloc.split(",")[0]

    def get(self, path, operation):
        with self.open(self.rest + self.quote(path) + "?op=" + operation, timeout=house.LIMIT) as answer:
            return answer.read()

    def walk(self, path):
        try:
            listed = json.loads(self.get(path, "LISTSTATUS"))["FileStatuses"]["FileStatus"]
        except self.missing as error:
            if error.code == 404:
                return
            raise
        for one in listed:
            inner = path + "/" + one["pathSuffix"]
            if one["type"] == "DIRECTORY":
                yield from self.walk(inner)
            else:
                yield inner

    def files(self):
        found = {}
        for path in self.walk(self.base):
            name = path[len(self.base) + 1:]
            # What is being written to a temporary file is not looked at: its end may not be readable yet.
            found[name] = b"" if is_temporary(name) else self.get(path, "OPEN")
        return found


def is_temporary(path):
    return path.rsplit("/", 1)[-1].startswith(".")


def unpacked(path, data):
    """What a reader makes of a file; Wrong if it does not come to its end."""
    try:
        if path.endswith(".gz"):
            data = gzip.decompress(data)
        elif path.endswith(".zst"):
            data = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout
    except (OSError, EOFError, zlib.error, subprocess.CalledProcessError) as torn:
        raise house.Wrong("%s cannot be unpacked: %s" % (path, torn)) from torn
    if not data or not data.endswith(b"\n"):
        raise house.Wrong("%s ends in the middle of a line" % path)
    return data


def visible(target):
    """{final path: its lines}"""
    return {path: house.lines_of(unpacked(path, data)) for path, data in target.files().items() if not is_temporary(path)}


def judge_visible(issued, target, again=()):
    """Whatever has happened: what is visible was issued, and is there once. Answers it."""
    files = visible(target)
    house.judge(issued, again, [line for lines in files.values() for line in lines])
    return files


def judge_end(issued, target, staging, temporary=False):
    """All is published, once, and nothing is left over, here or, unless `temporary`, there. Answers what is published."""
    files = judge_visible(issued, target, issued)
    left = [path for path in target.files() if is_temporary(path)]
    if left and not temporary:
        raise house.Wrong("temporary files are left: " + " ".join(left))
    for folder, _, names in os.walk(staging):
        for name in names:
            if name not in ("target", "lock") or os.path.basename(folder).startswith("run-"):
                raise house.Wrong("left in staging: " + os.path.join(folder, name))
    return files


def same(files, expected):
    """A kill and another run make the files of a run without: the same names, the same lines."""
    for path in sorted(files.keys() | expected.keys()):
        if files.get(path) != expected.get(path):
            raise house.Wrong("%s: %s" % (path, "is not what it should be" if path in files and path in expected else
                                          "is missing" if path in expected else "should not be there"))


def main():
    """usage: targets.py visible|end BASE STAGING INPUT...: what is at the base now, or in the end."""
    what, base, staging, inputs = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    issued = []
    for path in inputs:
        with open(path, "rb") as file:
            issued += house.lines_of(file.read())
    target = Directory(base) if base.startswith("/") else Hdfs(base)
    try:
        files = judge_end(issued, target, staging) if what == "end" else judge_visible(issued, target)
    except house.Wrong as wrong:
        print("WRONG: %s" % wrong)
        return 1
    print("%d files" % len(files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
