/* cells - the fields of an envelope as cells of key=value, on its line if they fit there, else in columns below it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "cells.h"

struct cell {
	size_t start, end, columns;
};

/* How a run of cells is laid out: cell i stands in row i % rows of column i / rows. */
struct layout {
	size_t rows, across;
	size_t width[CELLS_ACROSS_MAX];
};

void cells_init(struct cells *c, size_t limit_bytes)
{
	*c = (struct cells){ 0 };
	buffer_init(&c->list, limit_bytes);
	buffer_init(&c->rows, limit_bytes);
}

void cells_release(struct cells *c)
{
	buffer_release(&c->list);
	buffer_release(&c->rows);
}

void cells_clear(struct cells *c)
{
	buffer_clear(&c->list);
	buffer_clear(&c->rows);
	c->columns = 0;
}

void cells_add(struct cells *c, size_t start, size_t end, size_t columns)
{
	struct cell cell = { start, end, columns };
	buffer_append(&c->list, &cell, sizeof cell);
	c->columns += columns + 1;
}

static struct cell cell_at(const struct cells *c, size_t i)
{
	struct cell cell;
	memcpy(&cell, c->list.data + i * sizeof cell, sizeof cell);
	return cell;
}

/* Whether `count` cells from `first` on fit in so many rows. */
static bool fits(const struct cells *c, size_t first, size_t count, size_t rows, size_t width, struct layout *layout)
{
	size_t across = (count + rows - 1) / rows, used = (across - 1) * CELLS_GAP;
	*layout = (struct layout){ .rows = rows, .across = across };
	for (size_t i = 0; i < count; i++) {
		size_t columns = cell_at(c, first + i).columns, *widest = &layout->width[i / rows];
		if (columns > *widest) used += columns - *widest, *widest = columns;
		if (used > width && across > 1) return false;
	}
	return true;
}

static struct layout best_layout(const struct cells *c, size_t first, size_t count, size_t width)
{
	struct layout layout = { .rows = 0 };
	for (size_t across = count < CELLS_ACROSS_MAX ? count : CELLS_ACROSS_MAX; across > 0; across--)
		if (fits(c, first, count, (count + across - 1) / across, width, &layout)) break;
	return layout;
}

/* The cells from `first` on up to one that is wider than `limit`. */
static size_t run_length(const struct cells *c, size_t first, size_t count, size_t limit)
{
	size_t at = first;
	while (at < count && cell_at(c, at).columns <= limit) at++;
	return at - first;
}

static size_t rows_in_all(const struct cells *c, size_t count, size_t limit, size_t width)
{
	size_t rows = 0;
	for (size_t at = 0; at < count;) {
		size_t run = run_length(c, at, count, limit);
		rows += run ? best_layout(c, at, run, width).rows : 1;
		at += run ? run : 1;
	}
	return rows;
}

static void append_blanks(struct buffer *out, size_t count)
{
	static const char blanks[] = "                                ";
	for (size_t part; count; count -= part) {
		part = count < sizeof blanks - 1 ? count : sizeof blanks - 1;
		buffer_append(out, blanks, part);
	}
}

static void append_run(struct cells *c, const struct buffer *text, size_t first, size_t count, struct span indent, size_t width)
{
	struct layout layout = best_layout(c, first, count, width);
	for (size_t row = 0; row < layout.rows; row++) {
		size_t gap = 0;
		buffer_append_span(&c->rows, indent);
		for (size_t column = 0, i = row; i < count; column++, i += layout.rows) {
			struct cell cell = cell_at(c, first + i);
			append_blanks(&c->rows, gap); /* not behind the last */
			buffer_append(&c->rows, text->data + cell.start, cell.end - cell.start);
			gap = layout.width[column] - cell.columns + CELLS_GAP;
		}
	}
}

void cells_lay_out(struct cells *c, struct buffer *text, size_t from, struct span indent, size_t width)
{
	if (c->list.failed || text->failed) return;
	size_t count = c->list.length / sizeof(struct cell);
	/* A few wide cells must not make one column of all: from half the width on they stand alone, if that saves a third of the rows. */
	size_t limit = rows_in_all(c, count, width / 2, width) * 3 / 2 < rows_in_all(c, count, width, width) ? width / 2 : width;
	for (size_t at = 0; at < count;) {
		size_t run = run_length(c, at, count, limit);
		append_run(c, text, at, run ? run : 1, indent, width);
		at += run ? run : 1;
	}
	text->length = from;
	buffer_append_span(text, buffer_span(&c->rows));
}
