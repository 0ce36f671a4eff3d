/* outlet_driver - lines on standard input go through io/outlet in blocks, as a library sends them; then says what became of them: for the suites. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "io/diag.h"
#include "io/outlet.h"

/* Sends the whole lines of the input that are there, a block at a time; a line that is refused alone is passed over. False: the far side took no more, and
 * that is not to be told and tried again. */
static bool send_input(struct outlet *o, struct buffer *input, size_t block_bytes, bool again, uint64_t *taken)
{
	size_t at = 0;
	while (at < input->length) {
		const char *start = input->data + at, *end;
		size_t left = input->length - at, most = left < block_bytes ? left : block_bytes, done = 0;
		if (!(end = memrchr(start, '\n', most)) && !(end = memchr(start, '\n', left))) break;
		enum outlet_result result = outlet_send_lines(o, span_between(start, end + 1), &done);
		for (size_t i = 0; i < done; i++) *taken += start[i] == '\n';
		if (done) fprintf(stderr, "taken=%" PRIu64 "\n", *taken);
		if (result != OUTLET_DELIVERED && outlet_refused_line(o)) done = (size_t)((const char *)memchr(start + done, '\n', left - done) - start) + 1;
		else if (result != OUTLET_DELIVERED && !again) return false;
		else if (result != OUTLET_DELIVERED) fprintf(stderr, "waiting taken=%" PRIu64 ": %s\n", *taken, outlet_reason(o));
		at += done;
	}
	buffer_drop(input, at);
	return true;
}

int main(int argc, char **argv)
{
	enum { READ_BYTES = 256 * 1024 };
	struct endpoint endpoint;
	struct fault fault;
	const char *why;
	uint64_t taken = 0, lost;
	char reason[OUTLET_REASON_MAX];
	struct buffer input;
	diag_init("outlet_driver");
	if (argc < 2) die(EXIT_USAGE, "outlet_driver ENDPOINT [TIMEOUT_MS [HWM [BLOCK_BYTES [again]]]]: after each block says on standard error how many were taken");
	if (!endpoint_parse(&endpoint, span_of(argv[1]), &why)) die(EXIT_USAGE, "%s: %s", argv[1], why);
	size_t block_bytes = argc > 4 ? strtoul(argv[4], NULL, 10) : OUTLET_BLOCK_BYTES;
	struct outlet *o = outlet_open(&endpoint, &(struct outlet_options){ .timeout_ms = argc > 2 ? atoi(argv[2]) : 5000, .hwm = argc > 3 ? atoi(argv[3]) : 0,
		.say = diag_say }, &fault);
	if (!o) die_fault(&fault);
	buffer_init(&input, SIZE_MAX);
	for (bool goes_on = true; goes_on;) {
		if (!buffer_reserve(&input, READ_BYTES)) die(EXIT_INTERNAL, "no memory");
		ssize_t n = read(STDIN_FILENO, input.data + input.length, READ_BYTES);
		if (n < 0 && errno == EINTR) continue;
		if (n > 0) input.length += (size_t)n;
		goes_on = n > 0 && send_input(o, &input, block_bytes, argc > 5, &taken) && outlet_flush(o) == OUTLET_DELIVERED;
	}
	enum outlet_result result = outlet_close(o, &lost, reason);
	static const char *const results[] = { "delivered", "later", "refused" };
	printf("%s taken=%" PRIu64 " lost=%" PRIu64 "%s%s\n", results[result], taken, lost, result ? " " : "", result ? reason : "");
	buffer_release(&input);
	endpoint_release(&endpoint);
	return result == OUTLET_DELIVERED ? EXIT_DONE : EXIT_LATER;
}
