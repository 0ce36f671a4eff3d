"""test_adapters - the standard library's logging and structlog on top of a client; the package's types, version and manual."""
# SPDX-License-Identifier: MPL-2.0
import importlib.util
import logging
import os
import re
import subprocess
import sys
import unittest

from fixture import ROOT, Case, metlog
from metlog.logging import MetlogHandler, hook_logger
from metlog.structlog import MetlogRenderer


class LoggingTest(Case):
    def logger(self, **options):
        logger = logging.getLogger(f"test.{self.id()}")
        logger.setLevel(1)
        logger.propagate = False
        self.handler = hook_logger(logger.name, self.client, **options)
        self.addCleanup(logger.removeHandler, self.handler)
        return logger

    def test_a_handler_without_a_client_is_told_when_it_is_made(self):
        with self.assertRaisesRegex(TypeError, "'shop.client' is no client; by its name it is 'ext://shop.client'"):
            MetlogHandler("shop.client")

    def test_a_record_is_its_formatted_text_with_extras_as_fields(self):
        logger = self.logger()
        logger.warning("%s has %d", "ada", 3, extra={"user": 25, "odd": {1, 2}})
        one = self.only()
        self.assertEqual((one["type"], one["severity"], one["payload"], one["logger"]), ("oldstyle", 4, "ada has 3", logger.name))
        self.assertEqual(one["fields"], {"user": 25, "odd": [1, 2]})

    def test_levels_have_severities_and_those_between_have_the_lower_ones(self):
        logger = self.logger(levels={25: 5})
        for level in (5, 10, 15, 20, 25, 27, 30, 40, 50, 60):
            logger.log(level, "x")
        self.assertEqual([one["severity"] for one in self.sent()], [7, 7, 7, 6, 5, 5, 4, 3, 2, 2])

    def test_an_exception_is_a_traceback_or_a_message_for_sentry(self):
        logger = self.logger()
        try:
            raise KeyError("k")
        except KeyError:
            logger.exception("it broke")
            self.assertRegex(self.only()["payload"], r"(?s)^it broke\nTraceback .*KeyError: 'k'$")
            hook_logger(logger.name, self.client, sentry=True)
            logger.exception("it broke", extra={"user": 1})
        one = self.only()
        self.assertEqual((one["type"], one["payload"], one["fields"]["user"]), ("sentry", "it broke", 1))
        self.assertEqual(one["fields"]["exception"]["values"][0]["type"], "KeyError")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)

    def test_a_record_that_cannot_be_formatted_raises_and_prints_nothing(self):
        self.logger().error("%d", "x")
        self.assertEqual(self.only()["payload"], "%d ('x',)")

    def test_a_formatter_has_its_way(self):
        logger = self.logger()
        self.handler.setFormatter(logging.Formatter("<%(message)s>"))
        logger.info("x")
        self.assertEqual(self.only()["payload"], "<x>")

    def test_a_record_has_the_time_at_which_it_was_made(self):
        record = logging.LogRecord("n", 20, "f", 1, "x", (), None)
        record.created = 0.5
        MetlogHandler(self.client).emit(record)
        self.assertEqual(self.only()["timestamp"], "1970-01-01T00:00:00.500000Z")


class StructlogTest(Case):
    def send(self, method, event, **options):
        renderer = MetlogRenderer(self.client, passes_on=True, **options)
        before = dict(event)
        self.assertIs(renderer(None, method, event), event)
        self.assertEqual(event, before)

    def test_the_event_is_the_payload_and_the_rest_the_fields(self):
        self.send("warning", {"event": "paid", "user": 25, "logger": "till", "level": "warning", "timestamp": "2012-10-05T12:00:01Z"})
        one = self.only()
        self.assertEqual((one["payload"], one["severity"], one["logger"], one["timestamp"], one["fields"]), ("paid", 4, "till", "2012-10-05T12:00:01Z", {"user": 25}))

    def test_another_timestamp_stays_a_field(self):
        self.send("info", {"event": "x", "timestamp": 17})
        self.assertEqual(self.only()["fields"], {"timestamp": 17})

    def test_an_exception_is_a_traceback_or_a_message_for_sentry(self):
        try:
            raise KeyError("k")
        except KeyError:
            self.send("exception", {"event": "broke", "exc_info": True})
            self.send("exception", {"event": "broke", "exc_info": True}, sentry=True)
        self.send("error", {"event": "broke", "exception": "Traceback: x"})
        first, second, third = self.sent()
        self.assertRegex(first["payload"], r"(?s)^broke\nTraceback .*KeyError: 'k'$")
        self.assertEqual((second["type"], second["severity"]), ("sentry", 3))
        self.assertEqual(third["payload"], "broke\nTraceback: x")

    @unittest.skipUnless(importlib.util.find_spec("structlog"), "structlog is not installed")
    def test_it_ends_a_chain_of_structlog(self):
        import structlog
        logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, MetlogRenderer(self.client)])
        logger = logger.bind(user=25)
        logger.error("paid", amount=3)
        try:
            raise KeyError("k")
        except KeyError:
            logger.exception("broke")
        first, second = self.sent()
        self.assertEqual((first["payload"], first["severity"], first["fields"]), ("paid", 3, {"user": 25, "amount": 3}))
        self.assertIn("KeyError", second["payload"])


class PackageTest(Case):
    def test_the_version_is_the_same_everywhere(self):
        with open(os.path.join(ROOT, "pyproject.toml")) as file:
            self.assertEqual(re.search(r'^version = "(.*)"$', file.read(), re.M).group(1), metlog.__version__)
        configure = os.path.join(ROOT, "..", "..", "configure.ac")
        if not os.path.exists(configure):
            self.skipTest("configure.ac is not here: this is the package alone")
        with open(configure) as file:
            self.assertIn(f"[{metlog.__version__}]", file.read())

    def test_the_examples_of_the_manual_run(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            examples = re.findall(r"```python\n(.*?)```", file.read(), re.S)
        self.assertGreaterEqual(len(examples), 5)
        endpoint = "file:" + self.path("out")
        if not importlib.util.find_spec("structlog"):
            examples = [example for example in examples if "import structlog" not in example]
        text = "\n".join(examples).replace('"push:tcp://127.0.0.1:5565"', repr(endpoint)).replace("shop.ini", self.path("shop.ini"))
        with open(self.path("shop.ini"), "w") as file:
            file.write(f"[metlog]\nendpoint = {endpoint}\nlogger = shop\n")
        self.run_python(text)
        self.assertGreaterEqual(len(self.filed()), 10)

    def test_the_package_takes_no_module_it_does_not_need(self):
        out = self.run_python("import metlog\nc = metlog.MetlogClient('file:out')\nc.incr('n')\nc.close()\nprint(sorted({'zmq', 'structlog', 'asyncio', 'typing_extensions'} & set(sys.modules)))")
        self.assertEqual(out, "[]\n")

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
    def test_the_types_are_strict(self):
        done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", self.path("cache"), "metlog"], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
