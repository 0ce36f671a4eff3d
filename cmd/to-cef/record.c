/* record - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "record.h"
