/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/glob.h"

#include <stdlib.h>
#include <string.h>

/** A set of bytes. */
struct set {
	uint64_t bits[4];
};

enum token_kind {
	TOKEN_BYTE,      /**< this byte */
	TOKEN_ANY,       /**< one byte, but '/' */
	TOKEN_SET,       /**< one byte of a set */
	TOKEN_STAR,      /**< any bytes but '/', or none */
	TOKEN_GLOBSTAR,  /**< any bytes, or none */
	TOKEN_DIRS,      /**< the same with a TOKEN_BYTE '/' behind it, and the two together may be nothing */
};

/** Small: there is one for nearly each byte of all patterns. */
struct token {
	uint8_t kind;    /**< enum token_kind */
	unsigned char byte;
	uint16_t set;    /**< index */
};

_Static_assert(GLOB_PATTERN_MAX <= UINT16_MAX, "each set has an index");

/** The pattern as an automaton: state i waits at token i, state n has matched. */
struct glob {
	struct token *tokens;
	size_t n;
	struct set *sets;
	uint16_t nsets;
	bool broken;     /**< malformed: matches nothing */
	uint64_t *now, *next;  /**< sets of states, for glob_match() */
};

/** What is left of a pattern. */
struct input {
	const char *p, *start, *end;
};

static void set_add(struct set *s, unsigned char c)
{
	s->bits[c / 64] |= 1ull << (c % 64);
}

static void set_add_range(struct set *s, unsigned char from, unsigned char to)
{
	for (unsigned c = from; c <= to; c++)
		set_add(s, (unsigned char)c);
}

static bool set_has(const struct set *s, unsigned char c)
{
	return (s->bits[c / 64] >> (c % 64)) & 1;
}

/** The classes of POSIX in the C locale, as ranges. */
static const struct {
	const char *name;
	const char *ranges;
} classes[] = {
	{ "alnum", "09AZaz" }, { "alpha", "AZaz" }, { "blank", "  \t\t" }, { "cntrl", "\001\037\177\177" },
	{ "digit", "09" }, { "graph", "!~" }, { "lower", "az" }, { "print", " ~" },
	{ "punct", "!/:@[`{~" }, { "space", "\t\r  " }, { "upper", "AZ" }, { "xdigit", "09AFaf" },
};

static bool set_add_class(struct set *s, const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		if (strlen(classes[i].name) != n || memcmp(classes[i].name, name, n) != 0)
			continue;
		for (const char *r = classes[i].ranges; *r != '\0'; r += 2)
			set_add_range(s, (unsigned char)r[0], (unsigned char)r[1]);
		return true;
	}
	return false;
}

/** Takes a class "[:name:]" at the input, when one is there. @return 1, 0 when none is, -1 when its name is unknown. */
static int take_class(struct input *in, struct set *s)
{
	if (in->end - in->p < 2 || in->p[0] != '[' || in->p[1] != ':')
		return 0;
	const char *name = in->p + 2;
	const char *close = memchr(name, ']', (size_t)(in->end - name));
	if (close == NULL)
		return -1;
	if (close == name || close[-1] != ':')
		return 0;
	in->p = close + 1;
	return set_add_class(s, name, (size_t)(close - 1 - name)) ? 1 : -1;
}

/** Takes one byte of a set, perhaps escaped. @return it, or -1 at the end. */
static int take_byte(struct input *in)
{
	if (in->p < in->end && *in->p == '\\')
		in->p++;
	return in->p < in->end ? (unsigned char)*in->p++ : -1;
}

/** Takes a byte or a range. */
static bool take_range(struct input *in, struct set *s)
{
	int from = take_byte(in);

	if (from < 0)
		return false;
	if (in->end - in->p < 2 || in->p[0] != '-' || in->p[1] == ']') {
		set_add(s, (unsigned char)from);
		return true;
	}
	in->p++;
	int to = take_byte(in);
	if (to < 0)
		return false;
	/* The first is in it even where the range is upside down. */
	set_add(s, (unsigned char)from);
	if (from <= to)
		set_add_range(s, (unsigned char)from, (unsigned char)to);
	return true;
}

/** Takes a bracket expression; the input stands behind its '['. */
static bool take_set(struct input *in, struct set *s)
{
	bool negated = in->p < in->end && (*in->p == '!' || *in->p == '^');

	in->p += negated;
	/* A ']' that comes first is one of the set. */
	for (bool first = true; first || in->p == in->end || *in->p != ']'; first = false) {
		int class = take_class(in, s);

		if (class < 0 || (class == 0 && !take_range(in, s)))
			return false;
	}
	in->p++;
	for (size_t i = 0; negated && i < 4; i++)
		s->bits[i] = ~s->bits[i];
	s->bits['/' / 64] &= ~(1ull << ('/' % 64));
	return true;
}

/** Takes a run of stars; the input stands behind the first. */
static enum token_kind take_stars(struct input *in)
{
	bool at_start = in->p - 1 == in->start || in->p[-2] == '/';
	const char *first = in->p;

	while (in->p < in->end && *in->p == '*')
		in->p++;
	if (in->p == first || !at_start)
		return TOKEN_STAR;
	if (in->p == in->end)
		return TOKEN_GLOBSTAR;
	if (*in->p == '/')
		return TOKEN_DIRS;
	return in->end - in->p >= 2 && in->p[0] == '\\' && in->p[1] == '/' ? TOKEN_GLOBSTAR : TOKEN_STAR;
}

