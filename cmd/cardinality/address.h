/* address - the one text of an IP address, so that one user is counted once however the address was written. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_ADDRESS_H
#define CARDINALITY_ADDRESS_H

#include "base/span.h"

enum { ADDRESS_MAX = 46 }; /* the longest text and its NUL */

/* IPv4 as four decimal numbers; IPv6 as RFC 5952 has it: lower case, no leading zeros, the longest run of zero groups as "::", an IPv4-mapped one as
 * ::ffff:192.0.2.1. Anything else, an address with blanks, a zone or a port too, is 127.0.0.1: so Ichnaea counts it, and so do we.
 * The result is `text` itself, or stands in `room`. */
struct span address_canonical(struct span text, char room[ADDRESS_MAX]);

#endif
