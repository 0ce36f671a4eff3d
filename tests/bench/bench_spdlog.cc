/* bench_spdlog - spdlog's asynchronous logger (libspdlog-dev), measured as bench_client measures; made and run by client.sh. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <sched.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "client_measure.h"

/* Its queue has room for a burst eight times over, as it is by default; the text is formatted in the caller, the pattern in its thread. */
static void *spdlog_open(const char *where)
{
	auto logger = spdlog::basic_logger_mt<spdlog::async_factory>("sync", where ? where : "/dev/null");
	logger->set_pattern("{\"type\":\"counter\",\"timestamp\":\"%Y-%m-%dT%H:%M:%S.%fZ\",\"logger\":\"%n\",%v,\"env_version\":\"0.8\",\"metlog_pid\":%P,\"metlog_hostname\":\"web1.example.com\"}",
		spdlog::pattern_time_type::utc);
	return new std::shared_ptr<spdlog::logger>(logger);
}

static void spdlog_call(void *state)
{
	(*static_cast<std::shared_ptr<spdlog::logger> *>(state))
		->info("\"severity\":{},\"payload\":\"{}\",\"fields\":{{\"name\":\"{}\",\"rate\":{},\"status\":{}}}", 6, 1, "request.answer.2xx", 1, 200);
}

static void spdlog_drain(void *)
{
	while (spdlog::thread_pool()->queue_size()) sched_yield();
}

static void spdlog_close(void *state)
{
	delete static_cast<std::shared_ptr<spdlog::logger> *>(state);
	spdlog::shutdown();
}

int main(int argc, char **argv)
{
	static const client_way way = { "spdlog", spdlog_open, spdlog_call, spdlog_drain, spdlog_close };
	if (argc != 2 && argc != 3) return fputs("usage: bench_spdlog BURSTS [FILE]\n", stderr), 64;
	return client_measure(&way, argc == 3 ? argv[2] : nullptr, atoi(argv[1]));
}
