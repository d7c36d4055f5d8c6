/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/licence.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "base/text.h"
#include "inspect/licence_ids.h"

/** Parentheses in one another. */
#define DEPTH_MAX 16
/** Longest identifier that is made of words. */
#define REF_MAX 100

/* ---- identifiers ------------------------------------------------------------------- */

const char *licence_id(const char *name, size_t n)
{
	size_t lo = 0, hi = licence_ids_n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strncasecmp(licence_ids[mid], name, n);

		if (order == 0)
			order = licence_ids[mid][n] == '\0' ? 0 : 1;
		if (order == 0)
			return licence_ids[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool licence_is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr(".-+() :", *s) == NULL)
			return false;
	return true;
}

bool licence_is_id(const char *s)
{
	const char *id = licence_id(s, strlen(s));

	return id != NULL && strcmp(id, s) == 0;
}

/** What others call licences of the list. */
static const struct name {
	const char *theirs, *id;
} names[] = {
	{ "Expat", "MIT" },
	{ "Artistic", "Artistic-1.0" },
	{ "CC0", "CC0-1.0" },
	{ "W3C-Software", "W3C" },
	{ "MIT License", "MIT" },
	{ "The MIT License", "MIT" },
	{ "MIT No Attribution License (MIT-0)", "MIT-0" },
	{ "Apache License 2.0", "Apache-2.0" },
	{ "Apache License, Version 2.0", "Apache-2.0" },
	{ "Apache 2.0", "Apache-2.0" },
	{ "Apache-2.0 License", "Apache-2.0" },
	{ "ASL 2.0", "Apache-2.0" },
	{ "ASL 1.1", "Apache-1.1" },
	{ "MPLv1.1", "MPL-1.1" },
	{ "MPLv2.0", "MPL-2.0" },
	{ "Artistic 2.0", "Artistic-2.0" },
	{ "Boost", "BSL-1.0" },
	{ "3-Clause BSD License", "BSD-3-Clause" },
	{ "BSD 3-Clause License", "BSD-3-Clause" },
	{ "BSD 3-Clause", "BSD-3-Clause" },
	{ "BSD 2-Clause", "BSD-2-Clause" },
	{ "ISC License (ISCL)", "ISC" },
	{ "ISC License", "ISC" },
	{ "PSF", "PSF-2.0" },
	{ "Python Software Foundation License", "PSF-2.0" },
	{ "The Unlicense (Unlicense)", "Unlicense" },
	{ "zlib/libpng License", "Zlib" },
	{ "Boost Software License 1.0 (BSL-1.0)", "BSL-1.0" },
	{ "Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1" },
	{ "Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0" },
	{ "Eclipse Public License 1.0 (EPL-1.0)", "EPL-1.0" },
	{ "Eclipse Public License 2.0 (EPL-2.0)", "EPL-2.0" },
	{ "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0" },
	{ "GNU General Public License v2 (GPLv2)", "GPL-2.0-only" },
	{ "GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later" },
	{ "GNU General Public License v3 (GPLv3)", "GPL-3.0-only" },
	{ "GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later" },
	{ "GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only" },
	{ "GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later" },
	{ "GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only" },
	{ "GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later" },
	{ "GNU Affero General Public License v3", "AGPL-3.0-only" },
	{ "GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later" },
};

static const char *by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i].theirs, name) == 0)
			return names[i].id;
	return NULL;
}

/** "GPL-2+", "GPLv2", "LGPL-2.1+", "GFDL-NIV-1.3": families whose names say "or later" by a plus. */
static const char *by_family(const char *name)
{
	static const struct {
		const char *theirs, *spdx, *middle;
	} families[] = {
		{ "GPL", "GPL", "" }, { "LGPL", "LGPL", "" }, { "AGPL", "AGPL", "" }, { "GFDL-NIV", "GFDL", "-no-invariants" }, { "GFDL", "GFDL", "" },
	};
	char id[64];

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		size_t n = strlen(families[i].theirs);

		if (strncasecmp(name, families[i].theirs, n) != 0)
			continue;
		const char *number = name + n + (name[n] == '-' || name[n] == 'v') + (name[n] == '-' && name[n + 1] == 'v');
		size_t len = strspn(number, "0123456789.");
		bool later = number[len] == '+';
		if (len == 0 || len > 4 || number[len + later] != '\0')
			continue;
		snprintf(id, sizeof id, "%s-%.*s%s%s%s", families[i].spdx, (int)len, number, memchr(number, '.', len) == NULL ? ".0" : "",
			 families[i].middle, later ? "-or-later" : "-only");
		return licence_id(id, strlen(id));
	}
	return NULL;
}

