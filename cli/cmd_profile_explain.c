/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "cli/cli.h"
#include "profiles/profiles.h"

/** Most arguments of a system call. */
#define ARGS_MAX 6

/** "refused with EPERM (1)" */
static void add_answer(struct buf *line, const json_t *rule)
{
	const char *name = json_str(rule, "error");
	json_int_t number = json_integer_value(json_object_get(rule, "errno"));

	buf_adds(line, json_str(rule, "answer"));
	if (json_object_get(rule, "errno") == NULL)
		return;
	if (name != NULL)
		buf_addf(line, " with %s (%" JSON_INTEGER_FORMAT ")", name, number);
	else
		buf_addf(line, " with errno %" JSON_INTEGER_FORMAT, number);
}

static void add_conditions(struct buf *line, const json_t *rule)
{
	const json_t *where = json_object_get(rule, "where");
	json_t *one;
	size_t i;

	json_array_foreach(where, i, one)
		buf_addf(line, "%s%s", i == 0 ? "" : " and ", json_string_value(one));
}

/** Whether two rules have the same member, or neither has it. */
static bool agree(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return x == y || json_equal(x, y);
}

/** Whether the next rule is an alternative of the same group. */
static bool goes_on(const json_t *rules, size_t i)
{
	const json_t *rule = json_array_get(rules, i), *next = json_array_get(rules, i + 1);

	return next != NULL && agree(rule, next, "line") && agree(rule, next, "default");
}

static void begin_rule(struct buf *line, const char *name, const json_t *rule, bool first)
{
	bool always = json_array_size(json_object_get(rule, "where")) == 0;

	buf_addf(line, "  %s:%" JSON_INTEGER_FORMAT ": ", name, json_integer_value(json_object_get(rule, "line")));
	if (json_is_true(json_object_get(rule, "default")))
		buf_adds(line, first ? "no rule is about it; the default: " : "anything else, by the default: ");
	else if (always && !first)
		buf_adds(line, "anything else: ");
	add_answer(line, rule);
	buf_adds(line, always ? "" : " where ");
}

static void print_rules(const char *name, const json_t *rules)
{
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		auto_buf line = {0};

		begin_rule(&line, name, rule, i == 0);
		add_conditions(&line, rule);
		for (; goes_on(rules, i); i++) {
			buf_adds(&line, ", or ");
			add_conditions(&line, json_array_get(rules, i + 1));
		}
		cli_print_safe(stdout, line.data == NULL ? "" : line.data);
		if (json_str(rule, "comment") == NULL)
			continue;
		fputs("    ", stdout);
		cli_print_safe(stdout, json_str(rule, "comment"));
	}
}

/** The one answer that is left, or NULL: the last rule that can decide gives another than those before it. */
static const json_t *only_answer(const json_t *rules)
{
	const json_t *first = json_array_get(rules, 0);
	json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
		if (!agree(first, rule, "answer") || !agree(first, rule, "errno"))
			return NULL;
	return first;
}

static bool is_allowed(const json_t *answer)
{
	return answer != NULL && strcmp(json_str(answer, "answer"), "allowed") == 0;
}

/** What it comes to: the floor decides about what the profile lets through. */
static void print_verdict(const json_t *all)
{
	const json_t *floor = json_object_get(all, "floor"), *answer = only_answer(json_object_get(all, "rules"));
	const char *by = "";
	auto_buf line = {0};

	if (floor != NULL && answer != NULL && is_allowed(answer) && !is_allowed(only_answer(floor))) {
		answer = only_answer(floor);
		by = ", by the floor below the profile";
	}
	buf_addf(&line, "%s: %s: ", json_str(all, "profile"), json_str(all, "call"));
	if (answer != NULL)
		add_answer(&line, answer);
	else
		buf_adds(&line, "it depends on its arguments");
	buf_adds(&line, by);
	cli_print_safe(stdout, line.data == NULL ? "" : line.data);
}

static void print_opens(const json_t *all)
{
	bool allowed = is_allowed(only_answer(json_object_get(all, "rules")));
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(all, "opens"), i, one)
		printf("  it %s: %s\n", allowed ? "opens" : "would open", json_string_value(one));
}

static int explain(const struct args *args, const char *text, size_t n, struct err *err)
{
	auto_json all = NULL;

	if (profile_explain(args->positional[0], text, n, args->positional[1], args->positional + 2, args->npositional - 2, &all, err) < 0)
		return -1;
	if (args_has(args, "json"))
		return cli_print_json(all, err);
	print_verdict(all);
	print_rules(json_str(all, "profile"), json_object_get(all, "rules"));
	print_rules("floor", json_object_get(all, "floor"));
	print_opens(all);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *name = args->positional[0];
	const struct profile_builtin *p = profile_builtin(name);
	auto_buf text = {0};

	(void)ret_code;
	if (p != NULL)
		return explain(args, p->text, p->text_len, err);
	if (io_read_file(AT_FDCWD, name, PROFILE_TEXT_MAX, &text, err) < 0)
		return err_ctx(err, "profile '%s' (not a shipped one, so taken as a file)", name);
	return explain(args, text.data == NULL ? "" : text.data, text.len, err);
}

static const struct opt_def opts[] = { OPT_JSON, OPT_HELP, OPT_END };

const struct command cmd_profile_explain = {
	"profile explain", "P SYSCALL [ARGUMENT]… [OPTION]…", "say what a profile answers to a system call, by which line, and what that opens",
	opts, NULL, 2, 2 + ARGS_MAX, false, run,
};
