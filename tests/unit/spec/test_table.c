/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the schema table, by cases made from it. */
#include "tests/unit/spec/cases.h"

/* The struct that a row is stored in: the first item of its list, or the spec. */
static const char *base_of(const struct schema_row *row, const struct spec *spec)
{
	if (strncmp(row->path, "spec.sources[]", 14) == 0)
		return (const char *)&spec->sources[0];
	if (strncmp(row->path, "spec.tests[]", 12) == 0)
		return (const char *)&spec->tests[0];
	if (strncmp(row->path, "spec.build.artifact.layers[]", 28) == 0)
		return (const char *)&spec->artifact.layers[0];
	return (const char *)spec;
}

/* What a row must have stored of its sample. */
static void check_stored(const struct schema_row *row, const struct spec *spec)
{
	const char *base = base_of(row, spec), *at;

	if (row->at == SCHEMA_NOWHERE || row->status != SCHEMA_DONE)
		return;
	at = base + row->at;
	const struct spec_list *list = (const void *)at;
	const struct spec_map *map = (const void *)at;
	switch (row->type) {
	case SCHEMA_STRING:
		assert_string_equal(*(char *const *)at, row->form->example);
		break;
	case SCHEMA_WORD:
		assert_string_equal(*(char *const *)at, row->words[0]);
		break;
	case SCHEMA_CHOICE:
		assert_int_equal(*(const unsigned *)at, 0);
		break;
	case SCHEMA_STRINGS:
		assert_int_equal(list->n, 1);
		assert_string_equal(list->v[0], row->form->example);
		assert_null(list->v[1]);
		break;
	case SCHEMA_PAIRS:
		assert_int_equal(map->n, 1);
		assert_string_equal(map->v[0].name, row->key_form->example);
		assert_string_equal(map->v[0].value, row->form->example);
		break;
	case SCHEMA_BOOL:
		assert_true(*(const bool *)at);
		break;
	case SCHEMA_INT:
		assert_int_equal(row->width == 4 ? (int64_t)*(const uint32_t *)at : *(const int64_t *)at, row->max - 1);
		break;
	case SCHEMA_DURATION:
		assert_int_equal(*(const uint64_t *)at, 5400000);
		break;
	case SCHEMA_SIZE:
		assert_int_equal(*(const uint64_t *)at, 64 << 20);
		break;
	case SCHEMA_LIST:
		assert_int_equal(*(const size_t *)(base + row->n_at), 1);
		break;
	default:
		fail_msg("%s is stored", row->path);
	}
}

static void judge_good(const struct gen_case *c, const char *text, const struct emitter *e)
{
	/* What is included is brought by callers alone: test_include.c. */
	if (text_starts(c->row->path, "spec.include")) {
		struct spec *none = NULL;
		struct err err = {0};

		assert_int_equal(spec_parse("b.yaml", text, strlen(text), &none, &err), -1);
		assert_non_null(strstr(err.msg, "not at hand"));
		return;
	}
	struct spec *spec = good(text);

	assert_true(spec_needs_facts(spec) || c->kind != CASE_FACTS);
	if (c->kind == CASE_GOOD)
		check_stored(c->row, spec);
	if (c->row->noted) {
		const struct spec_pos *pos = (const void *)(base_of(c->row, spec) + c->row->pos_at);

		assert_int_equal(pos->line, e->value.line);
		assert_int_equal(pos->col, e->value.col);
	}
	assert_int_equal(spec->nunsupported, c->row->status == SCHEMA_AT_RUN);
	if (c->row->status == SCHEMA_AT_RUN) {
		assert_string_equal(spec->unsupported[0].field, c->row->path);
		assert_int_equal(spec->unsupported[0].pos.line, e->key.line);
		assert_int_equal(spec->unsupported[0].pos.col, e->key.col);
	}
	spec_free(spec);
}

