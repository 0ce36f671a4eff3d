/* severity - CEF's severities, 0 to 10 or a word, and which of syslog's is the nearest. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_SEVERITY_H
#define TO_CEF_SEVERITY_H

#include "base/span.h"

/* What is meant by "7", "07", " 7 ", "7.0", "high", "Very High": static text as CEF has it. False: it is none. */
bool severity_find(struct span text, struct span *found);

/* The syslog severity 0..7 whose row in the table (CEF's for 0..7) is nearest to one that severity_find found; of two the more severe. Words count as the middle of their range; Unknown is info. */
int severity_nearest(struct span found, const unsigned char table[8]);

#endif
