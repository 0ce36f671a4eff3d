/* cef - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "cef.h"
