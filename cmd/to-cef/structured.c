/* structured - to be written. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "structured.h"
