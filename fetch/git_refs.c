/* SPDX-License-Identifier: Apache-2.0 */
/* Confined readers of refs: a packed-refs file, and what git-ls-remote(1) answers. */
#include "fetch/git_read.h"

#include <errno.h>
#include <string.h>

#include "fetch/git_place.h"

/** A whole packed-refs file, and what is said of it. */
#define READER_MEMORY (512ull << 20)

/* ---- packed-refs ------------------------------------------------------------------ */

/** A line: "NAME REF"; comments, and what tags peel to, are passed over. */
static void parse_line(const char *line, size_t n, struct buf *ret)
{
	const char *space = memchr(line, ' ', n);
	struct git_ref r = {0};

	if (space == NULL || !git_name_parse(line, (size_t)(space - line), &r.name) || memchr(space, '\0', n - (size_t)(space - line)) != NULL)
		return;
	r.ref_size = (uint32_t)(n - (size_t)(space - line));
	buf_add(ret, &r, sizeof r);
	buf_add(ret, space + 1, r.ref_size - 1);
	buf_addc(ret, '\0');
}

void git_packed_parse(const char *text, size_t n, struct buf *ret)
{
	for (const char *line = text, *end = text + n; line < end; ) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((newline == NULL ? end : newline) - line);

		parse_line(line, len, ret);
		line += len + 1;
	}
}

static int read_packed(void *arg, int out, struct err *err)
{
	const int *fd = arg;
	auto_buf text = {0};
	auto_buf refs = {0};

	if (io_read_all(*fd, GIT_REFS_MAX, &text, err) < 0)
		return -1;
	git_packed_parse(text.data == NULL ? "" : text.data, text.len, &refs);
	return buf_check(&refs, "packed-refs", err) < 0 ? -1 : io_write_all(out, refs.data, refs.len, err);
}

int git_read_packed(int fd, struct buf *ret, struct err *err)
{
	const struct confine_conf conf = {
		.what = "the reader of packed-refs", .fn = read_packed, .arg = &fd, .fds = &fd, .nfds = 1, .kind = ERR_INPUT, .memory = READER_MEMORY,
	};

	auto_buf refs = {0};
	struct git_name name;
	const char *ref;
	size_t at = 0;

	/* The shortest line has 42 bytes, and becomes no twice as many. */
	if (confine_run(&conf, 2 * (size_t)GIT_REFS_MAX + sizeof(struct git_ref), &refs, err) < 0)
		return -1;
	while (git_ref_next(&refs, &at, &name, &ref))
		;
	if (at != refs.len)
		return err_set(err, ERR_INPUT, 0, "the reader of packed-refs says what makes no sense");
	buf_free(ret);
	*ret = refs;
	refs = (struct buf){0};
	return 0;
}

bool git_ref_next(const struct buf *refs, size_t *at, struct git_name *ret, const char **ret_ref)
{
	struct git_ref r;

	if (refs->len - *at < sizeof r)
		return false;
	memcpy(&r, refs->data + *at, sizeof r);
	const char *ref = refs->data + *at + sizeof r;
	if (r.ref_size == 0 || refs->len - *at - sizeof r < r.ref_size || strnlen(ref, r.ref_size) != r.ref_size - 1u ||
	    !git_name_parse(r.name.hex, strnlen(r.name.hex, sizeof r.name.hex), ret))
		return false;
	*ret_ref = ref;
	*at += sizeof r + r.ref_size;
	return true;
}

/* ---- a remote's ------------------------------------------------------------------------ */

struct lookup {
	const struct buf *answer;
	char *const *names;
	size_t n;
};

/** Takes one line, "NAME TAB REF"; what a tag peels to ("REF^{}") stands behind the tag. */
static void take_remote(const char *line, size_t len, char *const *names, size_t n, struct git_name *ret)
{
	const char *tab = memchr(line, '\t', len);
	struct git_name name;

	if (tab == NULL || !git_name_parse(line, (size_t)(tab - line), &name))
		return;
	const char *ref = tab + 1;
	size_t ref_len = len - (size_t)(ref - line);
	if (ref_len > 3 && memcmp(ref + ref_len - 3, "^{}", 3) == 0)
		ref_len -= 3;
	for (size_t i = 0; i < n; i++)
		if (names[i] != NULL && strlen(names[i]) == ref_len && memcmp(names[i], ref, ref_len) == 0)
			ret[i] = name;
}

void git_remote_parse(const char *text, size_t len, char *const *names, size_t n, struct git_name *ret)
{
	for (const char *line = text, *end = text + len; line < end; ) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t line_len = (size_t)((newline == NULL ? end : newline) - line);

		take_remote(line, line_len, names, n, ret);
		line += line_len + 1;
	}
}

static int read_remote(void *arg, int out, struct err *err)
{
	const struct lookup *l = arg;
	auto_free struct git_name *found = calloc(l->n, sizeof *found);

	if (found == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "look for a ref");
	git_remote_parse(l->answer->data == NULL ? "" : l->answer->data, l->answer->len, l->names, l->n, found);
	return io_write_all(out, found, l->n * sizeof *found, err);
}

int git_read_remote(const struct buf *answer, char *const *names, size_t n, struct git_name *ret, struct err *err)
{
	struct lookup l = { answer, names, n };
	const struct confine_conf conf = { .what = "the reader of refs", .fn = read_remote, .arg = &l, .kind = ERR_INPUT };
	auto_buf found = {0};
	struct git_name name;

	if (confine_run(&conf, n * sizeof *ret, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *hex = found.data + i * sizeof *ret;

		if (found.len != n * sizeof *ret || (hex[0] != '\0' && !git_name_parse(hex, strnlen(hex, sizeof *ret), &name)))
			return err_set(err, ERR_INPUT, 0, "the reader of refs says what makes no sense");
	}
	memcpy(ret, found.data, n * sizeof *ret);
	return 0;
}
