"""test_json - what becomes of values that JSON has no form for."""
# SPDX-License-Identifier: MPL-2.0
import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import random
import struct
import unittest
import uuid
from collections import OrderedDict, deque

from fixture import Case, metlog
from metlog._json import integer_text, number_text, value_text


@dataclasses.dataclass
class Point:
    x: int
    y: object


class Color(enum.Enum):
    RED = 1


class Unspeakable:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class JsonTest(Case):
    def field(self, value):
        self.client.metlog("t", fields={"v": value})
        return self.only()["fields"]["v"]

    def test_what_json_cannot_say_becomes_text(self):
        for value, text in ((decimal.Decimal("1.10"), "1.10"), (datetime.date(2012, 10, 5), "2012-10-05"), (datetime.datetime(2012, 10, 5, 12, 0, 1), "2012-10-05T12:00:01"),
                            (datetime.time(1, 2), "01:02:00"), (b"a\xff", "a\ufffd"), (bytearray(b"ab"), "ab"), (uuid.UUID(int=1), str(uuid.UUID(int=1))),
                            (pathlib.PurePosixPath("/a"), "/a"), (Color.RED, "Color.RED"), (ValueError("x"), "ValueError('x')"), (1j, "1j"), (int, "<class 'int'>")):
            self.assertEqual(self.field(value), text)

    def test_collections_become_lists_and_objects(self):
        self.assertEqual(self.field({3, 1, 2}), [1, 2, 3])
        self.assertEqual(self.field((1, (2,))), [1, [2]])
        self.assertEqual(self.field(deque([1])), [1])
        self.assertEqual(self.field(frozenset()), [])
        self.assertEqual(self.field(OrderedDict(b=1, a=2)), {"b": 1, "a": 2})
        self.assertEqual(self.field(Point(1, [Point(2, None)])), {"x": 1, "y": [{"x": 2, "y": None}]})

    def test_keys_become_text(self):
        self.assertEqual(self.field({1: 1, None: 2, True: 3, 1.5: 4, (1, 2): 5}), {"1": 3, "null": 2, "1.5": 4, "(1, 2)": 5})

    def test_a_value_within_itself_is_cut(self):
        loop = [1]
        loop.append(loop)
        self.assertEqual(self.field(loop), [1, "..."])
        mapping = {}
        mapping["me"] = mapping
        self.assertEqual(self.field(mapping), {"me": "..."})
        point = Point(1, None)
        point.y = point
        self.assertEqual(self.field(point), {"x": 1, "y": "..."})

    def test_the_same_value_twice_is_no_loop(self):
        inner = {"a": 1}
        self.assertEqual(self.field([inner, inner]), [inner, inner])

    def test_nesting_is_cut_where_an_envelope_would_be_no_good_one(self):
        deep = value = []
        for _ in range(5000):
            value.append([])
            value = value[0]
        self.client.metlog("t", fields={"v": deep})
        text = self.sender.msgs[0]
        self.assertIn('"..."', text)
        self.assertLessEqual(text.count("["), 62)

    def test_what_grows_without_end_is_refused_and_not_computed(self):
        value = ["x"]
        for _ in range(50):
            value = [value, value]
        self.client.metlog("t", fields={"v": value})
        self.assertEqual((self.sent(), self.client.counts().refused), ([], 1))

    def test_an_object_that_cannot_say_what_it_is_raises_nothing(self):
        self.assertEqual(self.field(Unspeakable()), "<Unspeakable>")
        self.assertEqual(self.field({Unspeakable(): 1}), {"<Unspeakable>": 1})
        self.client.info(Unspeakable())
        self.client.info("%s", Unspeakable())
        self.assertEqual([one["payload"] for one in self.sent()], ["<Unspeakable>", "%s (<Unspeakable>)"])

    def test_integers_of_any_size_are_kept(self):
        for value in (2 ** 70, -2 ** 70, 7 ** 1000):
            self.assertEqual(self.field(value), value)
        self.assertEqual(integer_text(10 ** 5000 + 7), "1" + "0" * 4999 + "7")
        self.assertEqual(integer_text(-(10 ** 9999)), "-1" + "0" * 9999)

    def test_a_number_reads_back_as_it_was_and_is_laid_out_as_by_ecmascript(self):
        for value, text in ((1e21, "1e+21"), (1e20, "100000000000000000000"), (123456789012345680000.0, "123456789012345680000"), (1e-6, "0.000001"), (1.5e-7, "1.5e-7"),
                            (-1e-7, "-1e-7"), (-0.0, "0"), (1e16, "10000000000000000"), (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
                            (-1.25e-5, "-0.0000125"), (100.0, "100"), (float("nan"), "null"), (float("-inf"), "null")):
            self.assertEqual(number_text(value), text)
        chance = random.Random(7)
        for _ in range(5000):
            value = struct.unpack("d", chance.getrandbits(64).to_bytes(8, "little"))[0]
            if math.isfinite(value):
                text = number_text(value)
                self.assertEqual(float(text), value)
                self.assertNotIn("e+0", text)
                self.assertNotIn("e-0", text)

    def test_json_text_goes_out_as_it_is_if_it_is_json(self):
        self.client.metlog("t", payload=metlog.Json('{"a": 1.0,\n"b":[]}'))
        self.assertIn('"payload":{"a": 1.0, "b":[]}', self.sender.msgs.pop())
        for text in ("{", "NaN", '{"a":1}}', '"a\n"', ""):
            self.client.metlog("t", payload=metlog.Json(text))
            self.client.metlog("t", fields={"a": metlog.Json(text)})
        self.assertEqual((self.sent(), self.client.counts().refused), ([], 10))

    def test_whatever_comes_in_json_goes_out(self):
        chance = random.Random(3)
        atoms = [None, True, 1, -2 ** 65, 0.1, 1e300, float("nan"), "a\"\\\n\x00\ud800é", b"\xff", "", Unspeakable(), Color.RED]

        def some(depth):
            kind = chance.randrange(4 if depth < 5 else 2)
            if kind < 2:
                return chance.choice(atoms)
            if kind == 2:
                return [some(depth + 1) for _ in range(chance.randrange(4))]
            return {chance.choice(["a", 1, None, "é\udfff", (1,)]): some(depth + 1) for _ in range(chance.randrange(4))}

        for _ in range(1000):
            text = value_text(some(0))
            json.loads(text, parse_constant=lambda name: self.fail(name))
            self.assertNotIn("\n", text)


if __name__ == "__main__":
    unittest.main()
