/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of a confined reader's answer; how many differences a report has; what is printed. */
#include "helper.h"
#include "inspect/inspect.h"
#include "inspect/report.h"

static int check(const char *text)
{
	struct err err = {0};
	auto_json node = NULL;
	size_t count = 0;

	assert_int_equal(json_parse(text, strlen(text), "test", ERR_INPUT, &node, &err), 0);
	int result = node_check(node, 0, &count, &err);
	assert_int_equal(err.kind, result == 0 ? ERR_NONE : ERR_INPUT);
	return result;
}

static void sound_answers_pass(void **state)
{
	(void)state;
	assert_int_equal(check("{}"), 0);
	assert_int_equal(check("{\"format\":\"tar\",\"note\":\"x\",\"more\":3}"), 0);
	assert_int_equal(check("{\"inside\":[{\"path\":\"x\",\"kind\":\"changed\",\"metadata\":[{\"field\":\"f\",\"a\":\"1\",\"b\":\"2\"}],"
			       "\"causes\":[{\"cause\":\"timestamp\",\"evidence\":\"e\",\"count\":1}]}]}"), 0);
}

static void other_answers_do_not(void **state)
{
	static const char *const bad[] = {
		"[]", "{\"format\":1}", "{\"surprise\":\"x\"}", "{\"inside\":{}}", "{\"inside\":[1]}", "{\"inside\":[{\"path\":\"x\"}]}",
		"{\"inside\":[{\"kind\":\"x\"}]}", "{\"metadata\":[{\"field\":\"f\",\"a\":1,\"b\":\"2\"}]}", "{\"metadata\":[{\"field\":\"f\"}]}",
		"{\"causes\":[{\"cause\":\"magic\",\"evidence\":\"e\",\"count\":1}]}",
		"{\"causes\":[{\"cause\":\"timestamp\",\"evidence\":null,\"count\":1}]}",
		"{\"causes\":[{\"cause\":\"timestamp\",\"evidence\":\"e\",\"count\":-1}]}", "{\"content\":{}}",
		"{\"content\":{\"contextA\":\"00\",\"contextB\":\"00\",\"sizeA\":1,\"sizeB\":1,\"offset\":-1,\"from\":0}}", "{\"more\":\"x\"}",
		"{\"strings\":[{\"a\":{},\"b\":\"x\"}]}", "{\"path\":null}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (check(bad[i]) == 0)
			fail_msg("passes: %s", bad[i]);
}

static void depth_is_limited(void **state)
{
	auto_buf text = {0};

	(void)state;
	for (int i = 0; i <= NODES_DEPTH + 1; i++)
		buf_adds(&text, "{\"path\":\"x\",\"kind\":\"changed\",\"inside\":[");
	for (int i = 0; i <= NODES_DEPTH + 1; i++)
		buf_adds(&text, "]}");
	assert_int_equal(check(text.data), -1);
}

static void nodes_are_limited_and_the_rest_counted(void **state)
{
	struct look l = {0};
	auto_json root = json_object();

	(void)state;
	for (size_t i = 0; i < NODES_MAX + 7; i++)
		node_text(&l, node_add(&l, root, "x", "changed"), "note", "n");
	assert_false(l.failed);
	assert_int_equal(json_array_size(json_object_get(root, "inside")), NODES_MAX);
	assert_int_equal(json_integer_value(json_object_get(root, "more")), 7);
}

static void names_cannot_drive_a_terminal(void **state)
{
	struct look l = {0};
	struct err err = {0};
	auto_json root = json_object();
	auto_json report = NULL;
	auto_buf text = {0};
	const struct report_side side = { "x\033[31m", "file" };

	(void)state;
	json_t *node = node_add(&l, root, "evil\033]0;x\007\nname\xff", "changed");
	node_field(&l, node, "uname", "a\033", "b", CAUSE_OWNER);
	assert_int_equal(report_make(root, &side, &side, &report, &err), 0);
	assert_false(diff_is_same(report));
	assert_int_equal(diff_text(report, &text, &err), 0);
	assert_null(strchr(text.data, '\033'));
	assert_null(strchr(text.data, '\007'));
	assert_true(text_is_utf8(text.data));
	assert_non_null(strstr(text.data, "Likely causes\n  uid or owner name: "));
}

static void nothing_is_the_same(void **state)
{
	struct err err = {0};
	auto_json root = json_object();
	auto_json report = NULL;
	const struct report_side side = { "x", "file" };

	(void)state;
	assert_int_equal(report_make(root, &side, &side, &report, &err), 0);
	assert_true(diff_is_same(report));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_answers_pass),
		cmocka_unit_test(other_answers_do_not),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(nodes_are_limited_and_the_rest_counted),
		cmocka_unit_test(names_cannot_drive_a_terminal),
		cmocka_unit_test(nothing_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
