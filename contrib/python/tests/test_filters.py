"""test_filters - what a client leaves out by its filters, and what those of the application may do to a message."""
# SPDX-License-Identifier: MPL-2.0
import collections
import threading
import unittest

from fixture import Case, metlog


class FilterTest(Case):
    def test_a_callable_sees_the_whole_message_and_may_change_it(self):
        seen = []

        def mask(message):
            seen.append(dict(message))
            message["fields"]["user"] = "?"
            return message["type"] != "secret"
        client = metlog.MetlogClient(self.sender, "shop", filters=[mask])
        fields = {"user": "ada"}
        client.metlog("t", fields=fields)
        client.metlog("secret")
        client.incr("n", 2, tags={"a": "b"})
        client.send_message({"type": "made", "fields": fields})
        self.assertEqual([one["fields"] for one in self.sent()], [{"user": "?"}, {"name": "n", "rate": 1, "tags": {"a": "b"}, "user": "?"}, {"user": "?"}])
        self.assertEqual(fields, {"user": "ada"})
        self.assertEqual(set(seen[0]), {"type", "timestamp", "logger", "severity", "payload", "fields", "env_version", "metlog_pid", "metlog_hostname"})
        self.assertEqual(client.counts().left_out, 1)

    def test_what_a_filter_changes_within_the_fields_is_not_changed_in_the_callers(self):
        def mask(message):
            message["fields"]["user"].pop("token", None)
            message["fields"]["list"][0]["token"] = "***"
            message["payload"].append("seen")
            return True

        client = metlog.MetlogClient(self.sender, "shop", filters=[mask])
        itself = []
        itself.append(itself)
        fields, payload = {"user": {"id": 1, "token": "secret"}, "list": [{"token": "secret"}], "lock": threading.Lock(), "itself": itself}, ["a"]
        fields["user"] = collections.OrderedDict(fields["user"])
        client.metlog("a", payload=payload, fields=fields)
        client.send_message({"payload": payload, "fields": fields})
        for one in self.sent():
            self.assertEqual((one["fields"]["user"], one["fields"]["list"], one["payload"]), ({"id": 1}, [{"token": "***"}], ["a", "seen"]))
        self.assertEqual((fields["user"], fields["list"], payload), ({"id": 1, "token": "secret"}, [{"token": "secret"}], ["a"]))
        self.assertIsInstance(fields["user"], collections.OrderedDict)
        self.assertEqual(client.counts().sent, 2, client.reason)

    def test_a_filter_that_fails_costs_its_message_alone(self):
        client = metlog.MetlogClient(self.sender, filters=[lambda message: message["fields"]["x"]])
        client.metlog("t")
        client.metlog("t", fields={"x": 1})
        self.only()
        self.assertEqual(client.counts().refused, 1)

    def test_rules_are_filters_too(self):
        client = metlog.MetlogClient(self.sender, filters=[metlog.filters.severity_max(4), (metlog.filters.type_blacklist_provider, {"types": ["a"]})])
        client.error("e")
        client.info("i")
        client.metlog("a", severity=1)
        client.incr("n")
        with client.timer("t"):
            pass
        self.assertEqual(self.only()["payload"], "e")
        self.assertEqual(client.counts().left_out, 4)


if __name__ == "__main__":
    unittest.main()
