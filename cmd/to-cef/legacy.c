/* legacy - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "legacy.h"