/** "Apache-2", for "Apache-2.0". */
static const char *by_version(const char *name)
{
	char id[64];
	int n = snprintf(id, sizeof id, "%s.0", name);

	return n > 2 && (size_t)n < sizeof id && isdigit((unsigned char)name[n - 3]) ? licence_id(id, (size_t)n) : NULL;
}

/** Appends the words of a name that is on no list, as an identifier. */
static void add_ref(const char *name, struct buf *out)
{
	size_t start = out->len + strlen(LICENCE_REF);

	buf_adds(out, LICENCE_REF);
	for (const char *p = name; *p != '\0' && out->len < start + REF_MAX; p++) {
		bool plain = isalnum((unsigned char)*p) || *p == '.';

		/* A plus says something: "GPL-2+" is not "GPL-2". */
		if (*p == '+')
			buf_adds(out, "-or-later");
		else if (plain || (out->len > start && !out->failed && out->data[out->len - 1] != '-'))
			buf_addc(out, plain ? *p : '-');
	}
	while (!out->failed && out->len > start && out->data[out->len - 1] == '-')
		buf_seal(out, out->len - 1);
	if (out->len == start)
		buf_adds(out, "unknown");
}

/** Appends one licence: a name without operators. */
static void add_one(const char *name, struct buf *out)
{
	size_t n = strlen(name);
	bool plus = n > 1 && name[n - 1] == '+';
	/* First: "GPL-2.0+" and "GPL-2.0" are on the list, as what is no longer to be used. */
	const char *id = by_family(name);

	if (id == NULL)
		id = licence_id(name, n);
	if (id == NULL && text_starts(name, LICENCE_REF) && licence_is_plain(name) && strpbrk(name, "+() :") == NULL && name[strlen(LICENCE_REF)] != '\0')
		id = name;
	if (id == NULL)
		id = by_name(name);
	if (id == NULL)
		id = by_version(name);
	if (id != NULL)
		buf_adds(out, id);
	else if (plus && (id = licence_id(name, n - 1)) != NULL)
		buf_addf(out, "%s+", id);
	else
		add_ref(name, out);
}

/* ---- expressions -------------------------------------------------------------------------- */

/** A text being read. */
struct reading {
	const char *at;
	int depth;
};

/** What comes next. */
enum token { T_END, T_OPEN, T_CLOSE, T_COMMA, T_AND, T_OR, T_WITH, T_WORD };

static enum token look(struct reading *r, size_t *ret_n)
{
	static const struct { const char *word; enum token token; } operators[] = { { "and", T_AND }, { "or", T_OR }, { "with", T_WITH } };

	r->at += strspn(r->at, " \t\n");
	*ret_n = 1;
	switch (*r->at) {
	case '\0':
		return T_END;
	case '(':
		return T_OPEN;
	case ')':
		return T_CLOSE;
	case ',':
		return T_COMMA;
	}
	*ret_n = strcspn(r->at, " \t\n(),");
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (*ret_n == strlen(operators[i].word) && strncasecmp(r->at, operators[i].word, *ret_n) == 0)
			return operators[i].token;
	return T_WORD;
}

static bool read_low(struct reading *r, struct buf *out);

/** Appends the words up to the next operator. */
static void read_words(struct reading *r, struct buf *out)
{
	size_t n;

	while (look(r, &n) == T_WORD) {
		if (out->len > 0)
			buf_addc(out, ' ');
		buf_add(out, r->at, n);
		r->at += n;
	}
}

