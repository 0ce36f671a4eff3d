/* tls - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/tls.h"
