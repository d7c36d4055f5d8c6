/* SPDX-License-Identifier: Apache-2.0 */
/* Every probe of tests/escape/ that must fail without the help of a seccomp filter, in each kind of sandbox, and
 * under each shipped profile. */
#include "box.h"

#include <linux/keyctl.h>

#include "profiles/profiles.h"

static const struct sock_filter allow_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

static int setup(void **state)
{
	box_setup(state);
	box_program(*state, "../../escape/probe.c", "rootfs/bin/probe");
	/* What a probe looks for in the caller's session keyring. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	(void)syscall(SYS_add_key, "user", "glovebox-probe", "secret", 6, KEY_SPEC_SESSION_KEYRING);
	return 0;
}

static void run_probe(struct box *b, const char *name, struct buf *through)
{
	box_must(box_try(b, BOX_ARGV("probe", name)), &b->err);
	if (b->res.end != SANDBOX_EXITED || b->res.code != 1)
		buf_addf(through, "%s: end %d, code %d: %s\n", name, b->res.end, b->res.code, b->out.data);
}

static void run_all(struct box *b)
{
	auto_buf through = { 0 };
	size_t n = 0;

	box_must(box_try(b, BOX_ARGV("probe")), &b->err);
	auto_free char *names = buf_take(&b->out);
	for (char *rest = names, *name; (name = strsep(&rest, "\n")) != NULL && *name != '\0'; n++)
		run_probe(b, name, &through);
	assert_true(n >= 60);
	if (through.len != 0)
		fail_msg("got through:\n%s", through.data);
}

static void without_filter(struct box *b)
{
	b->conf.filter = allow_all;
	b->conf.filter_len = ARRAY_LEN(allow_all);
	run_all(b);
}

static void test_direct(void **state)
{
	without_filter(*state);
}

static void test_with_the_shipped_filters(void **state)
{
	struct box *b = *state;
	const struct profile_builtin *profile;

	for (size_t i = 0; (profile = profile_builtin_at(i)) != NULL; i++) {
		b->conf.filter = profile->bpf;
		b->conf.filter_len = profile->bpf_len;
		run_all(b);
	}
}

/** The floor, with a filter of the step's own that allows everything. */
static void test_with_the_floor(void **state)
{
	struct box *b = *state;

	b->conf.floor = profile_floor()->bpf;
	b->conf.floor_len = profile_floor()->bpf_len;
	without_filter(b);
}

static void test_as_root_inside(void **state)
{
	struct box *b = *state;

	b->conf.inner_uid = b->conf.inner_gid = 0;
	without_filter(b);
}

static void test_in_a_space(void **state)
{
	struct box *b = *state;
	auto_sandbox_space space = NULL;
	const struct sandbox_space_conf conf = {
		.base_fd = b->base, .mountpoint = "spacemnt", .inner_uid = 1000, .inner_gid = 1000,
		.outer_uid = b->id.step_uid, .outer_gid = b->id.step_gid, .tmpfs_bytes = 1 << 20, .tmpfs_inodes = 100,
	};

	box_dir(b, "spacemnt");
	box_must(sandbox_space_open(&conf, &space, &b->err), &b->err);
	b->conf.space = space;
	without_filter(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_direct),
		box_test(test_with_the_shipped_filters),
		box_test(test_with_the_floor),
		box_test(test_as_root_inside),
		box_test(test_in_a_space),
	};

	return cmocka_run_group_tests(tests, setup, box_teardown);
}
