/* SPDX-License-Identifier: Apache-2.0 */
/* The probes of tests/escape/ that must fail without the help of a seccomp filter, in each kind of sandbox: what
 * namespaces, mounts, capabilities, limits and Landlock hold alone. With the filters they run in tests/escape/. */
#include "box.h"

#include <linux/keyctl.h>

static const struct sock_filter allow_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

static int setup(void **state)
{
	box_setup(state);
	box_program(*state, "../../escape/probe/", "rootfs/bin/probe");
	box_program(*state, "inside.c", "rootfs/bin/busybox"); /* some file that is not being run */
	/* What a probe looks for in the caller's session keyring. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	(void)syscall(SYS_add_key, "user", "glovebox-escape", "secret", 6, KEY_SPEC_SESSION_KEYRING);
	return 0;
}

/** All probes, in one sandbox. */
static void run_all(struct box *b)
{
	auto_buf bad = { 0 };
	size_t n = 0;
	bool whole = false;

	b->conf.filter = allow_all;
	b->conf.filter_len = ARRAY_LEN(allow_all);
	box_must(box_try(b, BOX_ARGV("probe", "run", "bare", "0")), &b->err);
	for (char *rest = b->out.data, *line; (line = strsep(&rest, "\n")) != NULL;) {
		n += strncmp(line, "ok ", 3) == 0;
		whole |= strcmp(line, "# end") == 0;
		if (strncmp(line, "not ok ", 7) == 0)
			buf_addf(&bad, "%s\n%s\n", line, rest == NULL ? "" : strsep(&rest, "\n"));
	}
	if (bad.len != 0 || !whole || n < 200)
		fail_msg("end %d, code %d, %zu held; but:\n%s", b->res.end, b->res.code, n, bad.len == 0 ? "" : bad.data);
}

static void test_direct(void **state)
{
	run_all(*state);
}

static void test_as_root_inside(void **state)
{
	struct box *b = *state;

	b->conf.inner_uid = b->conf.inner_gid = 0;
	run_all(b);
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
	run_all(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_direct),
		box_test(test_as_root_inside),
		box_test(test_in_a_space),
	};

	return cmocka_run_group_tests(tests, setup, box_teardown);
}
