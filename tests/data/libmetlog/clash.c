/* clash - a program whose own functions are called as some inside libmetlog are. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <metlog.h>

#include <stdio.h>
#include <stdlib.h>

/* Each ends the program: nobody but this program may call them. */
#define OWN(name) void name(void); void name(void) { puts(#name " of the program was called by the library"); exit(1); }
OWN(buffer_init) OWN(text_append_escaped) OWN(ring_init) OWN(ring_reserve) OWN(ring_commit) OWN(message_write) OWN(rules_pass) OWN(client_send)
OWN(outlet_open) OWN(outlet_send_lines) OWN(endpoint_parse) OWN(number_append) OWN(timestamp_now) OWN(sample) OWN(die)

int main(int argc, char **argv)
{
	struct metlog *m = metlog_open(argc > 1 ? argv[1] : "-", NULL, NULL);

	metlog_count(m, "orders", 3, 1, METLOG_NONE);
	return metlog_close(m, -1, NULL) == 0 ? 0 : 2;
}
