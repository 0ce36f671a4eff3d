"""test_zeromq - what the transport pub: makes of those who come and go."""
# SPDX-License-Identifier: MPL-2.0
import importlib.util
import json
import unittest

from fixture import PATIENCE_S, Case, await_, metlog


@unittest.skipUnless(importlib.util.find_spec("zmq"), "pyzmq is not installed")
class SubscriberTest(Case):
    def setUp(self):
        super().setUp()
        import zmq
        context = zmq.Context()
        self.addCleanup(context.term)
        self.far = context.socket(zmq.SUB)
        self.addCleanup(self.far.close, 0)
        self.far.setsockopt(zmq.RCVTIMEO, PATIENCE_S * 1000)
        port = self.far.bind_to_random_port("tcp://127.0.0.1")
        self.near = metlog.MetlogClient(f"pub:tcp://127.0.0.1:{port}", "shop", close=0.05)
        self.addCleanup(self.near.close, 0)

    def heard(self, text):
        self.near.info(text)
        return json.loads(self.far.recv())["payload"]

    def test_who_gives_up_one_of_two_topics_still_subscribes(self):
        self.far.subscribe(b"{")
        self.far.subscribe(b"")
        self.assertEqual(self.heard("both"), "both")
        self.far.unsubscribe(b"")
        for number in range(100):   # it is told of some time
            self.assertEqual(self.heard(str(number)), str(number))
        self.assertEqual(self.near.close(PATIENCE_S).unsent, 0)

    def test_what_is_said_when_the_subscriber_has_gone_waits(self):
        self.far.subscribe(b"")
        self.assertEqual(self.heard("one"), "one")
        one = self.near._courier._transport._open
        self.far.close(0)

        def gone():   # it looks when something is said
            self.near.info("two")
            return one.peers == 0
        await_(gone, "the end of the connection")
        before = self.near.counts().sent
        self.near.info("three")
        self.assertFalse(self.near.flush(0.1))
        self.assertEqual(self.near.counts().sent, before)
        await_(lambda: self.near.reason == "nobody is connected", "the reason")


if __name__ == "__main__":
    unittest.main()
