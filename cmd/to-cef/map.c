/* map - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map.h"
