"""test_messages - what the calls of a client make: logs, metrics, timers, exceptions, security events, filters."""
# SPDX-License-Identifier: MPL-2.0
import asyncio
import datetime
import threading
import time
import unittest

from fixture import Case, metlog
from metlog.timer import milliseconds_text


class LogTest(Case):
    def test_each_level_has_its_severity(self):
        names = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
        for name in names:
            getattr(self.client, name)("it is so")
        self.assertEqual([one["severity"] for one in self.sent()], list(range(8)))
        self.client.warn("w")
        self.client.exception("e")
        self.assertEqual([one["severity"] for one in self.sent()], [4, 1])

    def test_arguments_are_formatted_as_by_logging(self):
        self.client.info("%s has %d", "ada", 3)
        self.client.info("%(who)s", {"who": "ada"})
        self.client.info("100%")
        self.client.info("%s", {"a": 1})
        self.assertEqual([one["payload"] for one in self.sent()], ["ada has 3", "ada", "100%", "{'a': 1}"])

    def test_what_cannot_be_formatted_goes_out_as_text_and_arguments(self):
        self.client.info("%s %s", "x")
        self.client.info("%d", "x")
        self.client.info("none", 1)
        self.assertEqual([one["payload"] for one in self.sent()], ["%s %s ('x',)", "%d ('x',)", "none (1,)"])

    def test_exc_info_puts_the_traceback_behind_the_text(self):
        try:
            raise KeyError("clé")
        except KeyError as error:
            self.client.exception("it broke")
            self.client.error("it broke", exc_info=True)
            self.client.error("it broke", exc_info=error)
            self.client.error("it broke", exc_info=(KeyError, error, error.__traceback__))
        self.client.error("it broke", exc_info=True)
        *all_, last = self.sent()
        self.assertEqual([one["payload"].split("\n")[0::99] for one in all_], [["it broke"]] * 4)
        for one in all_:
            self.assertTrue(one["payload"].startswith("it broke\nTraceback (most recent call last):\n"))
            self.assertTrue(one["payload"].endswith("KeyError: 'clé'"))
        self.assertEqual(last["payload"], "it broke")

    def test_what_a_filter_leaves_out_is_not_formatted(self):
        formatted = []

        class Dear:
            def __str__(self):
                formatted.append(self)
                return ""
        client = metlog.MetlogClient(self.sender, filters=[metlog.filters.severity_max(5)])
        client.info("%s", Dear())
        self.assertEqual((formatted, self.sent(), client.counts().left_out), ([], [], 1))

    def test_a_log_message_may_have_fields_and_a_logger(self):
        self.client.info("x", fields={"a": 1}, logger="other", tags={"h": "w"})
        one = self.only()
        self.assertEqual((one["type"], one["logger"], one["fields"]), ("oldstyle", "other", {"a": 1, "tags": {"h": "w"}}))


