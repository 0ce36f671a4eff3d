"""_live - the clients of this process: handed over at exit, and made anew in a child after fork."""
# SPDX-License-Identifier: MPL-2.0
import atexit
import os
import sys
import time
import weakref
from typing import Any, Dict, Set

_clients: "weakref.WeakSet[Any]" = weakref.WeakSet()
_couriers: Set[Any] = set()
#: By module: the process in which it was told that ours are to be closed.
_told: Dict[str, int] = {}


def add(client: Any, courier: Any) -> None:
    _clients.add(client)
    for other in list(_couriers):   # those of clients that nobody has any more, and who have ended
        if getattr(other, "_ended", False):
            _couriers.discard(other)
    _couriers.add(courier)
    weakref.finalize(client, _end_soon, courier).atexit = False
    close_in_child()


def discard(courier: Any) -> None:
    _couriers.discard(courier)


def _end_soon(courier: Any) -> None:
    courier.end_soon()


def _close_all() -> None:
    """All at once have the patience of the most patient one, and not one after the other."""
    began, couriers = time.monotonic(), list(_couriers)
    for courier in couriers:
        courier.close_begin(courier.close_s)
    for courier in couriers:
        courier.close(max(0.0, began + courier.close_s - time.monotonic()))


def _after_fork() -> None:
    _couriers.clear()
    for client in list(_clients):
        client._after_fork()
        _couriers.add(client._courier)


def close_in_child() -> None:
    """A process that multiprocessing or billiard (celery) has forked ends without atexit, but asks its own list. Called when a client is made, and
    when a thread starts: whether these modules are loaded, and whether this is such a process, may have changed since."""
    for name in ("multiprocessing", "billiard"):
        util = sys.modules.get(f"{name}.util")
        if util is None or _told.get(name) == os.getpid():
            continue
        try:
            if name not in _told:
                # A child empties its list after it has loaded the application (forkserver), and then calls these.
                util.register_after_fork(_clients, lambda _, util=util: _close_at_end(util))
            _told[name] = os.getpid()
            if type(sys.modules[f"{name}.process"].current_process()).__name__ != "_MainProcess":
                _close_at_end(util)
        except Exception:
            pass


def _close_at_end(util: Any) -> None:
    # One that was spawned asks atexit, too, and later.
    if "--multiprocessing-fork" not in getattr(sys, "orig_argv", ()):
        util.Finalize(None, _close_all, exitpriority=-100)


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
