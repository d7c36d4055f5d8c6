/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says to a call, and by which line. */
#include "helper.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "profiles/profiles.h"

#define OWN                                            \
	"defaultAction: SCMP_ACT_KILL_PROCESS\n"       \
	"syscalls:\n"                                  \
	"- names: [read, mount]\n"                     \
	"  action: SCMP_ACT_ALLOW\n"                   \
	"- comment: not this one\n"                    \
	"  names: [ioctl]\n"                           \
	"  action: SCMP_ACT_ERRNO\n"                   \
	"  errnoRet: 25\n"                             \
	"  args: [{index: 1, op: SCMP_CMP_MASKED_EQ, value: 0xffffffff, valueTwo: 0x5412}]\n" \
	"- names: [ioctl]\n"                           \
	"  action: SCMP_ACT_ALLOW\n"                   \
	"  args: [{index: 0, op: SCMP_CMP_LT, value: 3}]\n"

/** "LINE answer[ error][ where…]; …" of `rules` or `floor`. */
static char *list(const json_t *rules)
{
	struct buf out = {0};
	json_t *one, *where;
	size_t i, k;

	buf_adds(&out, "");
	json_array_foreach(rules, i, one) {
		buf_addf(&out, "%s%d %s", i == 0 ? "" : "; ", (int)json_integer_value(json_object_get(one, "line")), json_str(one, "answer"));
		if (json_str(one, "error") != NULL)
			buf_addf(&out, " %s", json_str(one, "error"));
		json_array_foreach(json_object_get(one, "where"), k, where)
			buf_addf(&out, "%s%s", k == 0 ? " where " : " and ", json_string_value(where));
		if (json_is_true(json_object_get(one, "default")))
			buf_adds(&out, " default");
	}
	return out.data;
}

