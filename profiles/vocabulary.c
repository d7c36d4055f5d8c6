/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/vocabulary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

/** Highest errno that a filter can return (MAX_ERRNO of the kernel). */
#define ERRNO_MAX 4095
/** Highest errno that has a name. */
#define ERRNO_NAMED_MAX 255

struct word {
	const char *name;
	uint32_t value;
};

/* SCMP_ACT_TRACE and SCMP_ACT_NOTIFY need a supervisor, which a step has not. */
static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
};

static const struct word compares[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
};

#define WORDS_MAX 8
_Static_assert(ARRAY_LEN(actions) < WORDS_MAX && ARRAY_LEN(compares) < WORDS_MAX, "room for the words and a NULL");

static int find_word(const struct place *at, const struct node *node, const char *what, const struct word *words,
		     size_t n, uint32_t *ret)
{
	const char *text = "", *names[WORDS_MAX] = {0}, *near;
	char q[QUOTE_SIZE];
	auto_buf all = {0};

	if (vocabulary_string(at, node, what, &text) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i].name, text) == 0) {
			*ret = words[i].value;
			return 0;
		}
		names[i] = words[i].name;
		buf_addf(&all, "%s%s", i == 0 ? "" : ", ", words[i].name);
	}
	near = text_did_you_mean(text, names);
	if (near != NULL)
		return yaml_error(at->file, node->pos, at->err, "%s: %s is not known (did you mean '%s'?)", what,
				  quote(q, text), near);
	return yaml_error(at->file, node->pos, at->err, "%s: %s is not one of %s", what, quote(q, text),
			  all.failed ? "the known ones" : all.data);
}

const struct node *vocabulary_get(const struct node *map, const char *key)
{
	const struct node *node = node_get(map, key);

	if (node != NULL && node->kind == NODE_SCALAR && node->plain && scalar_kind(node->text) == SCALAR_NULL)
		return NULL;
	return node;
}

int vocabulary_keys(const struct place *at, const struct node *node, const char *what, const char *const *keys)
{
	char q[QUOTE_SIZE];

	if (node->kind != NODE_MAP)
		return yaml_error(at->file, node->pos, at->err, "%s: must be a mapping", what);
	for (const struct node *e = node->first; e != NULL; e = e->next) {
		const char *const *key = keys;
		const char *near;

		while (*key != NULL && strcmp(*key, e->key) != 0)
			key++;
		if (*key != NULL)
			continue;
		near = text_did_you_mean(e->key, keys);
		if (near != NULL)
			return yaml_error(at->file, e->key_pos, at->err, "%s: unknown key %s (did you mean '%s'?)", what,
					  quote(q, e->key), near);
		return yaml_error(at->file, e->key_pos, at->err, "%s: unknown key %s; see glovebox-profile(5)", what,
				  quote(q, e->key));
	}
	return 0;
}

int vocabulary_list(const struct place *at, const struct node *node, const char *what)
{
	if (node->kind != NODE_LIST)
		return yaml_error(at->file, node->pos, at->err, "%s: must be a list", what);
	return 0;
}

int vocabulary_string(const struct place *at, const struct node *node, const char *what, const char **ret)
{
	if (node->kind != NODE_SCALAR || (node->plain && scalar_kind(node->text) != SCALAR_STRING))
		return yaml_error(at->file, node->pos, at->err, "%s: must be a string", what);
	*ret = node->text;
	return 0;
}

