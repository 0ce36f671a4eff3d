/* bench_simdjson - simdjson's DOM over the same corpus in memory, full validation, three members read: GB/s. */
/* SPDX-License-Identifier: MPL-2.0 */

#include <chrono>
#include <cstdio>
#include <cstring>
#include <simdjson.h>

static size_t pass(simdjson::dom::parser &parser, const simdjson::padded_string &json)
{
	size_t sum = 0;
	simdjson::dom::document_stream stream;
	if (parser.parse_many(json, 16 << 20).get(stream)) return 0;
	for (auto line : stream) {
		simdjson::dom::object object;
		if (line.get(object)) continue;
		std::string_view text;
		for (const char *name : { "timestamp", "logger", "type" })
			if (!object[name].get(text)) sum += text.size();
	}
	return sum;
}

int main(int argc, char **argv)
{
	if (argc < 2) return std::fputs("usage: bench_simdjson FILE [IMPLEMENTATION]\n", stderr), 64;
	if (argc > 2) {
		auto wanted = simdjson::get_available_implementations()[argv[2]];
		if (!wanted || !wanted->supported_by_runtime_system()) return std::fprintf(stderr, "bench_simdjson: no %s here\n", argv[2]), 64;
		simdjson::get_active_implementation() = wanted;
	}
	simdjson::padded_string json;
	if (simdjson::padded_string::load(argv[1]).get(json)) return std::fprintf(stderr, "bench_simdjson: cannot read %s\n", argv[1]), 66;
	simdjson::dom::parser parser;
	pass(parser, json);
	auto start = std::chrono::steady_clock::now();
	size_t sum = pass(parser, json);
	std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
	std::printf("simdjson %s %.3f GB/s sum %zu\n", simdjson::get_active_implementation()->name().c_str(), (double)json.size() / took.count() / 1e9, sum);
	return sum ? 0 : 70;
}
