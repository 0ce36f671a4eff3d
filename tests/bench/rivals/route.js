// route.js - the same in Node: JSON.parse on each line, and a file by type.
// SPDX-License-Identifier: MPL-2.0
"use strict";
const fs = require("fs");
const directory = process.argv[2];
const open = (name) => ({ fd: fs.openSync(`${directory}/${name}`, "w"), parts: [], size: 0 });
const flush = (out) => { fs.writeSync(out.fd, out.parts.join("")); out.parts = []; out.size = 0; };
const [metrics, requests, security, rest] = ["metrics", "requests", "security", "rest"].map(open);
const where = { counter: metrics, timer: metrics, gauge: metrics, request: requests, cef: security, sentry: security };
let tail = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (tail + chunk).split("\n");
  tail = lines.pop();
  for (const line of lines) {
    const out = where[JSON.parse(line).type] || rest;
    out.parts.push(line, "\n");
    if ((out.size += line.length) > 65536) flush(out);
  }
});
process.stdin.on("end", () => [metrics, requests, security, rest].forEach(flush));
