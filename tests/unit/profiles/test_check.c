/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in a profile's text, where, and what is not. */
#include "helper.h"

#include <stdlib.h>

#include "base/buf.h"
#include "profiles/check.h"
#include "profiles/profiles.h"

/** Nothing to be found in this alone; what is added begins at line 6. */
#define GOOD "defaultAction: SCMP_ACT_ERRNO\ndefaultErrnoRet: 38\nsyscalls:\n- names: [execve, exit_group]\n  action: SCMP_ACT_ALLOW\n"
#define RULE(name, action, args) "- names: [" name "]\n  action: SCMP_ACT_" action "\n  args: [" args "]\n"
#define PLAIN(name, action) "- names: [" name "]\n  action: SCMP_ACT_" action "\n"
#define INT(index, value) "{index: " #index ", op: SCMP_CMP_MASKED_EQ, value: 0xffffffff, valueTwo: " #value "}"

/** All findings, as lines of "LINE:COL severity message". */
static char *check(const char *text)
{
	struct err err = {0};
	auto_json all = NULL;
	struct buf out = {0};
	json_t *one;
	size_t i;

	if (profile_check("p.yaml", text, strlen(text), &all, &err) < 0)
		fail_msg("%s", err.msg);
	buf_adds(&out, "");
	json_array_foreach(all, i, one)
		buf_addf(&out, "%d:%d %s %s\n", (int)json_integer_value(json_object_get(one, "line")),
			 (int)json_integer_value(json_object_get(one, "column")), json_str(one, "severity"), json_str(one, "message"));
	return out.data;
}

static void assert_found(const char *text, const char *want)
{
	auto_free char *found = check(text);

	if (want[0] == '\0' ? found[0] != '\0' : strncmp(found, want, strlen(want)) != 0)
		fail_msg("got:  %swant: %s\n%s", found, want, text);
}

static void test_good_ones(void **state)
{
	const struct profile_builtin *p;

	(void)state;
	assert_found(GOOD, "");
	for (size_t i = 0; (p = profile_builtin_at(i)) != NULL; i++)
		assert_found(p->text, "");
	assert_found(profile_floor()->text, "");
	/* An exception before the rule is none, whichever way. */
	assert_found(GOOD RULE("ioctl", "ERRNO", INT(1, 0x5412)) PLAIN("ioctl", "ALLOW"), "");
	assert_found(GOOD RULE("ioctl", "ALLOW", INT(1, 0x5401)) PLAIN("ioctl", "ERRNO"), "");
	/* A refusal that overlaps what is allowed later holds. */
	assert_found(GOOD RULE("ioctl", "ERRNO", INT(1, 0x5412)) RULE("ioctl", "ALLOW", INT(0, 1)), "");
}

static void test_contradictions(void **state)
{
	(void)state;
	assert_found(GOOD PLAIN("read", "ALLOW") PLAIN("read", "ERRNO"),
		     "8:11 error read is refused here, but line 6 has allowed all of that; the first rule decides, this one never does:");
	assert_found(GOOD PLAIN("read", "KILL") PLAIN("read", "ALLOW"), "8:11 error read is allowed here, but line 6 has refused all of that");
	assert_found(GOOD RULE("ioctl", "ALLOW", INT(1, 0x5412)) RULE("ioctl", "ERRNO", INT(1, 0x5412)),
		     "9:11 error ioctl is refused here, but line 6 has allowed all of that");
	/* In part: with an example. */
	assert_found(GOOD RULE("ioctl", "ALLOW", INT(0, 1)) RULE("ioctl", "ERRNO", INT(1, 0x5412)),
		     "9:11 error ioctl(0x1, 0x5412) is refused here and allowed in line 6; the first rule decides, so it is allowed:");
	assert_found(GOOD RULE("mmap", "ALLOW", "{index: 2, op: SCMP_CMP_MASKED_EQ, value: 4, valueTwo: 4}")
		     RULE("mmap", "ERRNO", "{index: 2, op: SCMP_CMP_MASKED_EQ, value: 2, valueTwo: 2}"),
		     "9:11 error mmap(0, 0, 0x6) is refused here and allowed in line 6");
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_LT, value: 10}") RULE("read", "ERRNO", "{index: 0, op: SCMP_CMP_GT, value: 8}"),
		     "9:11 error read(0x9) is refused here and allowed in line 6");
	/* Nothing is in both. */
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_LT, value: 10}") RULE("read", "ERRNO", "{index: 0, op: SCMP_CMP_GE, value: 10}"), "");
	assert_found(GOOD RULE("ioctl", "ALLOW", INT(1, 0x5401)) RULE("ioctl", "ERRNO", INT(1, 0x5412)), "");
	/* Another errno than the one that is given is no contradiction of allowing, and still never given. */
	assert_found(GOOD "- names: [read]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 1\n- names: [read]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 2\n",
		     "9:11 error read: this rule never decides: line 6 has given another answer");
}

