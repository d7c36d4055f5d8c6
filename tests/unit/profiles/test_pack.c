/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled profile as bytes and back. */
#include "helper.h"

#include <sys/syscall.h>

#include "profiles/profiles.h"

static void same_again(void **state)
{
	const struct profile_builtin *b = profile_builtin("strict");
	auto_profile_program p = { 0 }, back = { 0 };
	struct err err = { 0 };
	auto_buf packed = { 0 };

	(void)state;
	assert_int_equal(profile_compile("strict", b->text, b->text_len, &p, &err), 0);
	assert_int_equal(profile_pack(&p, &packed, &err), 0);
	assert_int_equal(profile_unpack(packed.data, packed.len, &back, &err), 0);
	assert_int_equal(back.bpf_len, p.bpf_len);
	assert_memory_equal(back.bpf, p.bpf, p.bpf_len * sizeof *p.bpf);
	assert_true(digest_eq(&back.bpf_digest, &p.bpf_digest));
	assert_true(digest_eq(&back.text_digest, &p.text_digest));
	assert_int_equal(back.nrefusals, p.nrefusals);
	const struct profile_refusals r = { back.refusals, back.nrefusals, back.conds };
	const uint64_t args[6] = { 2, 1, 0 };
	assert_non_null(profile_find_refusal(&r, SYS_socket, args));
}

/** Bytes of every other length, and with every byte changed in turn, give an error or a profile that can be looked into. */
static void other_bytes(void **state)
{
	static const char text[] = "defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n"
		"- { action: SCMP_ACT_ERRNO, errnoRet: 1, names: [fcntl], args: [{ index: 1, op: SCMP_CMP_GE, value: 7 }] }\n";
	auto_profile_program p = { 0 };
	struct err err = { 0 };
	auto_buf packed = { 0 };

	(void)state;
	assert_int_equal(profile_compile("own", text, strlen(text), &p, &err), 0);
	assert_int_equal(profile_pack(&p, &packed, &err), 0);
	for (size_t n = 0; n < packed.len; n++) {
		auto_profile_program q = { 0 };

		assert_int_equal(profile_unpack(packed.data, n, &q, &err), -1);
	}
	for (size_t i = 0; i < packed.len; i++) {
		auto_profile_program q = { 0 };
		const uint64_t args[6] = { 0 };

		packed.data[i] = (char)~packed.data[i];
		if (profile_unpack(packed.data, packed.len, &q, &err) == 0) {
			const struct profile_refusals r = { q.refusals, q.nrefusals, q.conds };

			for (int nr = 0; nr < 500; nr++)
				(void)profile_find_refusal(&r, nr, args);
		}
		packed.data[i] = (char)~packed.data[i];
	}
}

static void key_is_of_the_text(void **state)
{
	struct digest a, b, c;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(profile_pack_key("a", 1, &a, &err), 0);
	assert_int_equal(profile_pack_key("b", 1, &b, &err), 0);
	assert_int_equal(profile_pack_key("a", 1, &c, &err), 0);
	assert_false(digest_eq(&a, &b));
	assert_true(digest_eq(&a, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_again),
		cmocka_unit_test(other_bytes),
		cmocka_unit_test(key_is_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