static void judge(const struct gen_case *c, void *arg)
{
	size_t *counts = arg;
	struct emitter e = { .want = c->at, .line = 1 };
	auto_buf want = {0};

	counts[c->kind]++;
	emit(&e, c->doc, 0, "");
	buf_addc(&e.out, '\n');
	struct spec_pos pos = c->at_key ? e.key : e.value;
	assert_int_not_equal(pos.line, 0);
	if (c->want == NULL) {
		judge_good(c, e.out.data, &e);
	} else {
		buf_addf(&want, "b.yaml:%u:%u: %s%s%s", pos.line, pos.col, c->at, *c->at != '\0' ? ": " : "", c->want);
		bad(e.out.data, want.data);
	}
	buf_free(&e.out);
}

static void every_row(void **state)
{
	size_t counts[CASE_KINDS] = {0};
	(void)state;

	all_cases(judge, counts);
	for (size_t i = 0; i < CASE_KINDS; i++) {
		print_message("# cases of kind %zu: %zu\n", i, counts[i]);
		assert_true(counts[i] > 0);
	}
	assert_true(counts[CASE_WRONG_TYPE] > 300);
	assert_true(counts[CASE_MISSING] >= 8);
}

/* The table is well made. */
static void rows_are_sound(void **state)
{
	const struct schema_row *row;
	(void)state;

	for (size_t i = 0; (row = schema_at(i)) != NULL; i++) {
		const char *dot = strrchr(row->path, '.');
		size_t above = 0;

		for (size_t k = 0; k < i; k++) {
			const struct schema_row *r = schema_at(k);
			size_t n = strlen(r->path);

			assert_string_not_equal(r->path, row->path);
			if (dot != NULL && strncmp(row->path, r->path, n) == 0 &&
			    (row->path + n == dot || (r->type == SCHEMA_LIST && row->path + n + 2 == dot)))
				above++;
		}
		/* Every row stands after the one it is a field of. */
		assert_int_equal(above, dot != NULL);
		assert_true(strlen(row->help) > 5);
		assert_int_equal(row->help[strlen(row->help) - 1], '.');
		if (row->status == SCHEMA_LATER)
			continue;
		assert_true(row->type != SCHEMA_STRING || row->form != NULL);
		assert_true((row->type == SCHEMA_WORD || row->type == SCHEMA_CHOICE) == (row->words != NULL));
		assert_true((row->type == SCHEMA_INT || row->type == SCHEMA_NUMBER) ? row->max > row->min : true);
	}
}

/* Each default in the table is what a spec without the field gets. */
static void defaults(void **state)
{
	struct spec *spec = good(HEAD BUILD "    artifact: { layers: [{ from: a, to: / }] }\n"
				 "  sources: [{ name: a, path: . }]\n  tests: [{ name: t, command: c }]\n");
	const struct schema_row *row;
	size_t n = 0;
	(void)state;

	for (size_t i = 0; (row = schema_at(i)) != NULL; i++) {
		if (row->dflt == NULL || row->at == SCHEMA_NOWHERE)
			continue;
		const char *at = base_of(row, spec) + row->at;
		uint64_t ms;
		n++;
		if (row->type == SCHEMA_BOOL)
			assert_int_equal(*(const bool *)at, strcmp(row->dflt, "true") == 0);
		else if (row->type == SCHEMA_INT)
			assert_int_equal(row->width == 4 ? (int64_t)*(const uint32_t *)at : *(const int64_t *)at, atoll(row->dflt));
		else if (row->type == SCHEMA_DURATION)
			assert_true(text_parse_duration(row->dflt, &ms) && ms == *(const uint64_t *)at);
		else if (row->type == SCHEMA_CHOICE)
			assert_string_equal(row->words[*(const unsigned *)at], row->dflt);
		else
			assert_string_equal(*(char *const *)at, row->dflt);
	}
	assert_true(n > 10);
	spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(every_row),
		cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
