/* cells - the fields of an envelope as cells of key=value, on its line if they fit there, else in columns below it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_CELLS_H
#define TAIL_CELLS_H

#include "base/buffer.h"

/*  .... POST /v1/geolocate - 200
 *      http_status=200          region=BT                 as `ls -C` does: down the first column, then down the next,
 *      duration_s=0.011         api_type=locate           each as wide as its widest cell
 *      http_path=/v1/geolocate  user=25
 *      agent="Mozilla/5.0 (X11; ..."                      a cell too wide for that has a line of its own; the order of the cells is kept
 *      wifi=0                   blue=3
 *
 * The cells are parts of a text that somebody else builds, one behind the other with a blank before each. */
struct cells {
	struct buffer list;      /* struct cell */
	struct buffer rows;
	size_t columns;          /* of all cells, blanks and all */
};

enum { CELLS_ACROSS_MAX = 16, CELLS_GAP = 2 };

void cells_init(struct cells *, size_t limit_bytes);
void cells_release(struct cells *);
void cells_clear(struct cells *);

/* What stands at text[start..end), which takes so many columns. */
void cells_add(struct cells *, size_t start, size_t end, size_t columns);

/* Appends to `text`, in which the cells stand, rows that are `width` columns wide, with `indent` (a newline and blanks) before each; then takes away what stood from `from` to
 * the old end, the cells in it too. Without memory, `rows.failed` tells. */
void cells_lay_out(struct cells *, struct buffer *text, size_t from, struct span indent, size_t width);

#endif