/** A licence, maybe with an exception; one that is on no list is a part of the licence's name. */
static bool read_licence(struct reading *r, struct buf *out)
{
	auto_buf name = {0};
	auto_buf exception = {0};
	size_t n;

	read_words(r, &name);
	if (name.len == 0 || name.failed)
		return false;
	if (look(r, &n) != T_WITH) {
		add_one(name.data, out);
		return true;
	}
	r->at += n;
	read_words(r, &exception);
	if (exception.len == 0 || exception.failed)
		return false;
	const char *id = licence_id(exception.data, exception.len);
	if (id != NULL) {
		add_one(name.data, out);
		buf_addf(out, " WITH %s", id);
	} else {
		buf_addf(&name, " with %s", exception.data);
		if (name.failed)
			return false;
		add_ref(name.data, out);
	}
	return true;
}

static bool read_atom(struct reading *r, struct buf *out)
{
	auto_buf inside = {0};
	size_t n;

	if (look(r, &n) != T_OPEN)
		return read_licence(r, out);
	if (++r->depth > DEPTH_MAX)
		return false;
	r->at++;
	if (!read_low(r, &inside) || inside.failed || look(r, &n) != T_CLOSE)
		return false;
	r->at++;
	r->depth--;
	buf_addf(out, strchr(inside.data, ' ') != NULL ? "(%s)" : "%s", inside.data);
	return true;
}

/** One operand or more, with @p joint between them, which is written as @p word. */
static bool read_chain(struct reading *r, bool (*operand)(struct reading *, struct buf *), enum token joint, const char *word, struct buf *out)
{
	size_t n;

	if (!operand(r, out))
		return false;
	while (look(r, &n) == joint) {
		r->at += n;
		buf_adds(out, word);
		if (!operand(r, out))
			return false;
	}
	return true;
}

static bool read_and(struct reading *r, struct buf *out)
{
	return read_chain(r, read_atom, T_AND, " AND ", out);
}

static bool read_or(struct reading *r, struct buf *out)
{
	return read_chain(r, read_and, T_OR, " OR ", out);
}

bool licence_is_choice(const char *expression)
{
	int depth = 0;

	for (const char *p = expression; *p != '\0'; p++) {
		depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
		if (depth == 0 && text_starts(p, " OR "))
			return true;
	}
	return false;
}

/** Appends an operand of what binds least, in parentheses where it is more than one licence. */
static void add_operand(const struct buf *one, struct buf *out)
{
	bool more = strstr(one->data, " OR ") != NULL || strstr(one->data, " AND ") != NULL;

	buf_addf(out, more ? "(%s)" : "%s", one->data);
}

/** "A or B, and C": a comma makes an operator bind less. */
static bool read_low(struct reading *r, struct buf *out)
{
	auto_buf first = {0};
	size_t n;

	if (!read_or(r, &first) || first.failed)
		return false;
	if (look(r, &n) != T_COMMA) {
		buf_add(out, first.data, first.len);
		return true;
	}
	add_operand(&first, out);
	while (look(r, &n) == T_COMMA) {
		auto_buf next = {0};

		r->at++;
		enum token t = look(r, &n);
		if (t != T_AND && t != T_OR)
			return false;
		r->at += n;
		if (!read_or(r, &next) || next.failed)
			return false;
		buf_adds(out, t == T_AND ? " AND " : " OR ");
		add_operand(&next, out);
	}
	return true;
}

void licence_expression(const char *text, enum licence_words words, struct buf *out)
{
	const char *last = words == LICENCE_CLASSIFIER ? strrchr(text, ':') : NULL;
	auto_buf made = {0};
	size_t n;

	if (last != NULL)
		text = last + 1;
	text += strspn(text, " \t\n");
	if (text[0] == '\0' || strlen(text) > LICENCE_TEXT_MAX)
		return;
	const char *id = by_name(text);
	struct reading r = { .at = text };
	if (id != NULL)
		buf_adds(&made, id);
	else if (words == LICENCE_CLASSIFIER || !read_low(&r, &made) || look(&r, &n) != T_END) {
		buf_clear(&made);
		add_ref(text, &made);
	}
	if (made.failed)
		out->failed = true;
	else
		buf_add(out, made.data, made.len);
}
