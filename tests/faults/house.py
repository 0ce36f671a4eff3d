# house - what the fault tests share: where the tools are, floods, runs that end in time, and the oracle.
# SPDX-License-Identifier: MPL-2.0
"""The oracle: of every envelope it is known whether it was issued, whether the next one has acknowledged it, and how often it was seen in the end.

    seen        is part of issued: nothing torn, altered or invented
    acknowledged is part of seen: nothing lost
    seen twice  only where a crash came between storing and acknowledging"""

import collections
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.environ.get("TOOLS") or os.path.join(SOURCE, "cmd")
os.environ["PATH"] = TOOLS + ":" + os.environ["PATH"]
os.environ.update(LC_ALL="C", TZ="UTC", NO_COLOR="1")
LIMIT = float(os.environ.get("FAULTS_LIMIT", 60))   # seconds after which a run that should have ended hangs; a busy disk may take some for an fsync
SKIP = 77                                           # exit status: this cannot be tried here


class Wrong(Exception):
    """A promise was broken."""


def skip(reason):
    print("skipped: " + reason)
    sys.exit(SKIP)


def need_strace():
    """strace has to be here and be allowed to trace, and the tools have to be such that it can."""
    if not shutil.which("strace"):
        skip("strace is not installed")
    if subprocess.run(["strace", "-o", os.devnull, "-e", "inject=write:error=EINTR:when=1", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        skip("strace may not trace here")
    with open(os.path.join(TOOLS, "metlog-spool"), "rb") as tool:
        if b"__asan_init" in tool.read():
            skip("a sanitizer build cannot be traced")


def flood(count, seed, *options):
    """The lines of a flood, each with its newline."""
    command = ["metlog-flood", "--seed", str(seed), "-c", str(count), "--unicode", "20"] + list(options)
    return lines_of(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def workplace(name):
    """A directory of our own, in memory where there is room: that is quick, and what is tried does not depend on it."""
    base = os.environ.get("BATS_TEST_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    if "BATS_TEST_TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK):
        base = "/dev/shm"
    return tempfile.mkdtemp(prefix="faults-%s." % name, dir=base)


def clean(path):
    shutil.rmtree(path, ignore_errors=True)


def run(command, stdin=b"", stdout=None, limit=None):
    """Runs it to its end; a run that does not come to it is Wrong. Answers status, output, messages."""
    given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    try:
        done = subprocess.run(command, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit or LIMIT, check=False, **given)
    except subprocess.TimeoutExpired as late:
        raise Wrong("hangs: %s: %s" % (" ".join(command), (late.stderr or b"").decode("utf-8", "replace"))) from late
    return done.returncode, done.stdout or b"", done.stderr.decode("utf-8", "replace")


def stored(spool, *options, allow=()):
    """The lines that `metlog-spool cat` shows."""
    status, output, messages = run(["metlog-spool", "cat"] + list(options) + [spool])
    if status and status not in allow:
        raise Wrong("metlog-spool cat: status %d: %s" % (status, short(messages)))
    return lines_of(output)


def lines_of(data):
    """With their newlines; splitlines would split at carriage returns, too."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + ([data[data.rfind(b"\n") + 1:]] if not data.endswith(b"\n") and data else [])


def short(text):
    text = text if len(text) < 300 else text[:300] + "..."
    return text.strip().encode("unicode_escape").decode("ascii")


def judge(issued, acknowledged, seen, duplicates=0):
    """Wrong unless seen is part of issued, acknowledged part of seen, and no more than so many are there twice."""
    issued, counts = set(issued), collections.Counter(seen)
    strange = [line for line in counts if line not in issued]
    if strange:
        raise Wrong("%d lines seen that were never issued, the first: %r" % (len(strange), strange[0][:300]))
    missing = [line for line in acknowledged if line not in counts]
    if missing:
        raise Wrong("%d of %d acknowledged lines are lost, the first: %r" % (len(missing), len(acknowledged), missing[0][:300]))
    twice = len(seen) - len(counts)
    if twice > duplicates:
        raise Wrong("%d lines are there twice; %d may be" % (twice, duplicates))
    return twice


def whole_lines(path, cut=True):
    """The lines of a file up to the last newline: what is torn was not acknowledged. cut: cuts the file there."""
    with open(path, "r+b") as file:
        data = file.read()
        end = data.rfind(b"\n") + 1
        if cut:
            file.truncate(end)
    return lines_of(data[:end])


# A consumer that is idempotent: whatever it is given of a segment, it ends with one file of its name, whole. It tells each delivery.
CONSUMER = """cat >"$0/.$METLOG_SEGMENT.$$" && [ "$(wc -l <"$0/.$METLOG_SEGMENT.$$")" -eq "$METLOG_SEGMENT_RECORDS" ] &&
mv "$0/.$METLOG_SEGMENT.$$" "$0/$METLOG_SEGMENT" && echo "$METLOG_SEGMENT" >>"$0/.log\""""


# One that is quick, where nobody is killed.
APPENDER = """exec cat >>"$0/all\""""


def drain_command(spool, output, *options, consumer=CONSUMER):
    return ["metlog-spool", "drain"] + list(options) + [spool, "--", "sh", "-c", consumer, output]


def delivered(output):
    """The lines of all segments in the consumer's directory."""
    lines = []
    for name in sorted(os.listdir(output)):
        if not name.startswith("."):
            with open(os.path.join(output, name), "rb") as file:
                lines += lines_of(file.read())
    return lines


def deliveries(output):
    """How often each segment was delivered."""
    try:
        with open(os.path.join(output, ".log"), encoding="ascii") as file:
            return collections.Counter(file.read().split())
    except FileNotFoundError:
        return collections.Counter()


def report(name, tried, wrong):
    """The last word of a test: how much was tried, and what went wrong. The exit status."""
    for line in wrong[:10]:
        print("WRONG: " + line)
    if len(wrong) > 10:
        print("... and %d more" % (len(wrong) - 10))
    print("%s: %s, %d wrong" % (name, tried, len(wrong)))
    return 1 if wrong else 0
