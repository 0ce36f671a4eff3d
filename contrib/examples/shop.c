/* shop.c - an application that sends messages, metrics and a timer: cc shop.c $(pkg-config --cflags --libs metlog). */
/* SPDX-License-Identifier: MPL-2.0 */
#include <metlog.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct metlog_fault fault;
	struct metlog_counts counts;
	struct metlog *m = metlog_open_config(argc > 1 ? argv[1] : "shop.ini", NULL, &fault);

	if (m == NULL) {
		fprintf(stderr, "shop: %s\n", fault.text);
		return fault.status;
	}
	struct metlog_timer timer = metlog_timer_begin(m, "checkout", 1.0);
	metlog_count(m, "orders", 1, 1.0, METLOG_FIELDS(metlog_tag("currency", "EUR")));
	metlog_send(m, "order", METLOG_NOTICE, "paid", METLOG_FIELDS(
		metlog_field_int("number", 4711),
		metlog_field_double("total", 19.9),
		metlog_field_text("user", "ada")));
	metlog_warning(m, "only %d left of %s", 3, "tea");
	metlog_timer_end(&timer, METLOG_NONE);

	if (metlog_close(m, 2000, &counts) != 0)
		fprintf(stderr, "shop: %llu messages did not arrive\n",
			(unsigned long long)(counts.unsent + counts.dropped + counts.refused));
	return 0;
}
