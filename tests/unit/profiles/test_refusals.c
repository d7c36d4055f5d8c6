/* SPDX-License-Identifier: Apache-2.0 */
/* A refused call is found again in the profile's text, and put in words. */
#include "helper.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include "profiles/profiles.h"

static const char *words(const struct profile_refusals *r, const char *text, int nr, uint64_t a, uint64_t b, uint64_t c)
{
	static char out[256];
	const uint64_t args[6] = { a, b, c };
	const struct profile_refusal *rule = profile_find_refusal(r, nr, args);
	auto_buf said = { 0 };

	if (rule == NULL)
		return "allowed";
	profile_describe_call(rule, text, strlen(text), args, &said);
	snprintf(out, sizeof out, "%u: %s", rule->line, said.data);
	return out;
}

/** Every row's name, read from the text, is the call of its number. */
static void rows_name_their_call(void **state)
{
	(void)state;
	for (size_t i = 0; profile_builtin_at(i) != NULL; i++) {
		const struct profile_builtin *b = profile_builtin_at(i);

		assert_true(b->refusals.n > 50);
		for (size_t k = 0; k < b->refusals.n; k++) {
			const struct profile_refusal *row = &b->refusals.rows[k];
			char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, row->nr);
			const uint64_t args[6] = { 0 };
			auto_buf said = { 0 };

			profile_describe_call(row, b->text, b->text_len, args, &said);
			said.data[strcspn(said.data, "(")] = '\0';
			assert_string_equal(said.data, name);
			free(name);
		}
	}
}

static void calls_in_words(void **state)
{
	const struct profile_builtin *b = profile_builtin("strict");
	const struct profile_refusals *r = &b->refusals;

	(void)state;
	assert_non_null(strstr(words(r, b->text, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ": socket(AF_INET, 0x80001, 0)"));
	assert_non_null(strstr(words(r, b->text, SYS_socket, 45, 1, 0), ": socket(45, 0x1, 0)"));
	assert_non_null(strstr(words(r, b->text, SYS_unshare, 0x10000000, 0, 0), ": unshare(0x10000000)"));
	assert_non_null(strstr(words(r, b->text, SYS_fchmod, 3, 04755, 0), ": fchmod(3, 04755)"));
	assert_non_null(strstr(words(r, b->text, SYS_pivot_root, 0, 0, 0), ": pivot_root(…)"));
	assert_string_equal(words(r, b->text, SYS_read, 0, 0, 0), "allowed");
	/* ENOSYS: not there, so not refused. */
	assert_string_equal(words(r, b->text, SYS_io_uring_setup, 0, 0, 0), "allowed");
}

/** The text of a user's own profile, in JSON as container engines write it. */
static void of_ones_own(void **state)
{
	static const char text[] =
		"{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n"
		"  \"syscalls\": [ { \"action\": \"SCMP_ACT_ERRNO\",\n"
		"    \"names\": [ \"ptrace\",\n"
		"      \"mount\" ] },\n"
		"    { \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 13, \"names\": [\"fcntl\"],\n"
		"      \"args\": [ { \"index\": 1, \"op\": \"SCMP_CMP_GE\", \"value\": 1024 } ] } ] }\n";
	auto_profile_program p = { 0 };
	struct err err = { 0 };

	(void)state;
	if (profile_compile("own.json", text, strlen(text), &p, &err) != 0)
		fail_msg("%s", err.msg);
	const struct profile_refusals r = { p.refusals, p.nrefusals, p.conds };
	char got[64];
	snprintf(got, sizeof got, "%s", words(&r, text, SYS_ptrace, 4, 77, 0));
	assert_string_equal(got, "3: ptrace(4, 77)");
	snprintf(got, sizeof got, "%s", words(&r, text, SYS_mount, 0, 0, 0));
	assert_string_equal(got, "4: mount(…, …, …, 0)");
	snprintf(got, sizeof got, "%s", words(&r, text, SYS_fcntl, 5, 1024, 1));
	assert_string_equal(got, "5: fcntl(5, 1024, 0x1)");
	/* By its arguments; and what is allowed was not refused. */
	assert_string_equal(words(&r, text, SYS_fcntl, 5, 2, 1), "allowed");
	/* A text that is not the profile's any more gives the number. */
	auto_buf said = { 0 };
	profile_describe_call(&p.refusals[0], "", 0, (const uint64_t[6]){ 0 }, &said);
	assert_non_null(strstr(said.data, "system call"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_name_their_call),
		cmocka_unit_test(calls_in_words),
		cmocka_unit_test(of_ones_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
