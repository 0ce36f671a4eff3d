# trace - the system calls of a program, as strace has written them down, as one list of what was done to files.
# SPDX-License-Identifier: MPL-2.0
"""trace.read(path) gives Call objects in the order in which the calls ended; but one that sends, in which it began."""

import re

# What a run is recorded with. -xx: every byte of a string as \xNN.
CALLS = ("openat,open,creat,close,dup,dup2,dup3,fcntl,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,"
         "copy_file_range,sendfile,fsync,fdatasync,sync_file_range,syncfs,sync,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,"
         "mkdir,mkdirat,chdir,fchdir,sendto,sendmsg,wait4,waitid,fork,vfork,clone,clone3,execve")
COMMAND = ["strace", "-f", "-xx", "-s", "10000000", "-e", "trace=" + CALLS, "-e", "signal=none", "-o"]

SENDING = ("sendto", "sendmsg")
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$")
RESULT = re.compile(r"^(.*)\) += (-?\d+|\?|0x[0-9a-f]+)(.*)$", re.S)
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
BASE = re.compile(r'iov_base="((?:\\x[0-9a-f]{2})*)"')


class Call:
    """One call that did not fail. Strings are bytes, anything else is text as strace shows it."""

    def __init__(self, pid, name, text, result):
        self.pid, self.name, self.result = pid, name, result
        self.text = text
        self.arguments = split(text)

    def data(self):
        """What a write or a send of any kind has written, as far as it went."""
        if "iov_base" in self.text:
            whole = b"".join(unquote(part) for part in BASE.findall(self.text))
        else:
            whole = self.arguments[1]
        return whole[:self.result] if isinstance(whole, bytes) else b""

    def number(self, index):
        word = self.arguments[index]
        return -100 if word == "AT_FDCWD" else int(word, 0)

    def __repr__(self):
        shown = [a.decode("utf-8", "replace")[:60] if isinstance(a, bytes) else a[:60] for a in self.arguments]
        return "%s(%s) = %d" % (self.name, ", ".join(shown), self.result)


def unquote(text):
    return bytes.fromhex(text.replace("\\x", ""))


def split(text):
    """The arguments of a call: at the commas that stand outside of brackets. There is none inside a string, since -xx escapes it."""
    arguments, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        if letter in "[{(":
            depth += 1
        elif letter in "]})":
            depth -= 1
        elif letter == "," and depth == 0:
            arguments.append(text[start:at].strip())
            start = at + 1
    arguments.append(text[start:].strip())
    whole = (STRING.fullmatch(argument) for argument in arguments)
    return [unquote(match.group(1)) if match else argument for match, argument in zip(whole, arguments)]


def read(path):
    calls, begun, places = [], {}, {}
    with open(path, encoding="ascii", errors="replace") as lines:
        for line in lines:
            match = LINE.match(line.rstrip("\n"))
            if not match:
                continue
            pid = int(match.group(1))
            if match.group(2):
                name, text = match.group(2), begun.pop(pid, "") + match.group(3)
            else:
                name, text = match.group(4), match.group(5)
            if text.endswith("<unfinished ...>"):
                begun[pid] = text[:-len("<unfinished ...>")].rstrip()
                if name in SENDING:
                    places[pid] = len(calls)
                    calls.append(None)
                continue
            done = RESULT.match(text)
            if done and done.group(2) != "?" and not done.group(3).strip().startswith("E"):
                call = Call(pid, name, done.group(1), int(done.group(2), 0))
                if match.group(2) and pid in places:
                    calls[places.pop(pid)] = call
                else:
                    calls.append(call)
    return [call for call in calls if call]
