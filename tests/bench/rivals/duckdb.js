// duckdb.js - DuckDB from npm's @duckdb/node-api: answers one query on one thread. usage: NODE_PATH=DIRECTORY node duckdb.js QUERY
// SPDX-License-Identifier: MPL-2.0
"use strict";
const { DuckDBInstance } = require("@duckdb/node-api");

async function main() {
	const database = await DuckDBInstance.create(":memory:", { threads: "1" });
	const connection = await database.connect();
	const answer = await connection.runAndReadAll(process.argv[2]);
	for (const row of answer.getRows()) console.log(row.join("\t"));
}

main().catch((error) => {
	console.error(String(error.message || error));
	process.exit(1);
});
