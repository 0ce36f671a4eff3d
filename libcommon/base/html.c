/* html - text and drawings for pages that load nothing and run nothing: escaped, and the same bytes for the same numbers. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/html.h"

#include <math.h>
#include <stdio.h>

#include "base/text.h"

static const char *reference_of(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

/* No character, by Unicode and for HTML: U+FDD0 to U+FDEF, and the last two of each plane. */
static bool is_no_character(uint32_t c)
{
	return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

bool html_append_text(struct buffer *out, struct span text)
{
	size_t start = 0, length;
	char hex[16];
	for (size_t i = 0; i < text.length; i += length) {
		uint32_t c = 0;
		length = text_decode_utf8((struct span){ text.data + i, text.length - i }, &c);
		const char *reference = length == 1 ? reference_of(text.data[i]) : NULL;
		bool bad = length > 2 && is_no_character(c);
		length = length ? length : 1;
		if (!reference && !bad) continue;
		text_append_visible(out, (struct span){ text.data + start, i - start });
		if (bad) snprintf(hex, sizeof hex, "\\u{%04x}", (unsigned)c);
		buffer_append_text(out, bad ? hex : reference);
		start = i + length;
	}
	return start < text.length ? text_append_visible(out, (struct span){ text.data + start, text.length - start }) : !out->failed;
}

bool html_append_head(struct buffer *out, const struct html_page *page)
{
	buffer_append_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-");
	buffer_append_text(out, page->style_sha256);
	buffer_append_text(out, "'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"");
	html_append_text(out, span_of(page->generator));
	buffer_append_text(out, "\">\n<title>");
	html_append_text(out, page->title);
	buffer_append_text(out, "</title>\n<style>");
	buffer_append_text(out, page->style);
	return buffer_append_text(out, "</style>\n</head>\n<body>\n");
}

bool html_append_foot(struct buffer *out)
{
	return buffer_append_text(out, "</body>\n</html>\n");
}

bool html_append_coordinate(struct buffer *out, double value)
{
	char text[40];
	if (!(fabs(value) < 1e9)) value = 0;
	int length = snprintf(text, sizeof text, "%.2f", value);
	while (length && text[length - 1] == '0') length--;
	if (length && text[length - 1] == '.') length--;
	return span_equal((struct span){ text, (size_t)length }, SPAN("-0")) ? buffer_append_byte(out, '0') : buffer_append(out, text, (size_t)length);
}

bool html_append_curve(struct buffer *out, const struct html_curve *c)
{
	for (size_t i = 0; i < c->count && c->count > 1; i++) {
		double share = c->most > 0 ? (double)c->value[i] / c->most : 0;
		buffer_append_text(out, i == 0 ? "M" : i == 1 ? "L" : " ");
		html_append_coordinate(out, c->width * (double)i / (double)(c->count - 1));
		buffer_append_byte(out, ' ');
		html_append_coordinate(out, c->height * (1 - (share > 1 ? 1 : share)));
	}
	return !out->failed;
}

double html_axis_step(double most, int steps)
{
	if (!(most > 0) || !(most < 1e300) || steps < 1) return 1;
	double step = pow(10, floor(log10(most / steps)));
	if (most / step > steps) step *= most / step / 2 <= steps ? 2 : most / step / 5 <= steps ? 5 : 10;
	return step;
}
