/* client_ways - the ways of handing a message over that bench_client measures, in groups, each ended by a row without a name. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_WAYS_H
#define CLIENT_WAYS_H

#include "client_measure.h"

extern const struct client_way bench_floor[];   /* bench_client_floor.c: the clock, memory, a ring, write(2) */
extern const struct client_way bench_rivals[];  /* bench_client_rivals.c: ZeroMQ, datagrams, syslog(3) */
extern const struct client_way bench_metlog[];  /* bench_client_metlog.c: libmetlog */

/* What the others send: the envelope of the rows of libmetlog, ready made, without a newline. */
#define BENCH_ENVELOPE \
	"{\"type\":\"counter\",\"timestamp\":\"2012-10-05T12:00:01.137911Z\",\"logger\":\"sync\",\"severity\":6,\"payload\":\"1\"," \
	"\"fields\":{\"name\":\"request.answer.2xx\",\"rate\":1,\"status\":200}," \
	"\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1.example.com\"}"
enum { BENCH_ENVELOPE_LENGTH = sizeof BENCH_ENVELOPE - 1 };

#endif
