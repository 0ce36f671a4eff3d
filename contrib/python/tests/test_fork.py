"""test_fork - a child goes on with the client that it inherited, and sends nothing of its parent's; what process managers do."""
# SPDX-License-Identifier: MPL-2.0
import collections
import importlib.util
import unittest

from fixture import Case, metlog

HAS_ZMQ = importlib.util.find_spec("zmq") is not None


def by_pid(lines):
    found = collections.defaultdict(list)
    for one in lines:
        found[one["metlog_pid"]].append(one["payload"])
    return found


class ForkTest(Case):
    def test_a_child_sends_its_own_messages_under_its_own_pid_and_none_of_its_parents(self):
        out = self.run_python("""
import metlog, os, sys
c = metlog.MetlogClient('file:out', 'shop', buffer='16Mi')
for n in range(5000): c.info('parent %d', n)
pids = []
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        for n in range(200): c.info('child %d', n)
        c.incr('n')
        assert c.counts().taken == 201, c.counts()
        sys.exit(0)
    pids.append(pid)
    c.info('between')
for pid in pids:
    assert os.waitpid(pid, 0)[1] == 0
print(os.getpid(), *pids)
""")
        parent, *children = map(int, out.split())
        found = by_pid(self.filed())
        self.assertEqual(found.pop(parent), [f"parent {n}" for n in range(5000)] + ["between"] * 5)
        self.assertEqual(set(found), set(children))
        for lines in found.values():
            self.assertEqual(lines, [f"child {n}" for n in range(200)] + ["1"])

    def test_a_fork_from_one_thread_amid_the_calls_of_others_leaves_a_client_that_works(self):
        self.run_python("""
import metlog, os, sys, threading
c = metlog.MetlogClient('file:out', 'shop', buffer='64Mi')
stop = []
def work():
    while not stop: c.incr('n', fields={'a': 'x' * 50})
threads = [threading.Thread(target=work) for _ in range(3)]
for one in threads: one.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        c.info('child')
        counts = c.close(30)
        os._exit(0 if counts.sent == 1 == counts.taken else 3)
    assert os.waitpid(pid, 0)[1] == 0
stop.append(1)
for one in threads: one.join()
""")
        self.assertEqual(sum(one["payload"] == "child" for one in self.filed()), 20)

    def test_a_fork_while_another_thread_closes_holds_the_child_up_nowhere(self):
        self.run_python("""
import metlog, os, signal, sys, threading
c = metlog.MetlogClient('unix:nobody', 'shop')
c.incr('n')
thread = threading.Thread(target=c.close, args=(300,))
thread.start()
while not c._courier._closing: pass
c._courier._fills += 1   # the thread that closes is just taking lines
pid = os.fork()
if pid == 0:
    signal.alarm(50)
    c.incr('late')
    assert c.counts() == c.close(100) and c.counts().refused == 1
    sys.exit(0)
os._exit(os.waitpid(pid, 0)[1] != 0)
""")

    def test_a_fork_while_our_thread_closes_a_file_that_was_rotated_leaves_a_client_that_works(self):
        self.run_python("""
import metlog, os
metlog._plain.LOOK_AGAIN_S = 0
c = metlog.MetlogClient('file:out', 'shop')
c.info('one')
assert c.flush(60)
close, forked = os.close, []
def close_and_fork(fd):
    close(fd)
    os.close = close
    forked.append(os.fork())
    if not forked[0]:
        c.info('child')
        counts = c.close(60)
        os._exit(0 if counts.sent == counts.taken == 1 else 3)
os.close = close_and_fork
os.rename('out', 'old')
c.info('two')
assert c.flush(60)
assert os.waitpid(forked[0], 0)[1] == 0
""")
        self.assertEqual([one["payload"] for one in self.filed("old")], ["one"])
        self.assertEqual({one["payload"] for one in self.filed()}, {"two", "child"})

    def test_workers_of_multiprocessing_lose_nothing_whichever_way_they_start(self):
        with open(self.path("work.py"), "w") as file:
            file.write("""
import multiprocessing, sys
sys.path.insert(0, %r)
import metlog
client = metlog.MetlogClient('file:out', close=60)
def work(n):
    client.info('work %%d', n)
if __name__ == '__main__':
    client.info('main')
    for method in sys.argv[1:]:
        context = multiprocessing.get_context(method)
        one = context.Process(target=work, args=(1,)); one.start(); one.join()
        with context.Pool(2) as pool:
            pool.map(work, range(10)); pool.close(); pool.join()
""" % __import__("fixture").ROOT)
        self.run_python("import runpy, sys; sys.argv = ['work.py', 'fork', 'spawn', 'forkserver']; sys.path.insert(0, '.'); "
                        "runpy.run_path('work.py', run_name='__main__')")
        payloads = collections.Counter(one["payload"] for one in self.filed())
        self.assertEqual((payloads["main"], payloads["work 1"], payloads["work 9"], sum(payloads.values())), (1, 6, 3, 34))

    def test_workers_that_load_the_client_themselves_lose_nothing_either(self):
        with open(self.path("late.py"), "w") as file:
            file.write("""
import multiprocessing, sys
sys.path.insert(0, %r)
def work(method):
    import metlog
    metlog.MetlogClient('file:out', close=60).info(method)
if __name__ == '__main__':
    for method in ('fork', 'spawn', 'forkserver'):
        one = multiprocessing.get_context(method).Process(target=work, args=(method,)); one.start(); one.join()
""" % __import__("fixture").ROOT)
        self.run_python("import runpy, sys; sys.path.insert(0, '.'); runpy.run_path('late.py', run_name='__main__')")
        self.assertEqual([one["payload"] for one in self.filed()], ["fork", "spawn", "forkserver"])

    def test_a_child_samples_differently_than_its_parent(self):
        out = self.run_python("""
import metlog, os, sys
c = metlog.MetlogClient(metlog.senders.DebugCaptureSender())
def taken():
    chosen = []
    for _ in range(64):
        before = c.counts().taken; c.incr('n', rate=0.5); chosen.append(c.counts().taken > before)
    return ''.join('01'[one] for one in chosen)
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        print(taken()); sys.exit(0)
    os.waitpid(pid, 0)
print(taken())
""")
        self.assertEqual(len(set(out.split())), 3)

    @unittest.skipUnless(HAS_ZMQ, "pyzmq is not installed")
    def test_a_child_makes_a_zeromq_connection_of_its_own(self):
        out = self.run_python("""
import json, metlog, os, sys, warnings, zmq
warnings.filterwarnings('ignore', '.*zmq.PULL.*')   # the test's own, in the child
context = zmq.Context()
pull = context.socket(zmq.PULL)
port = pull.bind_to_random_port('tcp://127.0.0.1')
if True:
    c = metlog.MetlogClient(f'push:tcp://127.0.0.1:{port}')
    c.info('parent 1')
    assert c.flush(30)
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            c.info('child')
            counts = c.close(30)
            assert counts.sent == 1, counts
            del c
            os._exit(0) if len(children) == 1 else sys.exit(0)
        children.append(pid)
    for pid in children: assert os.waitpid(pid, 0)[1] == 0
    c.info('parent 2')
    assert c.close(30).sent == 2
lines = []
while len(lines) < 5:
    lines += pull.recv().decode().split('\\n')
assert not pull.poll(100)
print(json.dumps([[one['metlog_pid'] == os.getpid(), one['payload']] for one in map(json.loads, lines)]))
pull.close(0); context.term()
""")
        self.assertEqual(sorted(map(tuple, __import__("json").loads(out))), [(False, "child")] * 3 + [(True, "parent 1"), (True, "parent 2")])


if __name__ == "__main__":
    unittest.main()