static struct token new_set(struct glob *g)
{
	g->sets[g->nsets] = (struct set){0};
	return (struct token){ .kind = TOKEN_SET, .set = g->nsets++ };
}

/** Takes one token off the pattern; false when it is malformed. */
static bool take_token(struct glob *g, struct input *in, struct token *ret)
{
	char c = *in->p++;

	switch (c) {
	case '*':
		*ret = (struct token){ .kind = take_stars(in) };
		return true;
	case '?':
		*ret = (struct token){ .kind = TOKEN_ANY };
		return true;
	case '[':
		*ret = new_set(g);
		return take_set(in, &g->sets[ret->set]);
	case '\\':
		if (in->p == in->end)
			return false;
		c = *in->p++;
		__attribute__((fallthrough));
	default:
		*ret = (struct token){ .kind = TOKEN_BYTE, .byte = (unsigned char)c };
		return true;
	}
}

static size_t words(const struct glob *g)
{
	return g->n / 64 + 1;
}

/** Compiles into @p g, which has nothing yet. False when memory is short. */
static bool compile(struct glob *g, const char *pattern, size_t n)
{
	struct input in = { pattern, pattern, pattern + n };
	size_t brackets = 1;

	for (size_t i = 0; i < n; i++)
		brackets += pattern[i] == '[';
	g->tokens = calloc(n + 1, sizeof *g->tokens);
	g->sets = calloc(brackets, sizeof *g->sets);
	if (g->tokens == NULL || g->sets == NULL)
		return false;
	while (in.p < in.end && !g->broken)
		g->broken = !take_token(g, &in, &g->tokens[g->n++]);
	/* Most brackets may lie within others. */
	struct set *fitting = reallocarray(g->sets, (size_t)g->nsets + 1, sizeof *fitting);
	if (fitting != NULL)
		g->sets = fitting;
	g->now = calloc(words(g), sizeof *g->now);
	g->next = calloc(words(g), sizeof *g->next);
	return g->now != NULL && g->next != NULL;
}

struct glob *glob_new(const char *pattern, size_t n)
{
	struct glob *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	if (n > GLOB_PATTERN_MAX) {
		g->broken = true;
	} else if (!compile(g, pattern, n)) {
		glob_free(g);
		return NULL;
	}
	return g;
}

void glob_free(struct glob *g)
{
	if (g == NULL)
		return;
	free(g->tokens);
	free(g->sets);
	free(g->now);
	free(g->next);
	free(g);
}

static void set_state(uint64_t *states, size_t i)
{
	states[i / 64] |= 1ull << (i % 64);
}

/** Enters a state, and those that it leads to without a byte. */
static void enter(const struct glob *g, uint64_t *states, size_t i)
{
	for (;;) {
		set_state(states, i);
		if (i == g->n)
			return;
		switch ((enum token_kind)g->tokens[i].kind) {
		case TOKEN_BYTE:
		case TOKEN_ANY:
		case TOKEN_SET:
			return;
		case TOKEN_STAR:
		case TOKEN_GLOBSTAR:
			i++;
			break;
		case TOKEN_DIRS:
			set_state(states, i + 1);
			i += 2;
			break;
		}
	}
}

/** Takes state @p i over the byte @p c. */
static void step(const struct glob *g, size_t i, unsigned char c)
{
	const struct token *t = &g->tokens[i];

	switch ((enum token_kind)t->kind) {
	case TOKEN_ANY:
		if (c != '/')
			enter(g, g->next, i + 1);
		return;
	case TOKEN_BYTE:
		if (t->byte == c)
			enter(g, g->next, i + 1);
		return;
	case TOKEN_SET:
		if (set_has(&g->sets[t->set], c))
			enter(g, g->next, i + 1);
		return;
	case TOKEN_STAR:
		if (c != '/')
			enter(g, g->next, i);
		return;
	case TOKEN_GLOBSTAR:
		enter(g, g->next, i);
		return;
	case TOKEN_DIRS:
		/* Once in, it has to end in its slash: no second way around. */
		set_state(g->next, i);
		set_state(g->next, i + 1);
		return;
	}
}

/** Takes all states over the byte @p c. @return whether any is left. */
static bool advance(struct glob *g, unsigned char c)
{
	uint64_t *from = g->now;
	uint64_t any = 0;

	memset(g->next, 0, words(g) * sizeof *g->next);
	for (size_t w = 0; w < words(g); w++)
		for (uint64_t left = from[w]; left != 0; left &= left - 1) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(left);

			if (i < g->n)
				step(g, i, c);
		}
	for (size_t w = 0; w < words(g); w++)
		any |= g->next[w];
	g->now = g->next;
	g->next = from;
	return any != 0;
}

bool glob_match(struct glob *g, const char *text)
{
	if (g->broken)
		return false;
	memset(g->now, 0, words(g) * sizeof *g->now);
	enter(g, g->now, 0);
	for (; *text != '\0'; text++)
		if (!advance(g, (unsigned char)*text))
			return false;
	return (g->now[g->n / 64] >> (g->n % 64)) & 1;
}
