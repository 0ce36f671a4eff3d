"""test_config - clients from dicts and INI, new and as the original's, and the mistakes in them."""
# SPDX-License-Identifier: MPL-2.0
import io
import os
import sys
import types
import unittest

from fixture import Case, metlog

TEXT = """
# a comment
[other]
anything = goes

[metlog]
endpoint = ${METLOG_TEST_WHERE}
logger = shop
severity = 5
hostname = web1
disabled_timers = db.query cache.get
    template
when_full = block
buffer = 1Mi
line = 64Ki
threads = 8
close = 250ms
insecure = no

[metlog_filter_first]
provider = severity_max
severity = 5

[metlog_filter_second]
provider = metlog.filters.type_blacklist_provider
types = secret
    other

[metlog_plugin_cef]
provider = metlog_cef.cef_plugin.config_plugin
syslog_ident = shop
"""


class IniTest(Case):
    def setUp(self):
        super().setUp()
        os.environ["METLOG_TEST_WHERE"] = "file:" + self.path("out")

    def test_every_key_has_its_effect(self):
        client = metlog.client_from_text_config(TEXT)
        options = client._options
        self.assertEqual((client.logger, client.severity, client.disabled_timers), ("shop", 5, {"db.query", "cache.get", "template"}))
        self.assertEqual((options.when_full, options.buffer_bytes, options.line_bytes, options.close_s), ("block", 1 << 20, 1 << 16, 0.25))
        client.incr("n")
        client.info("left out")
        client.metlog("secret")
        client.cef_event("S", "N", 1)
        client.close()
        first, second = self.filed()
        self.assertEqual((first["severity"], first["metlog_hostname"]), (5, "web1"))
        self.assertEqual(second["fields"]["cef_meta"]["syslog_ident"], "shop")

    def test_the_configuration_may_come_from_a_file_and_a_stream(self):
        with open(self.path("shop.ini"), "w") as file:
            file.write(TEXT)
        client = metlog.client_from_file(self.path("shop.ini"), logger="till")
        self.assertEqual((client.logger, client.severity), ("till", 5))
        with open(self.path("shop.ini")) as stream:
            self.assertEqual(metlog.client_from_stream_config(stream).logger, "shop")
        self.assertEqual(metlog.client_from_stream_config(io.StringIO("[log]\nlogger: till\n[log_filter_a]\nprovider: type_deny\ntypes: a\n"), "log", endpoint="-").logger, "till")

    def test_a_mistake_is_told_with_its_place(self):
        for wrong, told in ((TEXT.replace("logger", "loger"), "loger is unknown"), (TEXT.replace("= severity_max", "= severity_mix"), "severity_mix"),
                            (TEXT.replace("severity = 5\nhost", "severity = 8\nhost"), "severity: '8'|severity: 8"), (TEXT.replace("block", "wait"), "when_full"),
                            (TEXT.replace("metlog_filter_first", "metlog_filer"), "[metlog_filer] is unknown"), (TEXT.replace("_WHERE", "_NONE"), "METLOG_TEST_NONE is not set"),
                            (TEXT.replace("endpoint", "# endpoint"), "endpoint is missing"), (TEXT.replace("${METLOG_TEST_WHERE}", "fil:x"), "no endpoint"), ("[other]\n", "no section [metlog]"),
                            (TEXT + "[metlog]\n", "already exists"), (TEXT + "syslog_iden = x\n", "syslog_iden is unknown"), (TEXT + "[metlog_filter_x]\nprovider = type_deny\n", "type_deny needs types"),
                            (TEXT.replace("types = secret", "types = secret\nseverity = 3"), "severity is no option"), (TEXT.replace("insecure = no", "insecure = maybe"), "insecure"),
                            (TEXT + "[metlog_plugin_x]\nprovider = no.such.module\n", "cannot load no.such.module"), ("endpoint = -\n", "no section headers")):
            with self.assertRaises(metlog.ConfigError, msg=told) as caught:
                metlog.client_from_text_config(wrong)
            self.assertTrue(any(part in str(caught.exception) for part in told.split("|")), (told, str(caught.exception)))
            self.assertIn("<configuration>", str(caught.exception))

    def test_a_mistake_is_told_with_its_line(self):
        for wrong, place in (("loger = a\n", "3: metlog: loger"), ("logger = a\n\n# c\nbuffer = much\n", "6: metlog: buffer"), ("logger = ${METLOG_TEST_NONE}\n", "3: metlog: logger"),
                             ("no value\n", "3: metlog: no value"), ("logger = a\n  b\n", "3: metlog: logger: one line"), ("[metlogs]\n", "3: metlogs"),
                             ("[metlog_filter_a]\nprovider = type_maybe\n", "3: metlog_filter_a"), ("[metlog_filter_a]\nprovider = severity_max\nseverity = high\n", "5: metlog_filter_a: severity"),
                             ("[metlog_filter_a]\nprovider = type_severity_max\ntypes = a:9\n", "5: metlog_filter_a: types: a")):
            with self.assertRaises(metlog.ConfigError) as caught:
                metlog.client_from_text_config("[metlog]\nendpoint = -\n" + wrong)
            self.assertEqual(str(caught.exception)[:len(place) + 16], "<configuration>:" + place)

    def test_a_value_may_stand_in_the_line_below_its_key(self):
        client = metlog.client_from_text_config("[metlog]\nsender_class = DebugCaptureSender\nlogger =\n    shop\n")
        self.assertEqual(client.logger, "shop")

    def test_a_file_that_is_no_utf_8_and_a_key_file_that_is_missing(self):
        with open(self.path("shop.ini"), "wb") as file:
            file.write(b"[metlog]\nendpoint = -\nlogger = caf\xe9\n")
        self.assertEqual(metlog.client_from_file(self.path("shop.ini")).logger, "caf\ufffd")
        with self.assertRaisesRegex(metlog.ConfigError, "no.key"):
            metlog.client_from_dict_config({"endpoint": "push:tcp://127.0.0.1:5565", "curve_server": self.path("no.key")})

    def test_the_originals_configurations_are_taken(self):
        for sender, endpoint in (("metlog.senders.UdpSender\nsender_host = 127.0.0.1\nsender_port = 5565", "udp:127.0.0.1:5565"),
                                 ("metlog.senders.UdpSender\nsender_host =\n    localhost\nsender_port =\n    5565", "udp:localhost:5565"),
                                 ("metlog.senders.StdOutSender", "-"), ("metlog.senders.FileSender\nsender_filepath = x.log", "file:x.log")):
            client = metlog.client_from_text_config(f"[metlog]\nlogger = shop\nsender_class = {sender}\nglobal_disabled_decorators =\n    timeit\n    other\n")
            self.assertEqual(client.sender, endpoint)
        self.assertEqual(metlog.CLIENT_HOLDER.global_config, {"disabled_decorators": ["timeit", "other"]})
        metlog.CLIENT_HOLDER.global_config.clear()
        with self.assertRaisesRegex(metlog.ConfigError, "metlog-route"):
            metlog.client_from_text_config("[metlog]\nsender_class = metlog.senders.UdpSender\nsender_host = a b\nsender_port = 1\n")
        with self.assertRaisesRegex(metlog.ConfigError, "sender_host"):
            metlog.client_from_text_config("[metlog]\nsender_class = metlog.senders.UdpSender\n")

    def test_the_originals_publisher_becomes_pub(self):
        try:
            import zmq  # noqa: F401
        except ImportError:
            self.skipTest("pyzmq is not installed")
        client = metlog.client_from_text_config("[metlog]\nsender_class = metlog.senders.zmq.ZmqPubSender\nsender_bindstrs = tcp://127.0.0.1:5565\nsender_queue_length = 5\n")
        self.assertEqual(client.sender, "pub:tcp://127.0.0.1:5565")

    def test_a_list_of_one_is_a_list(self):
        client = metlog.client_from_text_config("[metlog]\nsender_class = DebugCaptureSender\n[metlog_filter_a]\nprovider = type_whitelist_provider\ntypes = foo\n")
        client.metlog("fo")
        client.metlog("foo")
        self.assertEqual(len(client.sender.msgs), 1)


