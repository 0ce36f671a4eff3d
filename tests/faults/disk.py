# disk - a filesystem as a list of calls leaves it, and the states in which a loss of power may leave it.
# SPDX-License-Identifier: MPL-2.0
"""The model of ALICE (Pillai et al., OSDI 2014), for files that are appended to and renamed.

What is on disk for certain is what fsync was told: of a file its bytes, of a directory its entries. Everything else may be there or not:

    a file's bytes that were not synced     not at all; all; cut in the middle; as zeros; the first half as zeros; all but the last byte
    the entries of a directory              as before, up to any point (as a journal does it), or any subset of the changes (as nobody promises
                                            otherwise); a rename between two directories is certain when both were synced

fsync of a file does not make its name certain: POSIX does not say so."""

import copy
import hashlib
import itertools
import math
import os
import random
import re

PER_POINT = 160     # states looked at behind one call; beyond that a seeded choice
SUBSETS_ALL = 5     # up to so many uncertain changes every subset is tried


class Inode:
    def __init__(self, data=b"", is_directory=False):
        self.data, self.synced, self.is_directory = bytearray(data), bytes(data), is_directory
        self.dirty = False


class Change:
    """Of names: each is (directory, name, inode or None). `needs`: the directories whose fsync has yet to come."""

    def __init__(self, sets):
        self.sets, self.needs = sets, {directory for directory, _, _ in sets}