class MessageTest(Case):
    def test_the_callers_dicts_are_not_touched(self):
        fields, tags = {"name": "x", "rate": 2, "tags": "t", "a": [1]}, {"b": 1}
        for call in (lambda: self.client.incr("n", fields=fields, tags=tags), lambda: self.client.timer_send("n", 1, fields=fields, tags=tags),
                     lambda: self.client.metlog("t", fields=fields, tags=tags), lambda: self.client.send_message({"type": "t", "fields": fields})):
            call()
        self.assertEqual((fields, tags), ({"name": "x", "rate": 2, "tags": "t", "a": [1]}, {"b": 1}))

    def test_a_time_may_be_given_in_several_ways(self):
        zone = datetime.timezone(datetime.timedelta(hours=2))
        for given, sent in ((datetime.datetime(2012, 10, 5, 12, 0, 1), "2012-10-05T12:00:01.000000Z"), (datetime.datetime(2012, 10, 5, 12, 0, 1, 5, zone), "2012-10-05T10:00:01.000005Z"),
                            (1349438401.5, "2012-10-05T12:00:01.500000Z"), (0, "1970-01-01T00:00:00.000000Z"), ("2012-10-05T12:00:01", "2012-10-05T12:00:01")):
            self.client.metlog("t", timestamp=given)
            self.assertEqual(self.only()["timestamp"], sent)

    def test_the_clock_is_followed_over_seconds(self):
        for _ in range(3):
            before = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
            self.client.incr("n")
            stamp = datetime.datetime.strptime(self.only()["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
            self.assertLessEqual(before, stamp)
            self.assertLessEqual(stamp, datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None))
            time.sleep(0.4)

    def test_a_call_that_can_be_no_envelope_raises_nothing_and_is_counted(self):
        calls = [lambda: self.client.metlog(None), lambda: self.client.metlog("t", severity=8), lambda: self.client.metlog("t", severity="high"),
                 lambda: self.client.metlog("t", severity=True), lambda: self.client.metlog("t", fields=3), lambda: self.client.metlog("t", fields={"a": 1}, tags=3),
                 lambda: self.client.metlog("t", timestamp="now"), lambda: self.client.metlog("t", timestamp=object()), lambda: self.client.incr("n", "many"),
                 lambda: self.client.incr("n", float("nan")), lambda: self.client.incr("n", rate="x"), lambda: self.client.gauge("n", float("inf")),
                 lambda: self.client.gauge("n", None), lambda: self.client.timer_send("n", "long"), lambda: self.client.timer_send("n", 1, rate=float("nan")),
                 lambda: self.client.timer("n", rate="x").__enter__(), lambda: self.client.metlog("t", payload="x" * 2000000), lambda: self.client.send_message({"fields": 3})]
        for number, call in enumerate(calls):
            call()
            self.assertEqual(self.client.counts().refused, number + 1, number)
            self.assertNotEqual(self.client.reason, "")
        self.assertEqual(self.sent(), [])

    def test_what_is_meant_for_a_metric_is_made_fit_for_one(self):
        self.client.incr("n", 2.5)
        self.client.incr("n", True)
        self.client.incr(7)
        self.client.gauge("n", 3)
        self.client.set("n", 42)
        self.client.unique("n", None)
        self.client.timer_send("n", 0.1 + 0.2)
        sent = self.sent()
        self.assertEqual([one["payload"] for one in sent], ["2.5", "1", "1", "3", "42", "None", "0.30000000000000004"])
        self.assertEqual(sent[2]["fields"]["name"], "7")

    def test_a_rate_is_a_share_of_the_calls(self):
        for _ in range(10000):
            self.client.incr("n", rate=0.3)
        counts = self.client.counts()
        self.assertEqual(counts.taken + counts.left_out, 10000)
        self.assertTrue(2600 < counts.taken < 3400, counts)
        self.assertEqual({str(one["fields"]["rate"]) for one in self.sent()}, {"0.3"})

    def test_sampling_leaves_the_applications_random_numbers_alone(self):
        import random
        random.seed(1)
        expected = [random.random() for _ in range(3)]
        random.seed(1)
        for _ in range(100):
            self.client.incr("n", rate=0.5)
        self.assertEqual([random.random() for _ in range(3)], expected)

    def test_many_names_do_not_fill_the_memory(self):
        for number in range(10000):
            self.client.incr(f"n{number}")
        self.assertLess(len(self.client._tails), 3000)
        self.assertEqual(self.sent()[-1]["fields"]["name"], "n9999")

    def test_a_method_can_be_added_and_replaces_none_by_mistake(self):
        def shout(client, text):
            client.info(text.upper())
        self.client.add_method(shout)
        self.client.shout("hey")
        self.assertEqual(self.only()["payload"], "HEY")
        shout.metlog_name = "info"
        with self.assertRaises(ValueError):
            self.client.add_method(shout)


class TimerTest(Case):
    options = {"disabled_timers": ["off"]}

    def test_a_block_is_timed_and_its_exception_goes_on(self):
        with self.client.timer("t", fields={"a": 1}) as timer:
            time.sleep(0.002)
        one = self.only()
        self.assertGreaterEqual(float(one["payload"]), 2)
        self.assertEqual(one["fields"], {"name": "t", "rate": 1, "a": 1})
        self.assertAlmostEqual(float(one["payload"]), timer.result, 2)
        with self.assertRaises(KeyError), self.client.timer("t"):
            raise KeyError
        self.only()

    def test_each_run_of_a_decorated_function_is_sampled_by_itself(self):
        @self.client.timer("t", rate=0.5)
        def double(x):
            """Doubles."""
            return 2 * x
        self.assertEqual([double(x) for x in range(500)], [2 * x for x in range(500)])
        self.assertEqual(double.__doc__, "Doubles.")
        counts = self.client.counts()
        self.assertEqual(counts.taken + counts.left_out, 500)
        self.assertTrue(150 < counts.taken < 350, counts)

    def test_a_disabled_timer_measures_nothing(self):
        with self.client.timer("off") as timer:
            pass
        self.client.timer("off")(lambda: None)()
        self.assertIsNone(timer.result)
        self.assertEqual((self.sent(), self.client.counts().left_out), ([], 2))

    def test_one_timer_may_run_nested_and_in_several_threads(self):
        timer = self.client.timer("t")

        def work(seconds):
            with timer:
                time.sleep(seconds)
        with timer:
            threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (0.1, 0.001)]
            for one in threads:
                one.start()
            with timer:
                pass
            for one in threads:
                one.join()
        took = sorted(float(one["payload"]) for one in self.sent())
        self.assertEqual(len(took), 4)
        self.assertGreaterEqual(took[3], took[2])
        self.assertGreaterEqual(took[2], 100)
        self.assertGreaterEqual(took[1], 1)

    def test_one_timer_may_run_in_several_tasks(self):
        timer = self.client.timer("t")

        @timer
        async def decorated(seconds):
            await asyncio.sleep(seconds)

        async def work(seconds):
            with timer:
                await asyncio.sleep(seconds)

        async def main():
            second = asyncio.Event()

            async def first_in_first_out():
                with timer:
                    await asyncio.sleep(0.2)
                    second.set()
                    await asyncio.sleep(0)
                    await asyncio.sleep(0.01)

            async def last_in_last_out():
                await second.wait()
                with timer:
                    await asyncio.sleep(0.1)
            await asyncio.gather(first_in_first_out(), last_in_last_out(), decorated(0.15))
            async with timer:
                await work(0.001)
        asyncio.run(main())
        sent = [float(one["payload"]) for one in self.sent()]
        self.assertEqual(len(sent), 5)
        self.assertGreaterEqual(sent[1], 200)    # of the one that began first, and not of the one that began last
        self.assertGreaterEqual(sent[0], 150)

    def test_milliseconds_have_at_most_three_decimals(self):
        for elapsed, text in ((0, "0"), (999, "0"), (1000, "0.001"), (412345, "0.412"), (35000000, "35"), (1500000, "1.5"), (10 ** 12, "1000000")):
            self.assertEqual(milliseconds_text(elapsed), text)


