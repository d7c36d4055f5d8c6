/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <string.h>

/** A manifest's file is read in pieces of this size. */
#define READ_CHUNK (128u << 10)

_Static_assert(READ_CHUNK > TREE_LINE_MAX, "a line fits into the window");

/** Lines come out of a window over the text: all of it, or what of the file is read. */
struct tree_reader {
	char *what;              /**< names the manifest in errors */
	int fd;                  /**< -1: the window is the whole text */
	char *window;
	size_t start, end;       /**< what of it is not handed out yet */
	uint64_t line;           /**< number of the latest line */
	uint64_t entries;
	struct tree_order order;
	struct tree_line text;   /**< strings of the latest entry */
	struct buf again;        /**< the latest entry, written by us */
};

static struct tree_reader *reader_new(const char *what, size_t window)
{
	struct tree_reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->fd = -1;
	r->what = strdup(what);
	r->window = malloc(window + 1);
	if (r->what == NULL || r->window == NULL) {
		tree_reader_free(r);
		return NULL;
	}
	return r;
}

void tree_reader_free(struct tree_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd != -1)
		close(r->fd);
	free(r->what);
	free(r->window);
	buf_free(&r->again);
	free(r);
}

int tree_reader_from_text(const char *text, size_t n, const char *what, struct tree_reader **ret, struct err *err)
{
	struct tree_reader *r = reader_new(what, n);

	if (r == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read %s", what);
	if (n != 0)
		memcpy(r->window, text, n);
	r->end = n;
	*ret = r;
	return 0;
}

int tree_reader_from_fd(int fd, const char *what, struct tree_reader **ret, struct err *err)
{
	auto_fd owned = fd;
	struct tree_reader *r = reader_new(what, READ_CHUNK);

	if (r == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read %s", what);
	r->fd = move_fd(&owned);
	*ret = r;
	return 0;
}

static int fail(const struct tree_reader *r, const char *fault, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "%s: line %llu: %s", r->what, (unsigned long long)r->line, fault);
}

/** Reads on, as far as the window has room. */
static int fill(struct tree_reader *r, struct err *err)
{
	size_t got;

	if (r->fd == -1)
		return 0;
	memmove(r->window, r->window + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	if (io_read_full(r->fd, r->window + r->end, READ_CHUNK - r->end, &got, err) < 0)
		return err_ctx(err, "%s", r->what);
	r->end += got;
	return 0;
}

/** Takes the next line without its newline. @return 1, 0 at the end, -1. */
static int next_line(struct tree_reader *r, const char **ret, size_t *ret_n, struct err *err)
{
	char *newline = NULL;

	r->line++;
	for (int pass = 0; pass < 2; pass++) {
		size_t left = r->end - r->start;

		newline = left == 0 ? NULL : memchr(r->window + r->start, '\n', left);
		if (newline != NULL || pass == 1)
			break;
		if (fill(r, err) < 0)
			return -1;
	}
	if (newline == NULL)
		return r->start == r->end ? 0 : fail(r, "the line has no end, or too late a one", err);
	*ret = r->window + r->start;
	*ret_n = (size_t)(newline - *ret);
	r->start += *ret_n + 1;
	return 1;
}

static int read_magic(struct tree_reader *r, struct err *err)
{
	const char *line;
	size_t n;
	int got = next_line(r, &line, &n, err);

	if (got < 0)
		return -1;
	if (got == 0 || n != strlen(TREE_MAGIC) - 1 || memcmp(line, TREE_MAGIC, n) != 0)
		return fail(r, "not a manifest: it does not begin with '#mtree'", err);
	return 0;
}

/** Only the text that we would write is taken: one tree, one digest. */
static int check_canonical(struct tree_reader *r, const struct tree_entry *e, const char *line, size_t n,
			   struct err *err)
{
	buf_clear(&r->again);
	tree_line_write(&r->again, e);
	if (buf_check(&r->again, r->what, err) < 0)
		return -1;
	if (r->again.len != n + 1 || memcmp(r->again.data, line, n) != 0)
		return fail(r, "the entry is not in canonical form", err);
	return 0;
}

static int check_place(struct tree_reader *r, const struct tree_entry *e, struct err *err)
{
	bool root = strcmp(e->path, ".") == 0;
	const char *fault = NULL;

	if (r->entries >= TREE_ENTRIES_MAX)
		fault = "too many entries";
	else if (root != (r->entries == 0))
		fault = "'.' is the first entry, and only that";
	else if (!root)
		fault = tree_order_next(&r->order, e->path, e->type == TREE_DIR);
	return fault == NULL ? 0 : fail(r, fault, err);
}

int tree_reader_next(struct tree_reader *r, struct tree_entry *ret, struct err *err)
{
	const char *line;
	size_t n;
	struct tree_entry e;

	if (r->line == 0 && read_magic(r, err) < 0)
		return -1;
	int got = next_line(r, &line, &n, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return r->entries > 0 ? 0 : fail(r, "'.' is missing", err);
	if (!tree_line_parse(line, n, &r->text, &e))
		return fail(r, "not an entry", err);
	if (tree_entry_check(&e, ERR_INPUT, r->what, err) < 0 || check_canonical(r, &e, line, n, err) < 0 ||
	    check_place(r, &e, err) < 0)
		return -1;
	r->entries++;
	*ret = e;
	return 1;
}
