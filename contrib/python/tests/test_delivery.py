"""test_delivery - what becomes of messages: full buffers, far sides that are away, threads, signals, exits."""
# SPDX-License-Identifier: MPL-2.0
import _thread
import asyncio
import gc
import json
import linecache
import os
import signal
import socket
import sys
import threading
import time
import unittest

from fixture import PATIENCE_S, Case, Listener, await_, metlog


def native_threads():
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else None


class FullTest(Case):
    def test_what_finds_no_room_is_dropped_counted_and_told_when_there_is_room_again(self):
        far = Listener()
        self.addCleanup(far.close)
        client = metlog.MetlogClient(far.endpoint, "shop", buffer="64Ki")
        for number in range(20000):
            client.metlog("t", payload="x" * 500, fields={"n": number})
        counts = client.counts()
        self.assertGreater(counts.dropped, 1000)
        self.assertEqual(counts.taken + counts.dropped, 20000)
        far.read()
        self.assertTrue(client.flush(PATIENCE_S))
        for _ in range(3):
            client.incr("again")
        last = client.close(PATIENCE_S)
        self.assertEqual((last.unsent, last.sent), (0, last.taken))

        def told():
            return [one for one in list(far.lines) if one["fields"].get("name") == "metlog.client.dropped"]
        await_(lambda: len(far.lines) - len(told()) >= last.sent and sum(int(one["payload"]) for one in told()) >= last.dropped)
        reports = told()
        self.assertEqual(sum(int(one["payload"]) for one in reports), last.dropped)
        self.assertEqual((reports[0]["type"], reports[0]["logger"], reports[0]["fields"]["rate"]), ("counter", "shop", 1))
        self.assertEqual(len(far.lines) - len(reports), last.sent)
        numbers = [one["fields"]["n"] for one in far.lines if "n" in one["fields"]]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_a_close_amid_a_hand_over_is_not_undone(self):
        client = metlog.MetlogClient("file:" + self.path("out"), "shop")
        courier = client._courier
        give_back = courier._give_back

        def slow(taken):
            client.close(0)
            return give_back(taken)
        courier._give_back = slow
        client.incr("n")
        await_(lambda: courier._ended)
        client.incr("late")
        self.assertEqual((client.counts().taken, client.counts().refused), (1, 1))

    def test_with_block_a_call_waits_and_nothing_is_dropped(self):
        far = Listener()
        self.addCleanup(far.close)
        client = metlog.MetlogClient(far.endpoint, buffer="64Ki", when_full="block")
        threading.Timer(0.3, far.read).start()
        for _ in range(20000):
            client.metlog("t", payload="x" * 100)
        counts = client.close(PATIENCE_S)
        self.assertEqual((counts.taken, counts.dropped, counts.sent), (20000, 0, 20000))
        await_(lambda: len(far.lines) == 20000)

    def test_with_block_an_event_loop_is_not_held_up(self):
        client = metlog.MetlogClient("tcp:127.0.0.1:1", buffer=4096, when_full="block")

        async def main():
            for _ in range(100):
                client.metlog("t", payload="x" * 500)
        asyncio.run(main())
        self.assertGreater(client.close(0).dropped, 80)

    def test_a_call_that_waits_ends_with_the_client(self):
        client = metlog.MetlogClient("tcp:127.0.0.1:1", buffer=4096, when_full="block")
        thread = threading.Thread(target=lambda: [client.metlog("t", payload="x" * 500) for _ in range(100)])
        thread.start()
        await_(lambda: client.counts().taken >= 5)
        client.close(0)
        thread.join(PATIENCE_S)
        self.assertFalse(thread.is_alive())

    def test_a_line_longer_than_the_longest_is_refused(self):
        client = metlog.MetlogClient("file:" + self.path("out"), line=2000)
        client.metlog("t", payload="x" * 2000)
        client.metlog("t", payload="é" * 1000)
        client.metlog("t", payload="é" * 800)
        counts = client.close()
        self.assertEqual((counts.refused, counts.sent), (2, 1))
        self.assertIn("longer than 2000", client.reason)

    def test_a_datagram_has_its_own_longest_line(self):
        client = metlog.MetlogClient("udp:127.0.0.1:9")
        client.metlog("t", payload="x" * 66000)
        self.assertEqual(client.close(0).refused, 1)


