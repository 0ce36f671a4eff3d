"""_curve - files that hold CURVE keys, as metlog-recv --curve-keygen, CZMQ and pyzmq write them."""
# SPDX-License-Identifier: MPL-2.0
import os
import re
import stat
from typing import Dict, List, Tuple

_KEY = rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}"
_BARE, _NAMED = re.compile(_KEY + rb"\Z"), re.compile(rb"(public|secret)-key[ \t]*=[ \t]*\"(" + _KEY + rb")\"\Z")


def _read(path: str, secret: bool) -> bytes:
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"key file {path}: not a regular file")
        if secret and status.st_uid not in (os.geteuid(), 0):
            raise PermissionError(f"secret key file {path} belongs to another user")
        if secret and status.st_mode & 0o077:
            raise PermissionError(f"secret key file {path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}): chmod 600 it")
        return file.read(4096)


def _keys(text: bytes) -> Tuple[Dict[bytes, bytes], List[bytes]]:
    named: Dict[bytes, bytes] = {}
    bare: List[bytes] = []
    for line in text.split(b"\n"):
        line = line.strip()
        found = _NAMED.match(line)
        if found:
            named[found.group(1)] = found.group(2)
        elif _BARE.match(line):
            bare.append(line)
    return named, bare


def read_secret(path: str) -> bytes:
    """Our secret key. Raises OSError, PermissionError if the file is open to others, ValueError if it holds none."""
    named, bare = _keys(_read(path, True))
    if b"secret" in named:
        return named[b"secret"]
    if len(bare) > 1:
        return bare[1]
    if bare and b"public" not in named:
        return bare[0]
    raise ValueError(f'no secret key in {path}: expected 40 characters of Z85, or a line secret-key = "..."')


def read_public(path: str) -> bytes:
    """Somebody's public key. Raises OSError, or ValueError if the file holds none."""
    named, bare = _keys(_read(path, False))
    if b"public" in named:
        return named[b"public"]
    if bare:
        return bare[0]
    raise ValueError(f'no public key in {path}: expected 40 characters of Z85, or a line public-key = "..."')
