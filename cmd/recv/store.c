/* store - where what is received is kept until others may rely on it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv.h"

bool store_is_blocked(const struct recv *r)
{
	(void)r;
	return false;
}

bool store_settle(struct recv *r)
{
	filter_flush(&r->filter);
	for (size_t i = 0; i < r->senders.owed_count; i++) {
		struct sender *sender = &r->senders.entry[r->senders.owed[i]];
		sender->stored = sender->taken;
	}
	return true;
}