static json_t *explain(const char *file, const char *text, const char *const *words)
{
	struct err err = {0};
	json_t *all = NULL;
	size_t n = 0;

	while (words[n + 1] != NULL)
		n++;
	if (profile_explain(file, text, strlen(text), words[0], words + 1, n, &all, &err) < 0)
		fail_msg("%s", err.msg);
	return all;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void assert_rules(const char *want, const char *const *words)
{
	auto_json all = explain("own.yaml", OWN, words);
	auto_free char *got = list(json_object_get(all, "rules"));

	assert_string_equal(got, want);
}

static void test_rules(void **state)
{
	(void)state;
	assert_rules("3 allowed", WORDS("read"));
	assert_rules("3 allowed", WORDS("0"));
	assert_rules("1 killed default", WORDS("write"));
	assert_rules("6 refused ENOTTY where argument 1 & 0xffffffff is 0x5412; 10 allowed where argument 0 is below 0x3; 1 killed default", WORDS("ioctl"));
	assert_rules("6 refused ENOTTY where argument 1 & 0xffffffff is 0x5412", WORDS("ioctl", "_", "TIOCSTI"));
	assert_rules("6 refused ENOTTY where argument 1 & 0xffffffff is 0x5412", WORDS("ioctl", "9", "0x100005412"));
	assert_rules("10 allowed where argument 0 is below 0x3", WORDS("ioctl", "1", "TCGETS"));
	assert_rules("1 killed default", WORDS("ioctl", "5", "TCGETS"));
	assert_rules("10 allowed where argument 0 is below 0x3; 1 killed default", WORDS("ioctl", "_", "0x5401"));
	assert_rules("6 refused ENOTTY where argument 1 & 0xffffffff is 0x5412; 10 allowed where argument 0 is below 0x3", WORDS("ioctl", "1"));
}

static void test_comments_and_the_floor(void **state)
{
	auto_json ioctl = explain("own.yaml", OWN, WORDS("ioctl", "_", "TIOCSTI"));
	auto_json mount = explain("own.yaml", OWN, WORDS("mount"));
	auto_free char *floor = list(json_object_get(mount, "floor"));

	(void)state;
	assert_string_equal(json_str(json_array_get(json_object_get(ioctl, "rules"), 0), "comment"), "not this one");
	assert_non_null(strstr(floor, "refused EPERM"));
	auto_json shipped = explain("default", profile_builtin("default")->text, WORDS("mount"));
	assert_null(json_object_get(shipped, "floor"));
}

static void assert_opens(const char *const *words, const char *want)
{
	auto_json all = explain("default", profile_builtin("default")->text, words);
	auto_free char *text = json_dumps(json_object_get(all, "opens"), JSON_COMPACT);

	if (want == NULL ? strcmp(text, "[]") != 0 : strstr(text, want) == NULL)
		fail_msg("%s opens %s (expected %s)", words[0], text, want == NULL ? "nothing" : want);
}

static void test_what_it_opens(void **state)
{
	static const char *const dangerous[] = {
		"mount", "ptrace", "bpf", "keyctl", "unshare", "setns", "io_uring_setup", "userfaultfd", "kexec_load", "init_module",
		"perf_event_open", "open_by_handle_at", "clone3", "process_vm_readv", "pidfd_getfd", "reboot", "syslog", "quotactl",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dangerous); i++) {
		assert_opens(WORDS(dangerous[i]), "e");
		/* And neither profile that can be learnt under allows it. */
		assert_int_not_equal(ask(arch_native(), profile_builtin("default")->bpf, profile_builtin("default")->bpf_len, dangerous[i], 0, 0, 0, 0), ALLOW);
		assert_int_not_equal(ask(arch_native(), profile_builtin("strict")->bpf, profile_builtin("strict")->bpf_len, dangerous[i], 0, 0, 0, 0), ALLOW);
	}
	assert_opens(WORDS("read"), NULL);
	assert_opens(WORDS("socket", "AF_VSOCK", "SOCK_STREAM|SOCK_CLOEXEC"), "hypervisor");
	assert_opens(WORDS("socket", "AF_UNIX"), NULL);
	assert_opens(WORDS("clone", "CLONE_NEWUSER|17"), "namespace");
	assert_opens(WORDS("clone", "17"), NULL);
	assert_opens(WORDS("openat", "AT_FDCWD", "_", "O_CREAT", "0o4755"), "setuid");
	assert_opens(WORDS("ioctl"), "TIOCLINUX");
}

static void assert_usage(const char *const *words, const char *want)
{
	struct err err = {0};
	json_t *all = NULL;
	size_t n = 0;

	while (words[n + 1] != NULL)
		n++;
	assert_int_equal(profile_explain("own.yaml", OWN, strlen(OWN), words[0], words + 1, n, &all, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	if (strstr(err.msg, want) == NULL)
		fail_msg("%s (expected %s)", err.msg, want);
	assert_null(all);
}

static void test_what_cannot_be_asked(void **state)
{
	struct err err = {0};
	json_t *all = NULL;

	(void)state;
	assert_usage(WORDS("raed"), "did you mean 'read'");
	assert_usage(WORDS("9999"), "not a system call");
	assert_usage(WORDS("7x"), "not a system call");
	assert_usage(WORDS("read", "five"), "argument 'five': write a number");
	assert_usage(WORDS("read", ""), "argument ''");
	assert_usage(WORDS("read", "1|"), "argument '1|'");
	assert_usage(WORDS("read", "-1"), "argument '-1'");
	assert_usage(WORDS("read", "99999999999999999999"), "argument '9999");
	assert_usage(WORDS("read", "1", "2", "3", "4", "5", "6", "7"), "no more than 6");
	assert_int_equal(profile_explain("bad.yaml", "x", 1, "read", NULL, 0, &all, &err), -1);
	assert_int_equal(strncmp(err.msg, "bad.yaml:1:1:", 13), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_comments_and_the_floor),
		cmocka_unit_test(test_what_it_opens),
		cmocka_unit_test(test_what_cannot_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
