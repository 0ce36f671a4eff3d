/* syslog_message - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_message.h"