class AwayTest(Case):
    def test_a_close_with_a_dead_far_side_ends_in_time_and_says_how_much_is_lost(self):
        for endpoint in ("tcp:127.0.0.1:1", "unix:" + self.path("none"), "file:" + self.path("no/folder")):
            client = metlog.MetlogClient(endpoint)
            for _ in range(50):
                client.incr("n")
            self.assertFalse(client.flush(0.05))
            began = time.monotonic()
            counts = client.close(0.2)
            self.assertLess(time.monotonic() - began, 0.2 + PATIENCE_S / 10)
            self.assertEqual((counts.taken, counts.sent, counts.unsent), (50, 0, 50), endpoint)
            self.assertNotEqual(client.reason, "")

    def test_what_is_taken_while_the_far_side_is_away_arrives_when_it_is_back(self):
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        client = metlog.MetlogClient(f"tcp:127.0.0.1:{probe.getsockname()[1]}")
        client.incr("before")
        await_(lambda: client.reason != "")
        probe.listen()
        connection, _ = probe.accept()
        self.assertIn("before", connection.recv(4096).decode())
        await_(lambda: client.reason == "")
        connection.close()
        probe.close()
        self.assertEqual(client.close(PATIENCE_S).sent, 1)

    def test_the_reason_is_told_to_whoever_asks_for_it_and_its_faults_are_its_own(self):
        told = []

        def tell(reason):
            told.append(reason)
            raise RuntimeError("of the application")
        client = metlog.MetlogClient("unix:" + self.path("none"), on_error=tell)
        client.incr("n")
        await_(lambda: told)
        client.close(0)
        self.assertIn("No such file", told[0])

    def test_what_is_told_may_call_the_client_and_be_refused_again(self):
        told = []

        def tell(reason):
            told.append(reason)
            client.metlog("t", timestamp="x" * len(told))
            client.metlog("t", severity=100 + len(told))
        client = metlog.MetlogClient("file:" + self.path("out"), on_error=tell)
        client.metlog("t", severity=99)
        self.assertEqual((len(told), client.counts().refused), (1, 3))

    def test_a_connection_that_breaks_is_made_again(self):
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen()
        client = metlog.MetlogClient(f"tcp:127.0.0.1:{server.getsockname()[1]}")
        for round_ in range(3):
            client.incr(f"round{round_}")
            connection, _ = server.accept()
            self.assertIn(f"round{round_}", connection.recv(4096).decode())
            await_(lambda: client.counts().sent == round_ + 1)
            connection.close()
        client.close(PATIENCE_S)
        server.close()

    def test_a_block_that_a_connection_takes_with_it_is_neither_lost_in_silence_nor_sent_in_halves(self):
        for family, address in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, self.path("socket"))):
            server = socket.socket(family)
            server.bind(address)
            server.listen()
            name = f"tcp:127.0.0.1:{server.getsockname()[1]}" if family == socket.AF_INET else "unix:" + address
            client = metlog.MetlogClient(name, buffer="64Mi", line="16Mi")
            for number in range(3):     # each longer than what kernels hold of a connection
                client.metlog("t", payload="x" * 12000000, fields={"n": number})
            first, _ = server.accept()
            first.recv(100000)
            first.close()
            second, _ = server.accept()
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(second.makefile("rb")))
            reader.start()
            counts = client.close(PATIENCE_S)
            reader.join(PATIENCE_S)
            second.close()
            server.close()
            numbers = [json.loads(line)["fields"]["n"] for line in lines]
            self.assertEqual((numbers, counts.taken, counts.sent), ([0, 1, 2], 3, 3))

    def test_a_full_disk_is_waited_for(self):
        client = metlog.MetlogClient("file:/dev/full")
        client.incr("n")
        await_(lambda: "No space" in client.reason)
        self.assertEqual(client.close(0).unsent, 1)

    def test_udp_to_nobody_holds_back_and_tells(self):
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
        probe.close()
        told = []
        client = metlog.MetlogClient(f"udp:127.0.0.1:{address[1]}", on_error=told.append)
        while not told:
            client.incr("n")
            client.flush(PATIENCE_S)
        self.assertIn("refused", told[0])
        self.assertGreater(client.close(0).unsent, 0)