static void test_rules_that_never_decide(void **state)
{
	(void)state;
	assert_found(GOOD PLAIN("read", "ALLOW") PLAIN("read", "ALLOW"), "8:11 warning read: this rule never decides: line 6 has given the same answer");
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_LT, value: 0}"),
		     "6:11 error read: this rule never decides: its condition on argument 0 can never be true");
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_GT, value: 0xffffffffffffffff}"),
		     "6:11 error read: this rule never decides: its condition on argument 0");
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_MASKED_EQ, value: 1, valueTwo: 2}"),
		     "8:10 error args: valueTwo has bits outside the mask");
	/* By two before it, each a part. */
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_LT, value: 10}") RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_GE, value: 10}")
		     PLAIN("read", "ERRNO"), "12:11 warning read: this rule never decides: those before it have answered all that it is for");
	/* Within another's range, and the same by another comparison. */
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_LE, value: 9}") RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_EQ, value: 9}"),
		     "9:11 warning read: this rule never decides");
	assert_found(GOOD RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_MASKED_EQ, value: 6, valueTwo: 2}")
		     RULE("read", "ALLOW", "{index: 0, op: SCMP_CMP_MASKED_EQ, value: 7, valueTwo: 3}"), "9:11 warning read: this rule never decides");
}

static void test_high_bits(void **state)
{
	(void)state;
	assert_found(GOOD RULE("ioctl", "ERRNO", "{index: 1, op: SCMP_CMP_EQ, value: 0x5412}") PLAIN("ioctl", "ALLOW"),
		     "6:11 warning ioctl: argument 1 is an int, and 0x5412 passes as 0x100005412, which the kernel takes for the same; compare 32 bits:");
	assert_found(GOOD RULE("socket", "ALLOW", "{index: 0, op: SCMP_CMP_NE, value: 40}"),
		     "6:11 warning socket: argument 0 is an int, and 0x28 passes as 0x100000028");
	/* A pointer or a size is no int; and where the rest is refused nothing passes. */
	assert_found(GOOD RULE("read", "ERRNO", "{index: 2, op: SCMP_CMP_EQ, value: 7}") PLAIN("read", "ALLOW"), "");
	assert_found(GOOD RULE("ioctl", "ERRNO", "{index: 1, op: SCMP_CMP_EQ, value: 0x5412}"), "");
}

static void test_names(void **state)
{
	(void)state;
	/* All of them, not the first alone. */
	assert_found(GOOD "- names: [raed, read, wriet]\n  action: SCMP_ACT_ALLOW\n",
		     "6:11 error 'raed' is not a system call that this libseccomp knows (did you mean 'read'?); if it is only newer,");
	auto_free char *found = check(GOOD "- names: [raed, read, wriet]\n  action: SCMP_ACT_ALLOW\n");
	assert_non_null(strstr(found, "6:23 error 'wriet' is not"));
	assert_found(GOOD "- names: [raed]\n  action: SCMP_ACT_ALLOW\n  optional: true\n",
		     "6:11 warning 'raed' is not a system call that this libseccomp knows (did you mean 'read'?); it is skipped");
}

