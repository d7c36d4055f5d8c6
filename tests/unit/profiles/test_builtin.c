/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped profiles: the table, what all of them say about every call, and where they differ. */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>

#include "base/own.h"

static void table(void **state)
{
	static const char *const names[] = { "debug", "default", "strict" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct profile_builtin *p = profile_builtin_at(i);

		assert_non_null(p);
		assert_string_equal(p->name, names[i]);
		assert_ptr_equal(profile_builtin(names[i]), p);
		assert_int_equal(p->text[p->text_len], '\0');
		assert_int_equal(strlen(p->text), p->text_len);
	}
	assert_null(profile_builtin_at(ARRAY_LEN(names)));
	assert_null(profile_builtin("none"));
	assert_null(profile_builtin(""));
	assert_string_equal(profile_floor()->name, "floor");
	assert_null(profile_builtin("floor")); /* nobody chooses it */
}

/** The shipped profiles, and the floor after them. */
static const struct profile_builtin *embedded(size_t i)
{
	const struct profile_builtin *b = profile_builtin_at(i);

	return b == NULL && i > 0 && profile_builtin_at(i - 1) != NULL ? profile_floor() : b;
}

static void compiled_from_their_text(void **state)
{
	(void)state;
	for (size_t i = 0; embedded(i) != NULL; i++) {
		const struct profile_builtin *b = embedded(i);
		auto_profile_program p = {0};

		compile_good(arch_native(), b->text, &p);
		assert_int_equal(p.bpf_len, b->bpf_len);
		assert_memory_equal(p.bpf, b->bpf, p.bpf_len * sizeof *p.bpf);
		assert_true(digest_eq(&p.bpf_digest, &b->bpf_digest));
		assert_true(digest_eq(&p.text_digest, &b->text_digest));
	}
}

static uint32_t ask_all(const struct profile_program *p, const struct arch *arch, int nr, const uint64_t args[6])
{
	struct seccomp_data data = { .nr = nr, .arch = arch->token };
	uint32_t action;

	memcpy(data.args, args, sizeof data.args);
	assert_true(bpf_answer(p->bpf, p->bpf_len, &data, &action));
	return action;
}

static bool one_of(const char *name, const char *const *names)
{
	while (*names != NULL && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/** Argument values that the profiles tell apart, each put into every place. */
static const uint64_t probes[] = { 0, 1, 2, 3, 4, 8, 9, 10, 16, 17, 35, 0x40, 0x80, 0x400040, 04000, 02000, 06755, 020000, 040000,
				   1024, 1026, 0x5412,
				   0xc020660b, 0x10000000, 0x7e020000, 0xffffffff, 0x100000001, UINT64_MAX };

/** Both profiles give the same answers to every call of @p arch but those named. */
static void differ_only_in(const struct arch *arch, const char *a, const char *b, const char *const *names)
{
	auto_profile_program pa = {0}, pb = {0};

	compile_good(arch, profile_builtin(a)->text, &pa);
	compile_good(arch, profile_builtin(b)->text, &pb);
	for (int nr = 0; nr < POLICY_NR_MAX; nr++) {
		auto_free char *name = seccomp_syscall_resolve_num_arch(arch->token, nr);
		bool differ = false;

		for (size_t i = 0; i < ARRAY_LEN(probes); i++)
			for (size_t j = 0; j < ARRAY_LEN(probes); j++) {
				const uint64_t args[6] = { probes[i], probes[j], probes[j], probes[i] };

				differ |= ask_all(&pa, arch, nr, args) != ask_all(&pb, arch, nr, args);
			}
		if (differ != one_of(name != NULL ? name : "?", names))
			fail_msg("%s and %s on %s: call %d (%s) %s", a, b, arch->oci_name, nr, name, differ ? "differs" : "does not differ");
	}
}

static void allows_no_more(const struct arch *arch, const struct profile_program *p, const struct profile_program *floor,
			   const char *name)
{
	size_t allowed = 0;

	for (int nr = 0; nr < POLICY_NR_MAX; nr++)
		for (size_t i = 0; i < ARRAY_LEN(probes); i++)
			for (size_t j = 0; j < ARRAY_LEN(probes); j++) {
				const uint64_t args[6] = { probes[i], probes[j], probes[j], probes[i], probes[j] };

				if (ask_all(p, arch, nr, args) != ALLOW)
					continue;
				allowed++;
				if (ask_all(floor, arch, nr, args) != ALLOW)
					fail_msg("%s on %s allows call %d(0x%llx, 0x%llx, …), which the floor refuses", name, arch->oci_name,
						 nr, (unsigned long long)args[0], (unsigned long long)args[1]);
			}
	assert_true(allowed > 10000);
}

static void profiles_differ_as_they_say(void **state)
{
	static const char *const debug[] = { "ptrace", NULL };
	static const char *const strict[] = { "socket", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend",
					      "mq_unlink", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_setup",
					      "io_submit", "get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node", NULL };

	(void)state;
	for (size_t i = 0; arch_at(i) != NULL; i++) {
		differ_only_in(arch_at(i), "default", "debug", debug);
		differ_only_in(arch_at(i), "default", "strict", strict);
	}
}

/** Whatever a shipped profile allows passes the floor; so that it need not be loaded below them. */
static void shipped_profiles_stand_on_the_floor(void **state)
{
	(void)state;
	for (size_t a = 0; arch_at(a) != NULL; a++) {
		auto_profile_program floor = {0};

		compile_good(arch_at(a), profile_floor()->text, &floor);
		for (size_t b = 0; profile_builtin_at(b) != NULL; b++) {
			auto_profile_program p = {0};

			compile_good(arch_at(a), profile_builtin_at(b)->text, &p);
			allows_no_more(arch_at(a), &p, &floor, profile_builtin_at(b)->name);
		}
	}
}

/** Every call that the kernel knows is decided in the text, not left to the default action. */
static void every_known_call_is_named(void **state)
{
	/* Numbers without a call behind them on a 64-bit kernel. */
	static const char *const nothing[] = { "afs_syscall", "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms",
					       "get_thread_area", "getpmsg", "putpmsg", "query_module", "security", "set_thread_area",
					       "tuxcall", "vserver", NULL };

	(void)state;
	for (size_t i = 0; embedded(i) != NULL; i++) {
		const struct profile_builtin *b = embedded(i);

		for (int nr = 0; nr < POLICY_NR_MAX; nr++) {
			auto_free char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
			char word[64];
			const char *at = b->text;

			if (name == NULL || one_of(name, nothing))
				continue;
			snprintf(word, sizeof word, "%s", name);
			do {
				at = strstr(at, word);
				if (at == NULL)
					fail_msg("%s does not name %s", b->name, name);
				at += strlen(word);
			} while ((at[0] != ',' && at[0] != ']') || strchr("[ ", at[-1 - (ptrdiff_t)strlen(word)]) == NULL);
		}
	}
}

/** Loading must stay cheap: the kernel's time grows with the length. */
static void length(void **state)
{
	(void)state;
	for (size_t i = 0; embedded(i) != NULL; i++)
		assert_in_range(embedded(i)->bpf_len, 1, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(compiled_from_their_text),
		cmocka_unit_test(profiles_differ_as_they_say),
		cmocka_unit_test(shipped_profiles_stand_on_the_floor),
		cmocka_unit_test(every_known_call_is_named),
		cmocka_unit_test(length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
