/* fixture - a scanner, a copy of a line and the envelope it makes, for the unit tests of the envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include "envelope/envelope.h"

struct fixture {
	struct scan scan;
	struct buffer copy;
	struct envelope envelope;
	struct envelope_fault fault;
};

static inline int open_fixture(void **state)
{
	static struct fixture f;
	buffer_init(&f.copy, 1 << 24);
	*state = &f;
	return scan_init(&f.scan) ? 0 : -1;
}

static inline int close_fixture(void **state)
{
	struct fixture *f = *state;
	buffer_release(&f->copy);
	scan_release(&f->scan);
	return 0;
}

#endif
