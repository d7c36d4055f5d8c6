/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/pieces.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/** Of a text, the first bytes that have to look like one. */
#define TEXT_SEEN 8192
/** Pairs that are asked for a cause. */
#define PAIRS_ASKED 2000

struct piece {
	struct words w;
	size_t place;   /* in its row */
};

struct row {
	struct piece *v;
	size_t n;
};

static void row_clear(struct row *r)
{
	free(r->v);
	*r = (struct row){0};
}
#define auto_row __attribute__((cleanup(row_clear))) struct row

bool pieces_is_text(const char *data, size_t n)
{
	n = n < TEXT_SEEN ? n : TEXT_SEEN;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x20 && strchr("\t\n\r\f\033", c) == NULL)
			return false;
		if (c == 0)
			return false;
	}
	return n > 0;
}

static bool is_printable(char c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t';
}

/** The next piece from *at on; false at the end. */
static bool next_piece(const struct buf *b, bool text, size_t *at, struct words *ret)
{
	while (*at < b->len) {
		size_t start = *at, end = start;

		if (text) {
			const char *nl = memchr(b->data + start, '\n', b->len - start);

			end = nl == NULL ? b->len : (size_t)(nl - b->data);
			*at = end + 1;
		} else {
			while (end < b->len && is_printable(b->data[end]))
				end++;
			*at = end + 1;
			if (end - start < PIECES_STRING_MIN)
				continue;
		}
		*ret = (struct words){ b->data + start, end - start };
		return true;
	}
	return false;
}

static int take_apart(const struct buf *b, bool text, struct row *ret, struct err *err)
{
	size_t room = 0, at = 0;
	struct words w;

	while (ret->n < PIECES_MAX && next_piece(b, text, &at, &w)) {
		if (ret->n == room) {
			struct piece *grown = reallocarray(ret->v, room * 2 + 64, sizeof *grown);

			if (grown == NULL)
				return err_set(err, ERR_INTERNAL, ENOMEM, "compare strings");
			ret->v = grown;
			room = room * 2 + 64;
		}
		ret->v[ret->n] = (struct piece){ .w = w, .place = ret->n };
		ret->n++;
	}
	return 0;
}

static int compare_words(struct words x, struct words y)
{
	int order = memcmp(x.s, y.s, x.n < y.n ? x.n : y.n);

	return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

static int by_bytes(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int order = compare_words(x->w, y->w);

	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

/** As locales with languages sort: letters and digits alone, in either case. */
static int by_language(struct words a, struct words b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.n && !isalnum((unsigned char)a.s[i]))
			i++;
		while (j < b.n && !isalnum((unsigned char)b.s[j]))
			j++;
		if (i == a.n || j == b.n)
			return (i < a.n) - (j < b.n);
		int order = tolower((unsigned char)a.s[i++]) - tolower((unsigned char)b.s[j++]);
		if (order != 0)
			return order;
	}
}

static bool is_sorted(const struct row *r, int (*compare)(struct words, struct words))
{
	for (size_t i = 1; i < r->n; i++)
		if (compare(r->v[i - 1].w, r->v[i].w) > 0)
			return false;
	return true;
}

/** The same pieces in another order: place[i] is where the piece i of B is in A. */
static enum cause of_order(const struct row *a, const struct row *b, const size_t *place, size_t n)
{
	bool a_bytes = is_sorted(a, compare_words), b_bytes = is_sorted(b, compare_words);

	if (a_bytes != b_bytes && is_sorted(a_bytes ? b : a, by_language))
		return CAUSE_LOCALE;
	return cause_of_places(place, n);
}

/** What two sorted copies do not share, in the order of their places; *ret_place where all is shared. */
static int sift(struct row *a, struct row *b, size_t *place)
{
	size_t i = 0, j = 0, n = 0, m = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : j == b->n ? -1 : compare_words(a->v[i].w, b->v[j].w);

		if (order == 0) {
			place[b->v[j].place] = a->v[i].place;
			i++;
			j++;
		} else if (order < 0) {
			a->v[n++] = a->v[i++];
		} else {
			b->v[m++] = b->v[j++];
		}
	}
	a->n = n;
	b->n = m;
	if (n > 0)
		qsort(a->v, n, sizeof *a->v, by_place);
	if (m > 0)
		qsort(b->v, m, sizeof *b->v, by_place);
	return n + m == 0;
}

static void tell_order(struct look *l, json_t *node, const struct row *a, const struct row *b, const size_t *place)
{
	auto_buf evidence = {0};
	size_t first = 0;

	while (first < b->n && place[first] == first)
		first++;
	/* Not one is out of its place: what differs lies between them. */
	if (first == b->n)
		return;
	buf_addf(&evidence, "the same %zu lines or strings in another order: ", a->n);
	node_evidence(&evidence, a->v[first].w, b->v[first].w);
	if (evidence.failed)
		l->failed = true;
	else
		node_cause(l, node, of_order(a, b, place, b->n), evidence.data);
	node_strings(l, node, &a->v[first].w, &b->v[first].w);
}

/** Asks each pair of what only one side has. */
static void tell_pairs(struct look *l, json_t *node, const struct row *a, const struct row *b)
{
	size_t both = a->n < b->n ? a->n : b->n, most = a->n > b->n ? a->n : b->n;

	for (size_t i = 0; i < most && i < PAIRS_ASKED; i++) {
		const struct words *x = i < a->n ? &a->v[i].w : NULL, *y = i < b->n ? &b->v[i].w : NULL;

		node_strings(l, node, x, y);
		if (i < both)
			node_causes(l, node, cause_of_words(*x, *y), "", *x, *y);
	}
}

int pieces_compare(struct look *l, json_t *node, const struct slice *a, const struct slice *b, bool text, struct err *err)
{
	auto_buf x = {0};
	auto_buf y = {0};
	auto_row in_a = {0}, in_b = {0}, only_a = {0}, only_b = {0};

	if (node == NULL)
		return 0;
	if (bytes_load(a, PIECES_BYTES, &x, err) < 0 || bytes_load(b, PIECES_BYTES, &y, err) < 0 ||
	    take_apart(&x, text, &in_a, err) < 0 || take_apart(&y, text, &in_b, err) < 0 ||
	    take_apart(&x, text, &only_a, err) < 0 || take_apart(&y, text, &only_b, err) < 0)
		return -1;
	auto_free size_t *place = calloc(in_b.n + 1, sizeof *place);
	if (place == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare strings");
	if (only_a.n > 0)
		qsort(only_a.v, only_a.n, sizeof *only_a.v, by_bytes);
	if (only_b.n > 0)
		qsort(only_b.v, only_b.n, sizeof *only_b.v, by_bytes);
	if (sift(&only_a, &only_b, place))
		tell_order(l, node, &in_a, &in_b, place);
	else
		tell_pairs(l, node, &only_a, &only_b);
	return 0;
}