class FileTest(Case):
    def test_a_file_that_was_renamed_is_left_to_its_new_name(self):
        from metlog import _plain
        self.addCleanup(setattr, _plain, "LOOK_AGAIN_S", _plain.LOOK_AGAIN_S)
        _plain.LOOK_AGAIN_S = 0.0
        client = metlog.MetlogClient("file:" + self.path("out"))
        client.incr("before")
        self.assertTrue(client.flush(PATIENCE_S))
        os.rename(self.path("out"), self.path("old"))
        open(self.path("out"), "w").close()
        client.incr("after")
        client.close(PATIENCE_S)
        self.assertEqual([[one["fields"]["name"] for one in self.filed(name)] for name in ("old", "out")], [["before"], ["after"]])

    def test_a_line_that_another_left_without_its_end_does_not_take_ours(self):
        with open(self.path("out"), "w") as file:
            file.write('{"type":"tor')
        client = metlog.MetlogClient("file:" + self.path("out"))
        client.incr("n")
        client.close(PATIENCE_S)
        with open(self.path("out")) as file:
            lines = file.read().split("\n")
        self.assertEqual((lines[0], lines[2]), ('{"type":"tor', ""))
        json.loads(lines[1])

    def test_a_pipe_whose_reader_sleeps_holds_nobody_up(self):
        os.mkfifo(self.path("pipe"))
        reader = os.open(self.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        client = metlog.MetlogClient("file:" + self.path("pipe"), buffer="1Mi")
        for _ in range(2000):
            client.metlog("t", payload="x" * 300)
        counts = client.close(0.2)
        self.assertEqual(counts.sent + counts.unsent, 2000)
        self.assertGreater(counts.unsent, 0)
        os.set_blocking(reader, False)
        got = b""
        while True:
            try:
                part = os.read(reader, 1 << 20)
            except BlockingIOError:
                break
            if not part:
                break
            got += part
        self.assertEqual(got.count(b"\n"), counts.sent)


class ThreadTest(Case):
    def test_the_books_balance_over_many_threads(self):
        client = metlog.MetlogClient("file:" + self.path("out"), buffer="256Ki", filters=[metlog.filters.type_deny("no")])

        def work():
            for number in range(3000):
                client.incr("n", number)
                client.metlog("t", payload="é" * 30)
                client.metlog("no")
                client.metlog("t", severity=9)
                client.incr("out", rate=0)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        counts = client.close(PATIENCE_S)
        self.assertEqual(counts.taken + counts.dropped, 24000)
        self.assertEqual((counts.left_out, counts.refused, counts.unsent), (24000, 12000, 0))
        lines = self.filed()
        reports = [int(one["payload"]) for one in lines if one["fields"].get("name") == "metlog.client.dropped"]
        self.assertEqual(len(lines) - len(reports), counts.sent)
        self.assertEqual(sum(reports), counts.dropped)

    def test_a_signal_handler_may_log_amid_a_call(self):
        client = metlog.MetlogClient("file:" + self.path("out"), buffer="64Mi")
        heard = []

        def handler(number, frame):
            heard.append(number)
            client.info("signal %d", number)
            client.incr("signals")
        old = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for number in range(20000):
                client.incr("n", fields={"i": number} if number % 2 else None)
            await_(lambda: len(heard) > 10)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        counts = client.close(PATIENCE_S)
        self.assertEqual(counts.sent, 20000 + 2 * len(heard))

    def test_a_finalizer_may_log_amid_a_call(self):
        client = metlog.MetlogClient("file:" + self.path("out"))

        class Loud:
            def __init__(self):
                self.me = self

            def __del__(self):
                client.info("gone")
        for _ in range(2000):
            client.incr("n", fields={"x": Loud()})
        gc.collect()
        self.assertEqual(client.close(PATIENCE_S).sent, 4000)

    def test_our_thread_takes_no_signal(self):
        client = metlog.MetlogClient("file:" + self.path("out"))
        before = set(os.listdir("/proc/self/task"))
        client.incr("n")
        self.assertTrue(client.flush(PATIENCE_S))
        thread, = set(os.listdir("/proc/self/task")) - before
        with open(f"/proc/self/task/{thread}/status") as file:
            blocked = int(next(line for line in file if line.startswith("SigBlk")).split()[1], 16)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1):
            self.assertTrue(blocked >> (number - 1) & 1, number)
        client.close()

    def test_a_client_that_nobody_has_any_more_hands_over_and_ends_its_thread(self):
        before = native_threads()
        client = metlog.MetlogClient("file:" + self.path("out"))
        client.incr("n")
        del client
        gc.collect()
        await_(lambda: os.path.exists(self.path("out")) and len(self.filed()) == 1)
        await_(lambda: native_threads() == before)

    def test_a_client_that_has_nothing_to_do_has_no_thread(self):
        before = native_threads()
        client = metlog.MetlogClient("tcp:127.0.0.1:1")
        self.assertEqual(native_threads(), before)
        self.assertEqual(client.close().taken, 0)

    def test_a_call_amid_which_the_client_is_closed_does_not_open_it_again(self):
        client = metlog.MetlogClient("file:" + self.path("out"))
        closed = []

        def trace(frame, event, argument):
            if frame.f_code.co_name == "post" and "self._room = room" in linecache.getline(frame.f_code.co_filename, frame.f_lineno) and not closed:
                closed.append(client.close(PATIENCE_S))
            return trace
        sys.settrace(trace)
        try:
            client.incr("n")
        finally:
            sys.settrace(None)
        self.assertEqual(len(closed), 1)
        client.incr("late")
        self.assertEqual((client.counts().taken, client.counts().refused), (1, 1))

    def test_a_close_beside_the_first_call_waits_for_the_thread_that_this_starts(self):
        client = metlog.MetlogClient("file:" + self.path("out"))
        courier, begun, go, works = client._courier, threading.Event(), threading.Event(), []
        work, old = courier._work, metlog._live.close_in_child

        def slow():
            begun.set()
            go.wait(PATIENCE_S)

        def counted():
            works.append(threading.get_ident())
            work()
        courier._work, metlog._live.close_in_child = counted, slow
        self.addCleanup(setattr, metlog._live, "close_in_child", old)
        thread = threading.Thread(target=client.incr, args=("n",))
        thread.start()
        begun.wait(PATIENCE_S)
        threading.Timer(0.3, go.set).start()
        counts = client.close(PATIENCE_S)
        thread.join(PATIENCE_S)
        await_(lambda: not courier._runs)
        self.assertEqual((counts.sent, len(works)), (1, 1))

    def test_where_no_thread_can_be_started_nobody_waits_for_room(self):
        client = metlog.MetlogClient("file:" + self.path("out"), buffer=4096, when_full="block")

        def none(*arguments):
            raise RuntimeError("can't start new thread")
        old, _thread.start_new_thread = _thread.start_new_thread, none
        self.addCleanup(setattr, _thread, "start_new_thread", old)
        caller = threading.Thread(target=lambda: [client.metlog("t", payload="x" * 500) for _ in range(100)], daemon=True)
        caller.start()
        caller.join(PATIENCE_S)
        self.assertFalse(caller.is_alive())
        taken = client.counts().taken
        counts = client.close(PATIENCE_S)   # which hands over itself what was taken
        self.assertEqual((counts.sent, counts.dropped), (taken, 100 - taken))

    def test_a_line_for_which_there_is_no_memory_now_goes_later_and_is_counted_once(self):
        client = metlog.MetlogClient("file:" + self.path("out"))
        failures = [1, 2]

        class Unlucky(str):
            def encode(self, *arguments):
                if failures:
                    failures.pop()
                    raise MemoryError
                return str.encode(self, *arguments)
        client._courier.post('{"n":1}')
        client._courier.post(Unlucky('{"n":2}'))
        client._courier.post('{"n":3}')
        self.assertTrue(client.flush(PATIENCE_S))
        self.assertEqual(client.counts().sent, 3)
        client.close(PATIENCE_S)
        self.assertEqual([one["n"] for one in self.filed()], [1, 2, 3])

    def test_of_clients_that_nobody_has_any_more_nothing_is_kept(self):
        for _ in range(20):
            metlog.MetlogClient("file:" + self.path("out")).incr("n")
            metlog.MetlogClient("file:" + self.path("unused"))
            metlog.MetlogClient(metlog.senders.NoSendSender()).incr("n")
            gc.collect()
        await_(lambda: len(self.filed()) == 20)

        def are_gone():
            metlog.MetlogClient("file:" + self.path("out")).close()
            return len(metlog._live._couriers) < 5
        await_(are_gone)

    def test_a_closed_client_refuses(self):
        with metlog.MetlogClient("file:" + self.path("out")) as client:
            client.incr("n")
        client.incr("late")
        client.info("late")
        self.assertEqual((client.counts().refused, client.counts().sent, client.reason), (2, 1, "the client is closed"))
        self.assertEqual(client.close(), client.counts())