class DecoratorTest(Case):
    def setUp(self):
        super().setUp()
        from metlog.decorators import incr_count, timeit
        self.timeit, self.incr_count = timeit, incr_count
        self.holder = metlog.CLIENT_HOLDER
        self.holder.set_client("shop", self.client)
        self.addCleanup(self.holder.delete_client, "shop")
        self.addCleanup(self.holder.global_config.clear)

    def test_a_function_is_timed_and_counted_under_its_name(self):
        class Basket:
            @self.timeit
            @self.incr_count
            def fill(self, what):
                return what
        self.assertEqual(Basket().fill(3), 3)
        counter, timer = self.sent()
        name = f"{__name__}.DecoratorTest.test_a_function_is_timed_and_counted_under_its_name.<locals>.Basket.fill"
        self.assertEqual((counter["type"], timer["type"]), ("counter", "timer"))
        self.assertEqual((counter["fields"]["name"], timer["fields"]["name"]), (name, name))

    def test_a_name_and_options_may_be_given(self):
        @self.timeit("slow", fields={"a": 1})
        @self.incr_count("calls", count=2, client_name="shop")
        async def work():
            raise KeyError
        with self.assertRaises(KeyError):
            asyncio.run(work())
        counter, timer = self.sent()
        self.assertEqual((counter["payload"], counter["fields"]["name"]), ("2", "calls"))
        self.assertEqual((timer["fields"]["name"], timer["fields"]["a"]), ("slow", 1))

    def test_decorators_can_be_disabled(self):
        self.holder.global_config["disabled_decorators"] = ["timeit"]
        self.assertEqual(self.timeit(lambda: 5)(), 5)
        self.assertEqual(self.sent(), [])

    def test_the_client_is_looked_for_when_the_function_is_called(self):
        self.holder.delete_client("shop")
        work = self.incr_count("w")(lambda: 1)
        self.assertEqual(work(), 1)
        self.holder.set_client("shop", self.client)
        work()
        self.only()


def divide(x):
    secret = "hunter2"
    return len(secret) / x


