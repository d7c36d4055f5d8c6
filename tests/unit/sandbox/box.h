/* SPDX-License-Identifier: Apache-2.0 */
/** @file box.h A base directory with a small rootfs, and one run of it: shared by the tests of sandbox/. */
#ifndef GB_TEST_SANDBOX_BOX_H
#define GB_TEST_SANDBOX_BOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include "base/base.h"
#include "sandbox/sandbox.h"

/** A filter for these tests: forbids a handful with EPERM, allows the rest. The real ones are profiles/. */
#define BOX_DENY(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
static const struct sock_filter box_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BOX_DENY(SYS_ptrace), BOX_DENY(SYS_mount), BOX_DENY(SYS_unshare), BOX_DENY(SYS_setns), BOX_DENY(SYS_keyctl),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const char *const box_env[] = { "PATH=/nowhere:/bin", "HOME=/build/home", NULL };

struct box {
	char path[256];
	int base;
	struct ident id;
	struct sandbox_conf conf;
	struct sandbox_mount mounts[8];
	struct sandbox_result res;
	struct buf out, errout;
	struct err err;
};

static inline void box_must(int r, const struct err *err)
{
	if (r != 0)
		fail_msg("%s", err->msg);
}

static inline void box_output(void *arg, int stream, const char *data, size_t n)
{
	struct box *b = arg;

	buf_add(stream == 1 ? &b->out : &b->errout, data, n);
}

static inline void box_dir(struct box *b, const char *path)
{
	box_must(io_mkdirs(b->base, path, 0755, &b->err), &b->err);
}

static inline void box_file(struct box *b, const char *path, const char *text)
{
	box_must(io_publish(b->base, path, text, strlen(text), 0644, 0, &b->err), &b->err);
}

/** Builds a static program from a source beside this file, or at the given path from there; from all that a folder (…/) has. */
static inline void box_program(struct box *b, const char *source, const char *path)
{
	const char *slash = strrchr(__FILE__, '/');
	const char *all = source[strlen(source) - 1] == '/' ? "*.c" : "";
	char cmd[2048];

	snprintf(cmd, sizeof cmd, "${CC:-cc} -static -O1 -w -D_GNU_SOURCE -o '%s/%s' '%.*s/%s'%s", b->path, path,
		 (int)(slash - __FILE__), __FILE__, source, all);
	if (system(cmd) != 0)
		fail_msg("cannot build: %s", cmd);
}

static inline void box_default(struct box *b)
{
	b->conf = (struct sandbox_conf){
		.base_fd = b->base, .mountpoint = "mnt", .rootfs = "rootfs", .mounts = b->mounts,
		.envp = box_env, .workdir = "/", .hostname = "glovebox",
		.inner_uid = 1000, .inner_gid = 1000, .outer_uid = b->id.step_uid, .outer_gid = b->id.step_gid,
		.filter = box_filter, .filter_len = ARRAY_LEN(box_filter),
		.output = box_output, .output_arg = b, .cancel_fd = -1,
	};
	memset(b->mounts, 0, sizeof b->mounts);
}

