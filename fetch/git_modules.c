/* SPDX-License-Identifier: Apache-2.0 */
/* .gitmodules: the part of git-config(1)'s syntax that git writes there. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fetch/git_object.h"

void git_modules_clear(struct git_modules *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].url);
	}
	free(m->v);
	*m = (struct git_modules){0};
}

const char *git_modules_url(const struct git_modules *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].path != NULL && strcmp(m->v[i].path, path) == 0)
			return m->v[i].url;
	return NULL;
}

struct parser {
	struct git_modules *m;
	bool inside;        /**< of a section [submodule "…"], whose entry is the last one */
	unsigned line;
	struct err *err;
};

static int refuse(const struct parser *p, const char *why)
{
	return err_set(p->err, ERR_INPUT, 0, ".gitmodules:%u: %s", p->line, why);
}

static int no_memory(const struct parser *p)
{
	return err_set(p->err, ERR_INTERNAL, ENOMEM, "read .gitmodules");
}

static int add_module(struct parser *p)
{
	struct git_modules *m = p->m;

	if (m->n == GIT_SUBMODULES_MAX)
		return refuse(p, "too many submodules");
	struct git_module *grown = reallocarray(m->v, m->n + 1, sizeof *grown);
	if (grown == NULL)
		return no_memory(p);
	m->v = grown;
	m->v[m->n++] = (struct git_module){0};
	return 0;
}

/** [SECTION] or [SECTION "NAME"]; one that is a line of its own, as git writes it. */
static int read_section(struct parser *p, const char *s)
{
	size_t n = strlen(s);

	if (s[n - 1] != ']')
		return refuse(p, "a section that does not end on its line");
	p->inside = strncasecmp(s, "[submodule \"", 12) == 0 && n > 14 && s[n - 2] == '"';
	return p->inside ? add_module(p) : 0;
}

/** A value without its quotes, escapes, comment and surrounding white space. NULL: malformed, or memory. */
static char *read_value(const char *s)
{
	auto_buf out = {0};
	size_t kept = 0;
	bool quoted = false;

	for (; *s != '\0'; s++) {
		if (*s == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (*s == '#' || *s == ';'))
			break;
		if (*s == '\\') {
			s++;
			if (*s != '\\' && *s != '"')
				return NULL;
		}
		buf_addc(&out, *s);
		if (quoted || (*s != ' ' && *s != '\t'))
			kept = out.len;
	}
	if (quoted || out.failed)
		return NULL;
	if (out.data != NULL)
		buf_seal(&out, kept);
	return buf_take(&out);
}

/** Keeps path and url; the last one stands, as for git. */
static int read_variable(struct parser *p, const char *s)
{
	size_t n = strcspn(s, "= \t");
	const char *rest = s + n + strspn(s + n, " \t");
	struct git_module *m = p->inside ? &p->m->v[p->m->n - 1] : NULL;
	char **to = NULL;

	if (m != NULL && n == 4 && strncasecmp(s, "path", 4) == 0)
		to = &m->path;
	else if (m != NULL && n == 3 && strncasecmp(s, "url", 3) == 0)
		to = &m->url;
	if (to == NULL || *rest != '=')
		return 0;
	rest += 1 + strspn(rest + 1, " \t");
	char *value = read_value(rest);
	if (value == NULL)
		return refuse(p, "a value with an unclosed quote or an unknown escape");
	free(*to);
	*to = value;
	return 0;
}

static int read_line(struct parser *p, char *s)
{
	size_t n = strlen(s);

	while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	s += strspn(s, " \t");
	if (*s == '\0' || *s == '#' || *s == ';')
		return 0;
	if (s[strlen(s) - 1] == '\\')
		return refuse(p, "a continued line");
	return *s == '[' ? read_section(p, s) : read_variable(p, s);
}

int git_modules_parse(const char *text, size_t n, struct git_modules *ret, struct err *err)
{
	auto_git_modules m = {0};
	struct parser p = { .m = &m, .err = err };
	auto_free char *copy = n > GIT_MODULES_MAX ? NULL : strndup(text == NULL ? "" : text, n);
	char *next = copy, *line;

	if (n > GIT_MODULES_MAX || memchr(text == NULL ? "" : text, '\0', n) != NULL)
		return err_set(err, ERR_INPUT, 0, ".gitmodules: larger than %u bytes, or with a NUL", GIT_MODULES_MAX);
	if (copy == NULL)
		return no_memory(&p);
	while ((line = strsep(&next, "\n")) != NULL) {
		p.line++;
		if (read_line(&p, line) < 0)
			return -1;
	}
	*ret = m;
	m = (struct git_modules){0};
	return 0;
}