class EventTest(Case):
    def test_an_exception_has_its_causes_first_and_the_innermost_frame_last(self):
        try:
            try:
                divide(0)
            except ZeroDivisionError as cause:
                raise KeyError("k") from cause
        except KeyError:
            self.assertTrue(self.client.capture_exception(fields={"user": 1}, tags={"a": "b"}))
        one = self.only()
        self.assertEqual((one["type"], one["severity"], one["payload"]), ("sentry", 3, "KeyError: 'k'"))
        self.assertEqual(list(one["fields"]), ["exception", "platform", "user", "tags"])
        values = one["fields"]["exception"]["values"]
        self.assertEqual([value["type"] for value in values], ["ZeroDivisionError", "KeyError"])
        last = values[0]["stacktrace"]["frames"][-1]
        self.assertEqual((last["function"], last["module"], set(last)), ("divide", __name__, {"filename", "function", "module", "lineno"}))
        self.assertNotIn("hunter2", str(one))

    def test_local_variables_are_told_only_when_asked_for(self):
        self.client.capture_locals = True
        try:
            divide(0)
        except ZeroDivisionError as error:
            self.client.capture_exception(error)
        self.assertEqual(self.only()["fields"]["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"], {"x": "0", "secret": "'hunter2'"})

    def test_an_exception_group_has_what_it_holds_before_it(self):
        class Group(Exception):   # as Python has it from 3.11 on
            def __init__(self, text, exceptions):
                super().__init__(text)
                self.exceptions = exceptions

        first = ValueError("first")
        first.__cause__ = OSError("why")
        self.client.capture_exception(Group("outer", (first, Group("inner", (TypeError("second"), "not one")))))
        values = self.only()["fields"]["exception"]["values"]
        self.assertEqual([one["value"] for one in values], ["second", "why", "inner", "first", "outer"])

    def test_an_exception_is_bounded(self):
        def deep(n):
            if n == 0:
                raise ValueError("x" * 100000)
            deep(n - 1)
        try:
            deep(500)
        except ValueError:
            self.client.capture_exception()
        one = self.only()
        value = one["fields"]["exception"]["values"][0]
        self.assertEqual(len(value["stacktrace"]["frames"]), 100)
        self.assertLess(len(value["value"]), 10000)
        self.assertLess(len(one["payload"]), 10000)

    def test_an_exception_that_is_its_own_cause_ends(self):
        error, other = ValueError("a"), ValueError("b")
        error.__cause__, other.__cause__ = other, error
        self.client.capture_exception(error)
        self.assertEqual(len(self.only()["fields"]["exception"]["values"]), 2)

    def test_without_an_exception_nothing_is_sent(self):
        self.assertFalse(self.client.capture_exception())
        self.assertFalse(self.client.raven("msg"))
        self.assertEqual(self.sent(), [])
        self.assertTrue(self.client.raven("msg", payload="p"))
        self.assertEqual(self.only()["fields"], {"platform": "python", "msg": "msg"})

    def test_cef_keeps_the_originals_arguments(self):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_USER_AGENT": "UA|=", "HTTP_HOST": "h", "REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 7.7.7.7"}
        config = {"cef.vendor": "mozilla", "cef.product": "weave", "cef.device_version": "3", "cef.version": "0"}
        self.client.cef("AuthFail", 5, environ, config, username="ada", signature="AF", cs2="x", name2=3)
        one = self.only()
        self.assertEqual((one["type"], one["severity"], one["payload"]), ("cef", 6, ""))
        self.assertEqual(list(one["fields"].items()), [("signature", "AF"), ("name", "AuthFail"), ("severity", 5), ("vendor", "mozilla"), ("product", "weave"), ("version", "3"),
                                                       ("suser", "ada"), ("requestMethod", "GET"), ("request", "/"), ("src", "10.0.0.1"), ("dhost", "h"),
                                                       ("requestClientApplication", "UA|="), ("cs2", "x"), ("name2", 3)])
        self.client.cef("AuthFail", 5, environ, {"cef.trust_forwarded_for": True})
        one = self.only()["fields"]
        self.assertEqual((one["signature"], one["src"], one["suser"]), ("AuthFail", "6.6.6.6", "none"))
        self.client.cef("AuthFail", 5, None, None)
        self.assertEqual(self.only()["fields"], {"signature": "AuthFail", "name": "AuthFail", "severity": 5, "suser": "none"})

    def test_a_key_named_as_a_part_that_is_given_is_left_out(self):
        self.client.cef_event("S", None, 3, extension={"signature": "x", "name": "n", "src": "1.2.3.4"})
        self.assertEqual(self.only()["fields"], {"signature": "S", "severity": 3, "name": "n", "src": "1.2.3.4"})

    def test_syslog_settings_are_told_if_there_are_any(self):
        self.client.cef_meta = {"syslog_options": "PID", "syslog_facility": None, "syslog_ident": "shop", "syslog_priority": None}
        self.client.cef_event("S", "N", 3)
        self.assertEqual(self.only()["fields"]["cef_meta"]["syslog_ident"], "shop")


