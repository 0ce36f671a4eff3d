# writer - what a Python program logs through python-dockerflow: levels, exceptions, request.summary, values of all kinds.
# SPDX-License-Identifier: MPL-2.0
import datetime
import decimal
import logging
import sys

from dockerflow.logging import MozlogHandler

handler = MozlogHandler(sys.stdout, name="writer")
logging.basicConfig(level=1, handlers=[handler])
log = logging.getLogger("app.views")

log.debug("starting")
log.info("caf\u00e9 \u2028 \U0001f525 \"quoted\" \\ tab\t nl\n end")
log.warning("slow", extra={"ms": 12.5, "tiny": 1e-07, "zero": -0.0, "huge": 2**70, "big": 2**53 + 1, "negative": -(2**63)})
log.error("nested", extra={"user": {"id": 7, "roles": ["admin", "ops"], "manager": None}, "list": [1, 2, 3], "mixed": [1, "a", None], "nothing": None})
log.critical("disk full", extra={"errno": 28, "when": datetime.date(2020, 9, 21), "price": decimal.Decimal("1.50"), "yes": True})
log.log(5, "a level of its own")
try:
    {}["missing"]
except KeyError:
    log.exception("could not look up")
logging.getLogger("request.summary").info("", extra={
    "agent": "curl/7.88", "errno": 0, "method": "GET", "path": "/v1/geolocate", "t": 11, "uid": "", "rid": "4b7a0b2e",
    "lang": "de,en;q=0.5", "code": 200, "remoteAddressChain": ["192.0.2.1", "10.0.0.1"]})
log.info('{"is": "json"}', extra={"more": "stuff"})
log.info('{"is": "json"}')
log.info("empties", extra={"object": {}, "array": [], "text": "", "half": "\ud83d", "dotted.name": 1, "Dotted_Name": 2})
log.info("%s of %d", "done", 12)