class DictTest(Case):
    def test_the_originals_dict_is_taken_and_not_touched(self):
        config = {"logger": "shop", "severity": 5, "disabled_timers": ["a"], "sender": {"class": "metlog.senders.DebugCaptureSender", "colour": "red"},
                  "filters": [("metlog.filters.type_severity_max_provider", {"types": {"t": {"severity": 3}}})], "global": {"x": 1}}
        before = repr(config)
        client = metlog.client_from_dict_config(config, clear_global=True)
        self.addCleanup(metlog.CLIENT_HOLDER.global_config.clear)
        client.metlog("t")
        client.metlog("u")
        self.assertEqual((len(client.sender.msgs), client.sender.colour, repr(config)), (1, "red", before))
        self.assertEqual(metlog.CLIENT_HOLDER.global_config, {"x": 1})
        self.assertIn('"severity": 5', client._config)

    def test_filters_senders_and_methods_of_the_application_are_loaded_by_name(self):
        module = types.ModuleType("shop_extras")
        module.only_even = lambda digit: lambda message: int(message["payload"]) % digit == 0
        module.Sender = metlog.senders.DebugCaptureSender

        def config_plugin(config):
            def greet(self, name):
                self.info("%s %s", config["word"], name)
            return greet
        module.config_plugin = config_plugin
        sys.modules["shop_extras"] = module
        self.addCleanup(sys.modules.pop, "shop_extras")
        client = metlog.client_from_text_config("[metlog]\nsender_class = shop_extras.Sender\n[metlog_filter_even]\nprovider = shop_extras.only_even\ndigit = 2\n"
                                                "[metlog_plugin_greet]\nprovider = shop_extras:config_plugin\nword = hello\n")
        client.metlog("t", payload="3")
        client.metlog("t", payload="4")
        self.assertEqual(len(client.sender.msgs), 1)
        client.greet("ada")
        self.assertEqual(client.counts().refused, 1)

    def test_an_existing_client_is_made_anew(self):
        client = metlog.get_client("tills")
        self.addCleanup(metlog.CLIENT_HOLDER.delete_client, "tills")
        self.assertFalse(client.is_active)
        client.incr("nowhere")
        same = metlog.get_client("tills", {"sender": {"class": "DebugCaptureSender"}, "logger": "till"})
        self.assertIs(same, client)
        self.assertTrue(client.is_active)
        client.incr("n")
        self.assertIn('"logger":"till"', client.sender.msgs[0])

    def test_the_first_client_is_the_default_one(self):
        holder = metlog.holder.ClientHolder()
        self.assertIsNone(holder.default_client)
        holder.set_client("a", self.client)
        holder.get_client("b")
        self.assertIs(holder.default_client, self.client)
        holder.delete_client("a")
        self.assertIs(holder.default_client, holder.get_client("b"))


if __name__ == "__main__":
    unittest.main()