class SenderTest(Case):
    def test_a_sender_that_fails_costs_nothing_but_its_message(self):
        class Broken:
            def send_message(self, envelope):
                raise OSError("no")
        client = metlog.MetlogClient(Broken())
        client.incr("n")
        self.assertEqual((client.counts().taken, client.counts().unsent, client.reason), (1, 1, "no"))
        self.assertFalse(client.flush())

    def test_what_is_neither_an_endpoint_nor_a_sender_is_told_at_once(self):
        for wrong in (3, None, "nowhere", "udp:host", "tcp:h:99999", "pub:inproc://x", "push:tcp://10.1.2.3:5", "ack:@tcp://127.0.0.1:5", "file:", "sub:tcp://127.0.0.1:1"):
            with self.assertRaises((ValueError, TypeError), msg=wrong):
                metlog.MetlogClient(wrong)

    def test_options_that_are_wrong_are_told_at_once(self):
        for wrong in ({"severity": 9}, {"when_full": "wait"}, {"buffer": "big"}, {"close": "soon"}, {"filters": [3]}, {"curve_server": "f"}):
            with self.assertRaises((ValueError, TypeError), msg=wrong):
                metlog.MetlogClient("tcp:127.0.0.1:9", **wrong)

    def test_setup_makes_the_client_anew(self):
        other = metlog.senders.DebugCaptureSender()
        self.client.incr("a")
        self.client.setup(other, "till", 3)
        self.client.incr("b")
        self.only()
        self.assertIn('"logger":"till","severity":3', other.msgs[0])


class HostileTest(Case):
    """Values that break whatever looks at them."""

    class Liar:
        def __getattribute__(self, name):
            raise RuntimeError(name)

        def __bool__(self):
            raise RuntimeError("bool")

    def test_what_cannot_even_be_looked_at_is_refused_and_raises_nothing(self):
        liar, client = self.Liar(), self.client
        for call in (lambda: client.set("n", liar), lambda: client.info(liar), lambda: client.info(liar, 1), lambda: client.error("x", exc_info=liar),
                     lambda: client.cef("n", 1, {}, {}, signature=liar), lambda: client.raven(liar), lambda: client.raven("m", exc_info=liar)):
            before = client.counts().refused
            call()
            self.assertEqual(client.counts().refused, before + 1)

    def test_an_integer_of_any_size_counts_with_fields_or_without(self):
        self.client.incr("n", 10 ** 5000)
        self.assertEqual(self.only()["payload"], "1" + "0" * 5000)

    def test_a_message_of_another_version_is_refused(self):
        self.client.send_message({"type": "t", "env_version": "0.9"})
        self.assertEqual((self.sent(), self.client.counts().refused), ([], 1))

    def test_json_that_would_nest_too_deep_for_an_envelope_is_refused(self):
        for depth, taken in ((60, 1), (61, 0), (100000, 0)):
            self.client.metlog("t", payload=metlog.Json("[" * depth + "]" * depth))
            self.assertEqual(len(self.sent()), taken, depth)
        self.client.metlog("t", fields={"a": [metlog.Json("[" * 60 + "]" * 60)]})
        self.client.metlog("t", payload=metlog.Json('"' + "[" * 100 + '\\"["'))
        self.assertEqual(len(self.sent()), 1)

    def test_a_mapping_that_breaks_halfway_spoils_nothing_beside_it(self):
        class Broken(dict):
            def items(self):
                raise RuntimeError("broken")
        fields = {str(number): Broken(a=1) for number in range(100)}
        self.client.metlog("t", fields={"all": {**fields, "last": [1]}})
        self.assertEqual(self.only()["fields"]["all"]["last"], [1])


if __name__ == "__main__":
    unittest.main()