static void test_fall_backs(void **state)
{
	(void)state;
	assert_found("defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [execve, exit_group]\n  action: SCMP_ACT_ALLOW\n",
		     "1:16 error clone3 gets EPERM, by the default; libc falls back to clone");
	assert_found("defaultAction: SCMP_ACT_KILL_PROCESS\nsyscalls:\n- names: [execve, exit_group]\n  action: SCMP_ACT_ALLOW\n",
		     "1:16 error clone3 gets a signal that kills, by the default;");
	assert_found(GOOD "- names: [clone3]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 1\n", "6:11 error clone3 gets EPERM; libc falls back");
	assert_found(GOOD "- names: [faccessat2]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 13\n", "6:11 warning faccessat2 gets EACCES; libc's");
	assert_found(GOOD "- names: [clone3]\n  action: SCMP_ACT_ERRNO\n  errnoRet: 38\n", "");
}

static void test_what_lets_nothing_run(void **state)
{
	(void)state;
	assert_found("defaultAction: SCMP_ACT_ERRNO\ndefaultErrnoRet: 38\nsyscalls:\n- names: [exit_group]\n  action: SCMP_ACT_ALLOW\n",
		     "1:16 error execve is not allowed: no command can be started");
	assert_found(GOOD PLAIN("mount", "ALLOW"), "6:11 warning mount is allowed here, and refused all the same: the floor");
	assert_found(GOOD PLAIN("ptrace", "ALLOW"), "");
}

static void test_what_cannot_be_read(void **state)
{
	(void)state;
	assert_found("", "1:1 error ");
	assert_found("defaultAction: SCMP_ACT_ALOW\n", "1:16 error action: 'SCMP_ACT_ALOW' is not known (did you mean 'SCMP_ACT_ALLOW'?)");
	assert_found(GOOD "- names: [", "7:1 error not valid YAML: ");
	assert_found("[]", "1:1 error profile: must be a mapping");
}

/** Engines do not read rules in order, and have rules for what a step never is. */
static void test_engines(void **state)
{
#define ENGINE "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,\n\"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\"}, " \
	"{\"architecture\": \"SCMP_ARCH_AARCH64\"}],\n\"syscalls\": [{\"names\": [\"execve\", \"exit_group\"], \"action\": \"SCMP_ACT_ALLOW\"},\n"
	(void)state;
	assert_found(ENGINE "{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},\n"
		     "{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ERRNO\", \"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}}]}", "");
	assert_found(ENGINE "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"},\n{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ERRNO\"}]}",
		     "5:12 warning read is refused here, but line 4 has allowed all of that");
	assert_found(ENGINE "{\"names\": [\"of_the_future\"], \"action\": \"SCMP_ACT_ALLOW\"}]}", "4:12 warning 'of_the_future' is not");
}

/** Hostile texts end soon: a limit of what is compared, and of what is told. */
static void test_limits(void **state)
{
	auto_buf many = {0}, unknown = {0};
	auto_json all = NULL;
	struct err err = {0};

	(void)state;
	buf_adds(&many, GOOD);
	for (int i = 0; i < 1000; i++)
		buf_addf(&many, "- names: [mmap]\n  action: SCMP_ACT_%s\n  args: [{index: %d, op: SCMP_CMP_MASKED_EQ, value: %d, valueTwo: %d}, "
				"{index: %d, op: SCMP_CMP_GE, value: %d}]\n", i % 2 == 0 ? "ALLOW" : "ERRNO", i % 3, 1 << (i % 20), 1 << (i % 20),
			 3 + i % 3, i);
	assert_int_equal(profile_check("p.yaml", many.data, many.len, &all, &err), 0);
	assert_true(json_array_size(all) > 0);
	json_decref(move_ptr(all));
	buf_adds(&unknown, GOOD "- action: SCMP_ACT_ALLOW\n  names:\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&unknown, "  - nothing%d\n", i);
	assert_int_equal(profile_check("p.yaml", unknown.data, unknown.len, &all, &err), 0);
	assert_int_equal(json_array_size(all), CHECK_FINDINGS_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_ones),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_rules_that_never_decide),
		cmocka_unit_test(test_high_bits),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fall_backs),
		cmocka_unit_test(test_what_lets_nothing_run),
		cmocka_unit_test(test_what_cannot_be_read),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