class Disk:
    def __init__(self, root):
        """What lies below `root` now is taken for synced."""
        self.root = os.path.realpath(root)
        self.inodes, self.live, self.durable, self.changes = {}, {}, {}, []
        self.files, self.cwd, self.next = {}, {}, 1
        self.acknowledged = bytearray()     # what went to standard output
        self.sent = []                      # what went elsewhere: to sockets and pipes
        self.top = self._load(self.root)

    # --- what lies there -----------------------------------------------------

    def _new(self, inode):
        number, self.next = self.next, self.next + 1
        self.inodes[number] = inode
        if inode.is_directory:
            self.live[number], self.durable[number] = {}, {}
        return number

    def _load(self, path):
        if not os.path.isdir(path):
            with open(path, "rb") as file:
                return self._new(Inode(file.read()))
        number = self._new(Inode(is_directory=True))
        for name in sorted(os.listdir(path)):
            self.live[number][name] = self.durable[number][name] = self._load(os.path.join(path, name))
        return number

    def _place(self, call, at, path):
        """(directory, name) of a path below the root, or None."""
        text = path.decode("utf-8", "surrogateescape")
        if not text.startswith("/"):
            start = self.cwd.get(call.pid, self.root) if at == -100 else None
            if start is None:
                opened = self.files.get((call.pid, at))
                if not opened or not self.inodes[opened["inode"]].is_directory:
                    return None
                return self._walk(opened["inode"], [part for part in text.split("/") if part not in ("", ".")])
            text = os.path.join(start, text)
        text = os.path.normpath(text)
        if text == self.root:
            return self.top, "."
        if not text.startswith(self.root + "/"):
            return None
        return self._walk(self.top, text[len(self.root) + 1:].split("/"))

    def _walk(self, directory, parts):
        for part in parts[:-1]:
            directory = self._parent(directory) if part == ".." else self.live.get(directory, {}).get(part)
            if directory is None:
                return None
        if parts and parts[-1] == "..":
            directory, parts = self._parent(directory), []
        return (directory, parts[-1] if parts else ".") if directory is not None else None

    def _parent(self, directory):
        return next((outer for outer, names in self.live.items() if directory in names.values()), None)

    def _change(self, *sets):
        for directory, name, inode in sets:
            if inode is None:
                self.live[directory].pop(name, None)
            else:
                self.live[directory][name] = inode
        self.changes.append(Change(list(sets)))

    # --- the calls -------------------------------------------------------------

    def apply(self, call):
        """True if something that matters has changed: a file below the root, or what was acknowledged."""
        handler = getattr(self, "_do_" + call.name, None)
        return bool(handler and handler(call))

    def _open(self, call, at, path, flags):
        place = self._place(call, at, path)
        if not place:
            return False
        directory, name = place
        inode = directory if name == "." else self.live[directory].get(name)
        changed = False
        if inode is None:
            inode, changed = self._new(Inode()), True
            self._change((directory, name, inode))
        elif "O_TRUNC" in flags and self.inodes[inode].data:
            del self.inodes[inode].data[:]
            self.inodes[inode].dirty = changed = True
        self.files[call.pid, call.result] = {"inode": inode, "at": 0, "append": "O_APPEND" in flags}
        return changed

    def _do_openat(self, call):
        return self._open(call, call.number(0), call.arguments[1], call.arguments[2])

    def _do_open(self, call):
        return self._open(call, -100, call.arguments[0], call.arguments[1])

    def _do_creat(self, call):
        return self._open(call, -100, call.arguments[0], "O_CREAT|O_TRUNC")

    def _do_close(self, call):
        self.files.pop((call.pid, call.number(0)), None)

    def _duplicate(self, call):
        opened = self.files.get((call.pid, call.number(0)))
        self.files.pop((call.pid, call.result), None)
        if opened:
            self.files[call.pid, call.result] = opened

    _do_dup = _do_dup2 = _do_dup3 = _duplicate

    def _do_fcntl(self, call):
        if "F_DUPFD" in call.arguments[1]:
            self._duplicate(call)

    def _inherit(self, call):
        if call.result > 0:
            for pid, number in [key for key in self.files if key[0] == call.pid]:
                self.files[call.result, number] = self.files[pid, number]
            self.cwd[call.result] = self.cwd.get(call.pid, self.root)

    _do_fork = _do_vfork = _do_clone = _do_clone3 = _inherit

    def _do_lseek(self, call):
        opened = self.files.get((call.pid, call.number(0)))
        if opened:
            opened["at"] = call.result

    def _put(self, opened, data, at=None):
        inode = self.inodes[opened["inode"]]
        where = len(inode.data) if opened["append"] else opened["at"] if at is None else at
        if where > len(inode.data):
            inode.data.extend(bytes(where - len(inode.data)))
        inode.data[where:where + len(data)] = data
        if at is None:
            opened["at"] = where + len(data)
        inode.dirty = True
        return True

    def _write(self, call):
        opened, number = self.files.get((call.pid, call.number(0))), call.number(0)
        if opened:
            return self._put(opened, call.data())
        if number == 1:
            self.acknowledged += call.data()
            return True
        if number != 2:
            self.sent.append(call.data())
        return number != 2

    _do_write = _do_writev = _write

    def _do_sendto(self, call):
        self.sent.append(call.data())
        return True

    _do_sendmsg = _do_sendto

    def _do_pwrite64(self, call):
        opened = self.files.get((call.pid, call.number(0)))
        return opened and self._put(opened, call.data(), call.number(-1))

    _do_pwritev = _do_pwrite64

    def _do_copy_file_range(self, call):
        """With an offset of where it reads, and none of where it writes."""
        source, target = self.files.get((call.pid, call.number(0))), self.files.get((call.pid, call.number(2)))
        if not source or not target:
            return False
        start = int(re.match(r"\[(\d+)\]", call.arguments[1]).group(1))
        return self._put(target, bytes(self.inodes[source["inode"]].data[start:start + call.result]))

    def _do_ftruncate(self, call):
        opened = self.files.get((call.pid, call.number(0)))
        if not opened:
            return False
        inode, length = self.inodes[opened["inode"]], call.number(1)
        if length < len(inode.data):
            del inode.data[length:]
        else:
            inode.data.extend(bytes(length - len(inode.data)))
        inode.dirty = True
        return True

    def _do_fallocate(self, call):
        opened = self.files.get((call.pid, call.number(0)))
        if not opened or "KEEP_SIZE" in call.arguments[1]:
            return False
        inode, end = self.inodes[opened["inode"]], call.number(2) + call.number(3)
        inode.data.extend(bytes(max(0, end - len(inode.data))))
        inode.dirty = True
        return True

    def _sync(self, call):
        opened = self.files.get((call.pid, call.number(0)))
        if not opened:
            return False
        inode = self.inodes[opened["inode"]]
        inode.synced, inode.dirty = bytes(inode.data), False
        for change in self.changes:
            change.needs.discard(opened["inode"])
        while self.changes and not self.changes[0].needs:
            for directory, name, target in self.changes.pop(0).sets:
                set_name(self.durable[directory], name, target)
        return True

    _do_fsync = _do_fdatasync = _sync

    def _rename(self, call, at_from, path_from, at_to, path_to):
        source, target = self._place(call, at_from, path_from), self._place(call, at_to, path_to)
        if not source or not target:
            assert not source and not target, "a rename across the border: %r" % call
            return False
        inode = self.live[source[0]].get(source[1])
        self._change((source[0], source[1], None), (target[0], target[1], inode))
        return True

    def _do_rename(self, call):
        return self._rename(call, -100, call.arguments[0], -100, call.arguments[1])

    def _do_renameat(self, call):
        return self._rename(call, call.number(0), call.arguments[1], call.number(2), call.arguments[3])

    _do_renameat2 = _do_renameat

    def _unlink(self, call, at, path):
        place = self._place(call, at, path)
        if place:
            self._change((place[0], place[1], None))
        return bool(place)

    def _do_unlink(self, call):
        return self._unlink(call, -100, call.arguments[0])

    _do_rmdir = _do_unlink

    def _do_unlinkat(self, call):
        return self._unlink(call, call.number(0), call.arguments[1])

    def _mkdir(self, call, at, path):
        place = self._place(call, at, path)
        if place:
            self._change((place[0], place[1], self._new(Inode(is_directory=True))))
        return bool(place)

    def _do_mkdir(self, call):
        return self._mkdir(call, -100, call.arguments[0])

    def _do_mkdirat(self, call):
        return self._mkdir(call, call.number(0), call.arguments[1])

    def _link(self, call, at_from, path_from, at_to, path_to):
        source, target = self._place(call, at_from, path_from), self._place(call, at_to, path_to)
        if source and target:
            self._change((target[0], target[1], self.live[source[0]].get(source[1])))
        return bool(target)

    def _do_link(self, call):
        return self._link(call, -100, call.arguments[0], -100, call.arguments[1])

    def _do_linkat(self, call):
        return self._link(call, call.number(0), call.arguments[1], call.number(2), call.arguments[3])

    # --- the states --------------------------------------------------------------

    def _choices(self, rng):
        """Which of the uncertain changes of names have happened: sets of indexes."""
        uncertain = [index for index, change in enumerate(self.changes) if change.needs]
        directories = sorted({directory for change in self.changes for directory in change.needs})
        chosen = set()
        for counts in drawn([range(sum(d in self.changes[i].needs for i in uncertain) + 1) for d in directories], rng):
            quota, happened = dict(zip(directories, counts)), []
            for index in uncertain:
                needs = self.changes[index].needs
                if all(quota[d] > 0 for d in needs):
                    happened.append(index)
                for d in needs:
                    quota[d] -= 1
            chosen.add(frozenset(happened))
        if len(uncertain) <= SUBSETS_ALL:
            subsets = itertools.chain.from_iterable(itertools.combinations(uncertain, n) for n in range(len(uncertain) + 1))
            chosen.update(frozenset(subset) for subset in subsets)
        else:
            chosen.update(frozenset(i for i in uncertain if rng.random() < 0.5) for _ in range(1 << SUBSETS_ALL))
        return sorted(chosen, key=sorted)

    def _names(self, happened):
        names = copy.deepcopy(self.durable)
        for index, change in enumerate(self.changes):
            if index in happened or not change.needs:
                for directory, name, inode in change.sets:
                    set_name(names[directory], name, inode)
        return names

    def tree(self, inode, prefix=""):
        """{path: bytes} of the files as they are now."""
        places = {}
        collect(self.live, inode, prefix, places)
        return {path: bytes(self.inodes[number].data) for path, number in places.items() if not self.inodes[number].is_directory}

    def states(self, rng):
        """Trees {path: bytes, or None for a directory} in which power may be lost now."""
        states = []
        for happened in self._choices(rng):
            names, places = self._names(happened), {}
            collect(names, self.top, "", places)
            dirty = sorted({inode for inode in places.values() if self.inodes[inode].dirty})
            kinds = [contents(self.inodes[inode]) for inode in dirty]
            for combination in drawn(kinds, rng):
                data = dict(zip(dirty, combination))
                states.append({path: None if self.inodes[inode].is_directory else data.get(inode, self.inodes[inode].synced) for path, inode in places.items()})
        return states if len(states) <= PER_POINT else rng.sample(states, PER_POINT)


