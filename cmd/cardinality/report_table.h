/* report_table - the parts of the report at a terminal: cells, bars, and what is made of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_TABLE_H
#define CARDINALITY_REPORT_TABLE_H

#include "report.h"
#include "report_view.h"

enum { TABLE_COLUMNS_LEAST = 40, TABLE_COLUMNS_MOST = 250 };
enum table_paint { PAINT_PLAIN, PAINT_BOLD, PAINT_DIM, PAINT_BAD, PAINT_WARN, PAINT_GOOD, PAINT_BAR };

struct table {
	struct filter *filter;
	const struct report *report;
	size_t columns;               /* of the terminal */
	bool utf8, colors;
	struct buffer out, cell, shown;
	struct report_scale scale;
	uint64_t values_limit;
	/* Columns of a row, 0: there is no room for it. */
	size_t name, values, error, bar, growth, pace, effect, change;
};

/* Cells. Raw text is made safe here. */
size_t table_text(struct table *, struct span raw, size_t columns);
void table_blanks(struct table *, size_t count);
void table_left(struct table *, struct span raw, size_t columns, enum table_paint);
void table_right(struct table *, struct span text, size_t columns, enum table_paint);
void table_sentence(struct table *, struct span raw, enum table_paint);
void table_bar(struct table *, double share, size_t columns, enum table_paint);
void table_sparkline(struct table *, const uint64_t growth[REPORT_BUCKETS], size_t columns, enum table_paint);
void table_line_end(struct table *);

/* Parts. */
void table_measure(struct table *);                               /* shares the terminal's columns out */
void table_metric(struct table *, const struct report_metric *);  /* its headline, and a row a tag */
void table_rest(struct table *, size_t from);                     /* a line for each metric from there on */
void table_limits(struct table *);

#endif