class ExitTest(Case):
    def test_at_exit_everything_is_handed_over_in_silence(self):
        out = self.run_python("import metlog; c = metlog.MetlogClient('-'); [c.incr('n') for _ in range(3000)]")
        self.assertEqual(out.count("\n"), 3000)

    def test_an_exit_does_not_wait_longer_than_close(self):
        began = time.monotonic()
        self.run_python("import metlog\nfor n in range(3): metlog.MetlogClient('tcp:127.0.0.1:1', close=0.5).incr('n')\n"
                        "keep = [metlog.MetlogClient('unix:none', close=0.5) for _ in range(3)]\nfor c in keep: c.incr('n')")
        self.assertLess(time.monotonic() - began, PATIENCE_S / 2)

    def test_what_is_logged_while_the_interpreter_ends_does_no_harm(self):
        self.run_python("""
import atexit, metlog, threading
c = metlog.MetlogClient('file:out')
class Last:
    def __del__(self): c.info('last'); c.flush(0.1)
last = Last(); last.me = last
atexit.register(lambda: c.info('atexit'))
threading.Thread(target=lambda: [c.incr('n') for _ in range(2000)]).start()
c.info('first')
""")
        self.assertGreaterEqual(len(self.filed()), 2002)

    def test_the_first_message_may_come_at_exit(self):
        self.run_python("import atexit, metlog\nc = metlog.MetlogClient('file:out')\natexit.register(lambda: c.info('bye'))")
        self.assertEqual([one["payload"] for one in self.filed()], ["bye"])

    def test_a_broken_pipe_neither_ends_nor_troubles_the_application(self):
        self.run_python("""
import os, signal, metlog
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
r, w = os.pipe(); os.close(r)
c = metlog.MetlogClient(f'file:/proc/self/fd/{w}')
c.incr('n')
c.flush(0.3)
os.close(w)
counts = c.close(0)
assert counts.unsent == 1, counts
print('alive')
""")


if __name__ == "__main__":
    unittest.main()
