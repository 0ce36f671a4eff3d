/* unfold - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "unfold.h"