/** Group setup. As real root: becomes a step user by effective ids, as glovebox does. */
static inline int box_setup(void **state)
{
	struct box *b = calloc(1, sizeof *b);
	const char *tmp = getenv("TMPDIR");

	b->res.view_fd = -1;
	box_must(ident_detect(&b->id, &b->err), &b->err);
	snprintf(b->path, sizeof b->path, "%s/glovebox-box-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(b->path) == NULL || chmod(b->path, 0755) != 0 || chown(b->path, b->id.step_uid, b->id.step_gid) != 0)
		fail_msg("%s: %s", b->path, strerror(errno));
	b->base = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	box_must(ident_drop(&b->id, &b->err), &b->err);
	static const char *const dirs[] = { "mnt", "rootfs/bin", "rootfs/usr/lib", "rootfs/etc", "rootfs/srv", "rootfs/opt/app",
					    "rootfs/proc", "rootfs/dev", "rootfs/tmp", "rootfs/sys", "src", "up", "work" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		box_dir(b, dirs[i]);
	static const char *const files[] = { "rootfs/etc/passwd", "rootfs/etc/group", "rootfs/etc/hosts",
					     "rootfs/etc/nsswitch.conf", "rootfs/etc/resolv.conf", "rootfs/etc/other",
					     "rootfs/proc/fake", "rootfs/tmp/fake", "rootfs/dev/fake", "rootfs/sys/fake", "rootfs/note", "src/file" };
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		box_file(b, files[i], "original\n");
	if (symlinkat("usr/lib", b->base, "rootfs/lib") != 0)
		fail_msg("link: %s", strerror(errno));
	box_program(b, "inside.c", "rootfs/bin/inside");
	box_file(b, "rootfs/bin/plain", "not executable\n");
	box_file(b, "rootfs/bin/garbage", "not a program\n");
	if (fchmodat(b->base, "rootfs/bin/garbage", 0755, 0) != 0)
		fail_msg("chmod: %s", strerror(errno));
	box_default(b);
	*state = b;
	return 0;
}

static inline int box_teardown(void **state)
{
	struct box *b = *state;

	if (b == NULL)
		return 0;
	int up = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *name = strrchr(b->path, '/');
	DIR *dir = fdopendir(up);

	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			box_must(io_remove_tree(b->base, e->d_name, &b->err), &b->err);
	closedir(dir);
	close(b->base);
	*name = '\0';
	if (b->id.real_root)
		box_must(ident_caller_begin(&b->id, &b->err), &b->err);
	*name = '/';
	if (rmdir(b->path) != 0)
		fail_msg("%s was not left empty: %s", b->path, strerror(errno));
	sandbox_result_clear(&b->res);
	buf_free(&b->out);
	buf_free(&b->errout);
	free(b);
	return 0;
}

/** Before each test. */
static inline int box_reset(void **state)
{
	box_default(*state);
	return 0;
}

/** Runs `argv`; the result, output and error are in @p b. */
static inline int box_try(struct box *b, const char *const *argv)
{
	sandbox_result_clear(&b->res);
	buf_clear(&b->out);
	buf_clear(&b->errout);
	buf_adds(&b->out, "");
	buf_adds(&b->errout, "");
	b->conf.argv = argv;
	return sandbox_run(&b->conf, &b->res, &b->err);
}

#define BOX_ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
/** Runs `inside` with these arguments; the sandbox itself must work. @return the exit code, or -1 when it did not exit. */
#define box_inside(b, ...) box_inside_(b, BOX_ARGV("inside", __VA_ARGS__))
static inline int box_inside_(struct box *b, const char *const *argv)
{
	box_must(box_try(b, argv), &b->err);
	return b->res.end == SANDBOX_EXITED ? b->res.code : -1;
}

/** Runs and asserts exit 0; gives the output. */
#define box_says(b, ...) box_says_(b, BOX_ARGV("inside", __VA_ARGS__))
static inline const char *box_says_(struct box *b, const char *const *argv)
{
	if (box_inside_(b, argv) != 0)
		fail_msg("%s: end %d code %d, said: %s%s", argv[1], b->res.end, b->res.code, b->out.data, b->errout.data);
	return b->out.data;
}

/** Runs and asserts exit 1 with this errno's text. */
#define box_refuses(b, sys, ...) box_refuses_(b, sys, BOX_ARGV("inside", __VA_ARGS__))
static inline void box_refuses_(struct box *b, int sys, const char *const *argv)
{
	if (box_inside_(b, argv) != 1 || strstr(b->out.data, strerror(sys)) == NULL)
		fail_msg("%s %s: end %d code %d, said: %s (expected %s)", argv[1], argv[2], b->res.end, b->res.code, b->out.data,
			 strerror(sys));
}

/** AddressSanitizer maps memory of its own in init, too, and ends it where it cannot. */
#ifdef __SANITIZE_ADDRESS__
#define BOX_STARVE "starve-init"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BOX_STARVE "starve-init"
#endif
#endif
#ifndef BOX_STARVE
#define BOX_STARVE "starve-init", "of memory, too"
#endif

/** Asserts that a run is refused with this kind and words. */
static inline void box_fails(struct box *b, enum err_kind kind, const char *words)
{
	if (box_try(b, BOX_ARGV("inside", "true")) == 0)
		fail_msg("was not refused: %s", words);
	if (b->err.kind != kind || strstr(b->err.msg, words) == NULL)
		fail_msg("kind %d, said: %s (expected %d, %s)", b->err.kind, b->err.msg, kind, words);
}

#define box_test(f) cmocka_unit_test_setup(f, box_reset)

#endif
