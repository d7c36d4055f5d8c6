/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ignore.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "fetch/glob.h"

/** One line. */
struct pattern {
	struct glob *glob;
	char *literal;   /**< instead of a glob: no byte of the pattern is special */
	bool negative;   /**< "!…": brings back in */
	bool dirs_only;  /**< "…/" */
	bool by_path;    /**< holds a slash: matched against the path from its file's directory; else against the name alone */
};

/** The patterns of one file. */
struct list {
	struct pattern *patterns;
	size_t n, cap;
	size_t bytes;    /**< of the text */
	size_t lines;
	size_t base;     /**< bytes of a path that lead to the file's directory, with the slash */
	struct list *up; /**< of the directory above */
};

struct ignore {
	struct list *deepest;
	struct list exclude;
};

_Static_assert(IGNORE_LINE_MAX <= GLOB_PATTERN_MAX, "each line is a pattern");

static void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		glob_free(l->patterns[i].glob);
		free(l->patterns[i].literal);
	}
	free(l->patterns);
}

static struct pattern *new_pattern(struct list *l)
{
	if (!array_room(&l->patterns, l->n, &l->cap))
		return NULL;
	l->patterns[l->n] = (struct pattern){0};
	return &l->patterns[l->n++];
}

/** Length without the spaces at the end, of which "\ " is none. */
static size_t trim(const char *s, size_t n)
{
	size_t keep = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == ' ')
			continue;
		if (s[i] == '\\' && i + 1 < n)
			i++;
		keep = i + 1;
	}
	return keep;
}

static bool is_special(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("*?[\\", s[i]) != NULL)
			return true;
	return false;
}

/** Adds a line without its end; comments and blank ones are nothing. */
static int add_line(struct list *l, const char *s, size_t n, struct err *err)
{
	l->lines++;
	if (n > IGNORE_LINE_MAX)
		return err_set(err, ERR_INPUT, 0, "line %zu is longer than %u bytes", l->lines, IGNORE_LINE_MAX);
	n = trim(s, n);
	if (n == 0 || s[0] == '#')
		return 0;
	struct pattern *p = new_pattern(l);
	if (p == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read ignore patterns");
	p->negative = s[0] == '!';
	s += p->negative;
	n -= p->negative;
	p->dirs_only = n > 0 && s[n - 1] == '/';
	n -= p->dirs_only;
	p->by_path = memchr(s, '/', n) != NULL;
	if (n > 0 && s[0] == '/') {
		s++;
		n--;
	}
	if (is_special(s, n))
		p->glob = glob_new(s, n);
	else
		p->literal = strndup(s, n);
	if (p->glob == NULL && p->literal == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read ignore patterns");
	return 0;
}

static int add_text(struct list *l, const char *s, size_t n, struct err *err)
{
	const char *end = s + n;

	l->bytes = n;
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	while (s < end) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline == NULL ? end : newline;
		size_t len = (size_t)(stop - s);

		if (len > 0 && s[len - 1] == '\r')
			len--;
		if (add_line(l, s, len, err) < 0)
			return -1;
		if (newline == NULL)
			break;
		s = newline + 1;
	}
	return 0;
}

/** Holds what is in force, with @p deepest, to the limits. */
static int check_sum(const struct ignore *ig, const struct list *deepest, struct err *err)
{
	size_t patterns = ig->exclude.n, bytes = ig->exclude.bytes;

	for (const struct list *l = deepest; l != NULL; l = l->up) {
		patterns += l->n;
		bytes += l->bytes;
	}
	if (patterns > IGNORE_PATTERNS_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %u patterns, with those above it", IGNORE_PATTERNS_MAX);
	if (bytes > IGNORE_BYTES_MAX)
		return err_set(err, ERR_INPUT, 0, "it and those above it come to more than %u bytes", IGNORE_BYTES_MAX);
	return 0;
}

/** Adds the patterns of the spec. */
static int add_exclude(struct ignore *ig, const char *const *exclude, struct err *err)
{
	for (; exclude != NULL && *exclude != NULL; exclude++) {
		size_t n = strlen(*exclude);

		if (add_line(&ig->exclude, *exclude, n, err) < 0)
			return -1;
		ig->exclude.bytes += n;
	}
	return check_sum(ig, NULL, err);
}

int ignore_new(const char *const *exclude, struct ignore **ret, struct err *err)
{
	auto_ignore ig = calloc(1, sizeof *ig);

	if (ig == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read ignore patterns");
	if (add_exclude(ig, exclude, err) < 0)
		return err_ctx(err, "'exclude'");
	*ret = move_ptr(ig);
	return 0;
}

void ignore_free(struct ignore *ig)
{
	if (ig == NULL)
		return;
	while (ig->deepest != NULL)
		ignore_leave(ig);
	list_clear(&ig->exclude);
	free(ig);
}

int ignore_enter(struct ignore *ig, const char *path, const char *text, size_t n, struct err *err)
{
	struct list *l = calloc(1, sizeof *l);

	if (l == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read ignore patterns");
	bool top = strcmp(path, ".") == 0;
	l->base = top ? 0 : strlen(path) + 1;
	l->up = ig->deepest;
	if (add_text(l, text, n, err) < 0 || check_sum(ig, l, err) < 0) {
		list_clear(l);
		free(l);
		return err_ctx(err, "'%.1000s%s.gitignore'", top ? "" : path, top ? "" : "/");
	}
	ig->deepest = l;
	return 0;
}

void ignore_leave(struct ignore *ig)
{
	struct list *l = ig->deepest;

	ig->deepest = l->up;
	list_clear(l);
	free(l);
}

static bool matches(const struct pattern *p, const char *path, const char *name, bool is_dir)
{
	const char *text = p->by_path ? path : name;

	if (p->dirs_only && !is_dir)
		return false;
	return p->literal != NULL ? strcmp(p->literal, text) == 0 : glob_match(p->glob, text);
}

/** The last pattern of a list that matches: it decides. NULL when none does. */
static const struct pattern *decide(const struct list *l, const char *path, bool is_dir)
{
	const char *name = text_path_name(path);

	for (size_t i = l->n; i > 0; i--)
		if (matches(&l->patterns[i - 1], path + l->base, name, is_dir))
			return &l->patterns[i - 1];
	return NULL;
}

bool ignore_has(const struct ignore *ig, const char *path, bool is_dir)
{
	const struct pattern *p = decide(&ig->exclude, path, is_dir);

	for (const struct list *l = ig->deepest; p == NULL && l != NULL; l = l->up)
		p = decide(l, path, is_dir);
	return p != NULL && !p->negative;
}