/** Digits of @p base to the end of @p s, at most @p max. */
static bool parse_digits(const char *s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		unsigned digit = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0') :
				 isxdigit((unsigned char)*s) ? (unsigned)((*s | 0x20) - 'a') + 10 : base;

		if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

int vocabulary_number(const struct place *at, const struct node *node, const char *what, uint64_t max, uint64_t *ret)
{
	const char *text = node->text;
	uint64_t v = 0;
	bool ok = false;

	/* A leading 0 is octal to one reader and decimal to the next: 0o says which. */
	if (node->kind == NODE_SCALAR && node->plain) {
		if (text_starts(text, "0x"))
			ok = parse_digits(text + 2, 16, max, &v);
		else if (text_starts(text, "0o"))
			ok = parse_digits(text + 2, 8, max, &v);
		else if (scalar_kind(text) == SCALAR_INT)
			ok = parse_digits(text, 10, max, &v);
	}
	if (!ok)
		return yaml_error(at->file, node->pos, at->err,
				  "%s: must be a whole number (decimal, 0x… or 0o…) from 0 to %llu", what,
				  (unsigned long long)max);
	*ret = v;
	return 0;
}

int vocabulary_bool(const struct place *at, const struct node *node, const char *what, bool *ret)
{
	if (node->kind != NODE_SCALAR || !node->plain || scalar_kind(node->text) != SCALAR_BOOL)
		return yaml_error(at->file, node->pos, at->err, "%s: must be true or false", what);
	*ret = node->text[0] == 't';
	return 0;
}

/** The number of an errno by its name, or -1. */
static int errno_number(const char *name)
{
	for (int i = 1; i <= ERRNO_NAMED_MAX; i++) {
		const char *known = strerrorname_np(i);

		if (known != NULL && strcmp(known, name) == 0)
			return i;
	}
	return -1;
}

int vocabulary_action(const struct place *at, const struct node *action, const struct node *number,
		      const struct node *name, uint32_t *ret)
{
	const struct node *given = number != NULL ? number : name;
	uint64_t value = 1; /* EPERM, as the runtime-spec says */
	const char *text = "";
	uint32_t result;
	char q[QUOTE_SIZE];

	if (find_word(at, action, "action", actions, ARRAY_LEN(actions), &result) < 0)
		return -1;
	if (number != NULL && vocabulary_number(at, number, "errnoRet", ERRNO_MAX, &value) < 0)
		return -1;
	if (name != NULL) {
		if (vocabulary_string(at, name, "errno", &text) < 0)
			return -1;
		int by_name = errno_number(text);
		if (by_name < 0)
			return yaml_error(at->file, name->pos, at->err, "errno: %s is not the name of an error (EPERM, ENOSYS, …)",
					  quote(q, text));
		if (number != NULL && value != (uint64_t)by_name)
			return yaml_error(at->file, name->pos, at->err, "errno: %s is %d, but errnoRet says %llu; remove one of them",
					  quote(q, text), by_name, (unsigned long long)value);
		value = (uint64_t)by_name;
	}
	if (result == SCMP_ACT_ERRNO(0))
		result |= (uint32_t)value;
	else if (given != NULL)
		return yaml_error(at->file, given->pos, at->err, "an errno goes with SCMP_ACT_ERRNO only, not with %s",
				  action->text);
	*ret = result;
	return 0;
}

int vocabulary_compare(const struct place *at, const struct node *node, enum scmp_compare *ret)
{
	uint32_t value;

	if (find_word(at, node, "op", compares, ARRAY_LEN(compares), &value) < 0)
		return -1;
	*ret = (enum scmp_compare)value;
	return 0;
}

const char *vocabulary_compare_name(enum scmp_compare op)
{
	for (size_t i = 0; i < ARRAY_LEN(compares); i++)
		if (compares[i].value == (uint32_t)op)
			return compares[i].name;
	return "";
}

int vocabulary_arch(const struct place *at, const struct node *node, const struct arch *arch, bool engine, bool *ret_same)
{
	static const char prefix[] = "SCMP_ARCH_";
	const char *text = "";
	char lower[32], q[QUOTE_SIZE];

	if (vocabulary_string(at, node, "architecture", &text) < 0)
		return -1;
	/* libseccomp reads "x32", the specification writes SCMP_ARCH_X32. */
	snprintf(lower, sizeof lower, "%s", text_starts(text, prefix) ? text + strlen(prefix) : "");
	for (char *c = lower; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!engine && seccomp_arch_resolve_name(lower) == 0)
		return yaml_error(at->file, node->pos, at->err,
				  "architecture: %s is not known (SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, …)", quote(q, text));
	*ret_same = strcmp(text, arch->oci_name) == 0;
	return 0;
}

/** The system call of @p arch that @p name may be a slip of; writes it as a hint, or "". */
static void suggest(const struct arch *arch, const char *name, char ret_near[80])
{
	char *names[POLICY_NR_MAX + 1];
	const char *near;
	size_t n = 0;

	for (int nr = 0; nr < POLICY_NR_MAX; nr++) {
		char *known = seccomp_syscall_resolve_num_arch(arch->token, nr);

		if (known != NULL)
			names[n++] = known;
	}
	names[n] = NULL;
	near = text_did_you_mean(name, (const char *const *)names);
	snprintf(ret_near, 80, near != NULL ? " (did you mean '%.40s'?)" : "%.0s", near != NULL ? near : "");
	while (n > 0)
		free(names[--n]);
}

int vocabulary_syscall(const struct arch *arch, const char *name, char ret_near[80])
{
	int nr = seccomp_syscall_resolve_name_arch(arch->token, name);

	if (nr == __NR_SCMP_ERROR)
		suggest(arch, name, ret_near);
	return nr;
}
