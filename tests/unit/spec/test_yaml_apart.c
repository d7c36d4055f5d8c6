/* SPDX-License-Identifier: Apache-2.0 */
/* YAML read by a confined child: the same tree and the same refusals as here, and nothing believed of what the child says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "spec/yaml.h"

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind || a->plain != b->plain || a->plain_key != b->plain_key || a->n != b->n || !same_text(a->text, b->text) ||
	    !same_text(a->key, b->key) || memcmp(&a->pos, &b->pos, sizeof a->pos) != 0 || memcmp(&a->key_pos, &b->key_pos, sizeof a->pos) != 0)
		return false;
	const struct node *y = b->first;
	for (const struct node *x = a->first; x != NULL; x = x->next, y = y->next)
		if (y == NULL || x->up != a || y->up != b || !same(x, y))
			return false;
	return y == NULL;
}

static void it_reads_what_is_read_here(void **state)
{
	static const char *const texts[] = {
		"a", "[]", "{}", "''", "- ", "a: b\nc: [1, 'x', {d: }]\n\"e\": |\n  text\n  more\n", "\xef\xbb\xbfk: v\n", "a: \"\\L\\P\\L\\P\"",
		"[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]", "? a\n: b\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_node here = NULL;
		auto_node apart = NULL;
		struct err err = {0}, other = {0};
		int result = yaml_read_here("f", texts[i], strlen(texts[i]), &here, &err);

		assert_int_equal(yaml_read("f", texts[i], strlen(texts[i]), &apart, &other), result);
		if (result == 0 ? !same(here, apart) : strcmp(err.msg, other.msg) != 0)
			fail_msg("%s: %s", texts[i], other.msg);
	}
}

static void it_refuses_what_is_refused_here(void **state)
{
	static const char *const texts[] = { "", "a: &x b", "a: *x", "[", "a: 1\na: 2", "!!str a", "a\n---\nb", "<<: x", "a: \x01", "a: \xff", "a: \"\\0\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct node *node = (struct node *)0x1;
		struct err err = {0}, other = {0};

		assert_int_equal(yaml_read_here("f", texts[i], strlen(texts[i]), &node, &err), -1);
		assert_int_equal(yaml_read("f", texts[i], strlen(texts[i]), &node, &other), -1);
		assert_ptr_equal(node, (struct node *)0x1);
		assert_int_equal(other.kind, ERR_USAGE);
		assert_string_equal(err.msg, other.msg);
	}
}

/* ---- rows -------------------------------------------------------------------------- */

#define NO_KEY UINT32_MAX
#define FIELDS 11

/** kind, plain, plain_key, key_len, n; the two places are 1:1. */
static void put(struct buf *b, uint32_t kind, uint32_t key_len, uint32_t n, const char *text)
{
	const uint32_t fields[FIELDS] = { kind, 1, 1, key_len, n, 1, 1, 0, 1, 1, 0 };

	buf_add(b, fields, sizeof fields);
	buf_adds(b, text);
}

static bool taken(const struct buf *b)
{
	auto_node node = NULL;

	return yaml_from_rows(b->data, b->len, &node) == 0;
}

static void rows_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		uint32_t kind, key_len, n;   /* of the root, then of what is in it; kind 9: no second row */
		const char *text;
		uint32_t kind2, key_len2, n2;
		const char *text2;
	} rows[] = {
		{ 3, NO_KEY, 0, "", 9, 0, 0, "" },                        /* no kind */
		{ NODE_SCALAR, 1, 0, "k", 9, 0, 0, "" },                  /* a key at the root */
		{ NODE_SCALAR, NO_KEY, 2, "a", 9, 0, 0, "" },             /* longer than what is there */
		{ NODE_SCALAR, NO_KEY, UINT32_MAX, "a", 9, 0, 0, "" },
		{ NODE_SCALAR, NO_KEY, 0, "a", 9, 0, 0, "" },             /* something left over */
		{ NODE_SCALAR, NO_KEY, 1, "\xff", 9, 0, 0, "" },          /* not UTF-8 */
		{ NODE_LIST, NO_KEY, 1, "", 9, 0, 0, "" },                /* less than it says */
		{ NODE_LIST, NO_KEY, UINT32_MAX, "", 9, 0, 0, "" },
		{ NODE_LIST, NO_KEY, 1, "", NODE_SCALAR, 1, 0, "k" },     /* a key in a list */
		{ NODE_MAP, NO_KEY, 1, "", NODE_SCALAR, NO_KEY, 0, "" },  /* none in a map */
		{ NODE_MAP, NO_KEY, 1, "", NODE_SCALAR, UINT32_MAX - 1, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = {0};

		put(&b, rows[i].kind, rows[i].key_len, rows[i].n, rows[i].text);
		if (rows[i].kind2 != 9)
			put(&b, rows[i].kind2, rows[i].key_len2, rows[i].n2, rows[i].text2);
		if (taken(&b))
			fail_msg("row %zu is taken", i);
	}
	auto_buf sound = {0};
	put(&sound, NODE_MAP, NO_KEY, 2, "");
	put(&sound, NODE_SCALAR, 1, 2, "kxy");
	put(&sound, NODE_LIST, 1, 0, "l");
	assert_true(taken(&sound));
	/* Each beginning of it is none. */
	for (size_t n = 0; n < sound.len; n++) {
		const struct buf part = { .data = sound.data, .len = n };

		assert_false(taken(&part));
	}
	auto_buf twice = {0};
	put(&twice, NODE_MAP, NO_KEY, 2, "");
	put(&twice, NODE_SCALAR, 1, 0, "k");
	put(&twice, NODE_SCALAR, 1, 0, "k");
	assert_false(taken(&twice));
}

static void rows_have_the_limits_of_yaml(void **state)
{
	auto_buf deep = {0};
	auto_buf many = {0};

	(void)state;
	for (int i = 0; i < SPEC_DEPTH_MAX; i++)
		put(&deep, NODE_LIST, NO_KEY, i < SPEC_DEPTH_MAX - 1, "");
	assert_true(taken(&deep));
	buf_clear(&deep);
	for (int i = 0; i <= SPEC_DEPTH_MAX; i++)
		put(&deep, NODE_LIST, NO_KEY, i < SPEC_DEPTH_MAX, "");
	assert_false(taken(&deep));
	put(&many, NODE_LIST, NO_KEY, SPEC_ENTRIES_MAX + 1, "");
	for (int i = 0; i <= SPEC_ENTRIES_MAX; i++)
		put(&many, NODE_SCALAR, NO_KEY, 0, "");
	assert_false(taken(&many));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_is_read_here),
		cmocka_unit_test(it_refuses_what_is_refused_here),
		cmocka_unit_test(rows_that_make_no_sense_are_refused),
		cmocka_unit_test(rows_have_the_limits_of_yaml),
	};

	return cmocka_run_group_tests_name("yaml_apart", tests, NULL, NULL);
}
