/* program - an application of libmetlog, in what C99 and C++11 have in common: one message of each kind to the endpoint in its argument. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <metlog.h>
#include <metlog.h> /* a header that is included twice is no error */

#include <stdio.h>

int main(int argc, char **argv)
{
	struct metlog_fault fault;
	struct metlog_counts counts;
	struct metlog_timer timer;
	struct metlog_cef_event event = { "AuthFail", "Authentication failed", 5, "example", "shop", METLOG_VERSION };
	struct metlog *m;
	METLOG_OPTIONS(options);

	if (argc != 2)
		return 64;
	options.logger = "shop";
	options.hostname = "web1";
	m = metlog_open(argv[1], &options, &fault);
	if (m == NULL) {
		fprintf(stderr, "%s\n", fault.text);
		return fault.status;
	}
	metlog_send(m, "order", METLOG_NOTICE, "paid", METLOG_FIELDS(metlog_field_int("order", 4711), metlog_field_double("total", 0.1),
		metlog_field_bool("new", 1), metlog_field_text("user", "ada"), metlog_field_json("list", "[1,2]"), metlog_field_null("none"),
		metlog_field_uint("big", UINT64_MAX), metlog_field_bytes("part", "abcdef", 3), metlog_tag("currency", "EUR")));
	metlog_count(m, "orders", 3, 1, METLOG_FIELDS(metlog_tag("currency", "EUR")));
	metlog_gauge(m, "stock", 17.5, METLOG_NONE);
	metlog_set(m, "users", "ada", METLOG_NONE);
	metlog_timing(m, "query", 35, 1, METLOG_NONE);
	timer = metlog_timer_begin(m, "checkout", 1);
	metlog_timer_end(&timer, METLOG_NONE);
	metlog_warning(m, "only %d left", 3);
	metlog_error(m, "none left");
	metlog_cef(m, &event, METLOG_FIELDS(metlog_field_text("suser", "ada")));
	metlog_backtrace(m, METLOG_ERROR, "Empty", "no tea", METLOG_NONE);
	metlog_close(m, -1, &counts);
	printf("taken %lu sent %lu unsent %lu\n", (unsigned long)counts.taken, (unsigned long)counts.sent, (unsigned long)counts.unsent);
	return 0;
}