def drawn(kinds, rng):
    """Each combination of one of each kind; PER_POINT of them, drawn, where there are more by far."""
    if math.prod(len(kind) for kind in kinds) <= PER_POINT * PER_POINT:
        return itertools.product(*kinds)
    return ([rng.choice(kind) for kind in kinds] for _ in range(PER_POINT))


def set_name(names, name, inode):
    if inode is None:
        names.pop(name, None)
    else:
        names[name] = inode


def collect(names, directory, prefix, places):
    for name, inode in names[directory].items():
        places[prefix + name] = inode
        if inode in names:
            collect(names, inode, prefix + name + "/", places)


def contents(inode):
    """What a file may hold whose last bytes were not synced."""
    synced, data = inode.synced, bytes(inode.data)
    shared = len(os.path.commonprefix([synced, data]))
    rest = len(data) - shared
    kept = {synced, data}
    if rest:
        middle, zeros = shared + rest // 2, bytes(rest)
        kept |= {data[:middle], data[:-1], data[:shared + 1], data[:shared] + zeros, data[:shared] + zeros[:rest // 2] + data[middle:]}
    return sorted(kept)


def digest(state):
    whole = hashlib.sha256()
    for path in sorted(state):
        whole.update(repr((path, state[path])).encode("utf-8", "surrogateescape"))
    return whole.digest()


def materialise(state, root):
    for path in sorted(state):
        where = os.path.join(root, path)
        if state[path] is None:
            os.mkdir(where, 0o700)
        else:
            with open(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(state[path])


def seeded(seed):
    return random.Random(seed)
