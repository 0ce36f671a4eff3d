/* pace - when an envelope is due, if a stream is to go by at the pace at which it was stamped. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "pace.h"

int64_t pace_due(struct pace *p, int64_t stamp, int64_t now_ns)
{
	if (p->speed <= 0) return now_ns;
	if (!p->begun) {
		p->begun = true;
		p->latest = stamp;
		p->due_ns = now_ns;
	}
	if (stamp <= p->latest) return p->due_ns;
	double pause = ((double)stamp - (double)p->latest) / p->speed, most = (double)p->max_gap_ns;
	int64_t pause_ns = pause < most ? (int64_t)pause : p->max_gap_ns;
	p->latest = stamp;
	p->due_ns = pause_ns < INT64_MAX - p->due_ns ? p->due_ns + pause_ns : INT64_MAX;
	return p->due_ns;
}
