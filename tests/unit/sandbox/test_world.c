/* SPDX-License-Identifier: Apache-2.0 */
/* What a command finds around itself, whatever its caller was like. */
#include "box.h"

#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "profiles/profiles.h"

static void has(struct box *b, const char *text)
{
	if (strstr(b->out.data, text) == NULL)
		fail_msg("'%s' is not in: %s", text, b->out.data);
}

static void has_not(struct box *b, const char *text)
{
	if (strstr(b->out.data, text) != NULL)
		fail_msg("'%s' is in: %s", text, b->out.data);
}

static void test_environment(void **state)
{
	struct box *b = *state;

	assert_int_equal(setenv("SECRET_OF_CALLER", "1", 1), 0);
	assert_string_equal(box_says(b, "env"), "PATH=/nowhere:/bin\nHOME=/build/home\n");
	unsetenv("SECRET_OF_CALLER");
}

static void check_state(struct box *b)
{
	char cpus[32];

	box_says(b, "state");
	has(b, "umask 0022\n");
	has(b, "signals 0 0\n");
	has(b, "session 1\n");
	has(b, "tty 0\n");
	has(b, "uid 1000 1000 gid 1000 1000\n");
	has(b, "cwd /\n");
	has(b, "fds 0 1 2\n");
	snprintf(cpus, sizeof cpus, "cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	has(b, cpus);
}

static void test_inherits_nothing(void **state)
{
	struct box *b = *state;

	check_state(b);
	has(b, "nice 0\n");
	pid_t pid = fork();
	if (pid == 0) { /* a caller in every odd state */
		sigset_t all;
		cpu_set_t one;

		umask(0777);
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		for (int s = 1; s < NSIG; s++)
			signal(s, SIG_IGN);
		CPU_ZERO(&one);
		CPU_SET(0, &one);
		sched_setaffinity(0, sizeof one, &one);
		personality(ADDR_NO_RANDOMIZE);
		for (int fd = 0; fd < 60; fd += 7)
			fcntl(b->base, F_DUPFD, fd); /* without close-on-exec */
		box_must(chdir("/") , &b->err);
		check_state(b);
		assert_string_equal(box_says(b, "cat", "/proc/self/personality"), "00000000\n");
		_exit(0);
	}
	int st = 1;
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

/** Without a descriptor 0, 1 or 2 of the caller's, the child's own must not land there by mistake. */
static void test_caller_without_stdio(void **state)
{
	struct box *b = *state;

	pid_t pid = fork();
	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		int r = box_inside(b, "echo", "out", "err");
		_exit(r == 0 && strcmp(b->out.data, "out\n") == 0 && strcmp(b->errout.data, "err\n") == 0 ? 0 : 1);
	}
	int st = 1;
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

static void test_stdin_is_null(void **state)
{
	struct box *b = *state;

	assert_string_equal(box_says(b, "cat", "/dev/stdin"), "");
}

static void check_walls(struct box *b)
{
	char blocked[64];

	box_says(b, "cat", "/proc/self/status");
	has(b, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
	       "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
	box_says(b, "cat", "/proc/1/status");
	has(b, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
	       "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
	has(b, "Name:\tglovebox-init\n");
	/* Of all signals, only SIGCHLD waits for init: what a step sends it must not pile up at the caller's expense. */
	snprintf(blocked, sizeof blocked, "SigBlk:\t%016llx\n", 1ull << (SIGCHLD - 1));
	has(b, blocked);
}

static void test_no_capability(void **state)
{
	struct box *b = *state;

	check_walls(b);
	b->conf.inner_uid = b->conf.inner_gid = 0; /* root by name only */
	check_walls(b);
	has(b, "Uid:\t0\t0\t0\t0\n");
	assert_non_null(strstr(box_says(b, "cat", "/etc/passwd"), "root:x:0:0:root:/build/home:"));
	box_refuses(b, EROFS, "chmod", "/dev", "777");
}

static void test_limits(void **state)
{
	struct box *b = *state;

	b->conf.limits.pids = 100;
	box_says(b, "limits");
	has(b, "\n4 0 0\n");                 /* CORE */
	has(b, "\n6 101 101\n");             /* NPROC, and the init */
	has(b, "\n7 4096 4096\n");           /* NOFILE */
	has(b, "1 68719476736 68719476736"); /* FSIZE */
	has(b, "\n3 8388608 ");              /* STACK */
	has(b, "\n13 0 0\n14 0 0\n");        /* NICE, RTPRIO */
}

static json_int_t limit_value(const struct box *b, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(json_object_get(b->res.receipt, "limits"), name), "value"));
}

/** A caller's own hard limits, where lower, are in force; the receipt has these values, and says whose they are. */
static void test_lower_limits_of_the_caller(void **state)
{
	struct box *b = *state;

	box_says(b, "true");
	assert_null(json_object_get(json_object_get(json_object_get(b->res.receipt, "inherited"), "limits"), "RLIMIT_NOFILE"));
	pid_t pid = fork();
	if (pid == 0) {
		static const struct { int resource; rlim_t value; } lower[] = {
			{ RLIMIT_NOFILE, 100 }, { RLIMIT_FSIZE, 1 << 20 }, { RLIMIT_CPU, 1000 },
		};
		struct rlimit now;

		for (size_t i = 0; i < ARRAY_LEN(lower); i++)
			setrlimit((__rlimit_resource_t)lower[i].resource, &(struct rlimit){ lower[i].value, lower[i].value });
		getrlimit(RLIMIT_NPROC, &now); /* near 4096 it would depend on what else this user runs */
		if (now.rlim_max > 1000000)
			now.rlim_cur = now.rlim_max = 1000000;
		setrlimit(RLIMIT_NPROC, &now);
		b->conf.limits.pids = 2000000;
		box_says(b, "limits");
		has(b, "\n7 100 100\n");
		has(b, "0 1000 1000\n");
		assert_int_equal(limit_value(b, "files"), 100);
		assert_int_equal(limit_value(b, "fileBytes"), 1 << 20);
		assert_int_equal(limit_value(b, "pids"), (json_int_t)now.rlim_max - 1);
		const json_t *inherited = json_object_get(json_object_get(b->res.receipt, "inherited"), "limits");
		assert_int_equal(json_integer_value(json_object_get(inherited, "RLIMIT_NOFILE")), 100);
		assert_int_equal(json_integer_value(json_object_get(inherited, "RLIMIT_CPU")), 1000);
		_exit(0);
	}
	int st = 1;
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

/** Which groups the command would see as its own: an ordinary user's are what they are, and root tries another set. */
static void check_groups(void)
{
	const struct sandbox_limits none = {0};
	auto_json inherited = NULL;
	struct err err = {0};
	gid_t have[1024];
	int n = getgroups(ARRAY_LEN(have), have);

	assert_int_equal(sandbox_inherited(&none, &inherited, &err), 0);
	const json_t *seen = json_object_get(inherited, "groups");
	assert_int_equal(json_array_size(seen), n);
	for (int i = 0; i < n; i++)
		assert_string_equal(json_string_value(json_array_get(seen, (size_t)i)), have[i] == getegid() ? "own" : "other");
}

static void test_groups_of_the_caller(void **state)
{
	(void)state;
	check_groups();
	pid_t pid = fork();
	if (pid == 0) {
		const gid_t groups[] = { 27, getegid(), 61234 };

		if (geteuid() == 0)
			assert_int_equal(setgroups(ARRAY_LEN(groups), groups), 0);
		check_groups();
		_exit(0);
	}
	int st = 1;
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

/** When memory is short the command goes first, then what the caller itself has at stake. */
static void test_memory_hogs_go_first(void **state)
{
	struct box *b = *state;
	char text[32] = "", want[64];
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	*strchr(text, '\n') = '\0';
	/* A lower score than the caller was given is not init's to have; a negative one it does not keep. */
	const char *init = text[0] == '-' ? "0" : text;
	snprintf(want, sizeof want, "init %s\n1000\n", init);
	assert_string_equal(box_says(b, "oom", init), want);
}

static void test_only_the_writable_is_writable(void **state)
{
	struct box *b = *state;
	static const char *const ro[] = { "/x", "/usr/x", "/usr/lib/x", "/etc/x", "/etc/passwd", "/etc/other", "/dev/x", "/proc/x",
					  "/sys/x", "/bin/inside", "/srv/x", "/opt/app/x", "/build/x", "/note",
					  "/proc/self/comm", "/proc/self/oom_score_adj", "/proc/sys/kernel/hostname" };
	static const char *const rw[] = { "/tmp/x", "/dev/shm/x", "/build/home/x", "/dev/null", "/dev/full" };

	for (size_t i = 0; i < ARRAY_LEN(ro); i++) {
		assert_int_equal(box_inside(b, "write", ro[i], "text"), 1);
		/* EACCES where Landlock is asked before the mount's flag */
		if (strstr(b->out.data, strerror(EROFS)) == NULL && strstr(b->out.data, strerror(EACCES)) == NULL &&
		    strstr(b->out.data, strerror(ENOENT)) == NULL && strstr(b->out.data, strerror(ETXTBSY)) == NULL)
			fail_msg("%s", b->out.data);
	}
	for (size_t i = 0; i < ARRAY_LEN(rw); i++)
		if (strcmp(rw[i], "/dev/full") != 0)
			box_says(b, "write", rw[i], "text");
		else
			box_refuses(b, ENOSPC, "write", rw[i], "text");
	static const char *const fixed[] = { "/dev/null", "/dev/urandom", "/etc/passwd", "/tmp/../usr", "/", "/dev", "/etc" };
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		box_refuses(b, EROFS, "chmod", fixed[i], "777");
}

static void test_proc(void **state)
{
	struct box *b = *state;
	static const char *const masked[] = { "/proc/cmdline", "/proc/config.gz", "/proc/diskstats", "/proc/interrupts",
					      "/proc/kallsyms", "/proc/key-users", "/proc/keys", "/proc/modules",
					      "/proc/partitions", "/proc/swaps", "/proc/1/cmdline", "/proc/timer_list" };
	static const char *const dirs[] = { "/proc/acpi", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/scsi" };
	static const char *const own[] = { "/proc/1/environ", "/proc/1/maps", "/proc/1/mem", "/proc/1/auxv", "/proc/1/pagemap" };

	for (size_t i = 0; i < ARRAY_LEN(masked); i++)
		if (box_inside(b, "cat", masked[i]) == 0)
			for (size_t j = 0; j < b->out.len; j++)
				if (b->out.data[j] != '\0')
					fail_msg("%s says: %s", masked[i], b->out.data);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (box_inside(b, "ls", dirs[i]) == 0)
			assert_string_equal(b->out.data, "");
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (box_inside(b, "cat", own[i]) == 0)
			fail_msg("%s can be read", own[i]);
	box_refuses(b, EACCES, "ls", "/proc/1/fd");
	box_refuses(b, EACCES, "ls", "/proc/1/root");
	box_refuses(b, EACCES, "ls", "/proc/1/cwd/");
	assert_string_equal(box_says(b, "cat", "/proc/version"), "Linux version 0 (glovebox)\n");
	assert_string_equal(box_says(b, "cat", "/proc/sys/kernel/random/boot_id"), "00000000-0000-4000-8000-000000000000\n");
	box_says(b, "cat", "/proc/cpuinfo");
	has(b, "processor");
	box_refuses(b, ENOENT, "cat", "/proc/fake");
	box_refuses(b, ENOENT, "cat", "/tmp/fake");
}

static void test_mountinfo(void **state)
{
	struct box *b = *state;

	box_says(b, "cat", "/proc/self/mountinfo");
	has_not(b, "/mnt");
	has_not(b, "/layer");
	has_not(b, "shared:");
	has_not(b, "master:");
	for (char *line = strtok(b->out.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_non_null(strstr(line, "nosuid"));
		if (strstr(line, " /dev/") == NULL || strstr(line, " /dev/shm ") != NULL)
			assert_non_null(strstr(line, "nodev"));
		if (strstr(line, " rw,") != NULL && strstr(line, " /tmp ") == NULL && strstr(line, " /dev/shm ") == NULL &&
		    strstr(line, " /build/home ") == NULL && strstr(line, " /dev/pts ") == NULL &&
		    strstr(line, " ro,") == NULL)
			fail_msg("writable: %s", line);
	}
}

/* ---- /etc ------------------------------------------------------------------------------- */

static void check_etc(struct box *b)
{
	box_says(b, "cat", "/etc/passwd");
	has(b, "builder:x:1000:1000:builder:/build/home:/bin/sh\n");
	has(b, "root:x:0:0:");
	box_says(b, "cat", "/etc/group");
	has(b, "builder:x:1000:\n");
	box_says(b, "cat", "/etc/hosts");
	has(b, "127.0.0.1\tlocalhost glovebox\n");
	assert_string_equal(box_says(b, "cat", "/etc/resolv.conf"), "");
	box_says(b, "cat", "/etc/nsswitch.conf");
	has(b, "hosts: files\n");
	box_refuses(b, EROFS, "chmod", "/etc/passwd", "666");
	box_refuses(b, EROFS, "mkdir", "/etc/new");
}

static void test_etc(void **state)
{
	struct box *b = *state;

	check_etc(b);
	assert_string_equal(box_says(b, "cat", "/etc/other"), "original\n");
	/* A link instead of one of the five, as Debian's resolv.conf often is */
	assert_int_equal(unlinkat(b->base, "rootfs/etc/resolv.conf", 0), 0);
	assert_int_equal(symlinkat("../run/resolve/stub", b->base, "rootfs/etc/resolv.conf"), 0);
	check_etc(b);
	assert_string_equal(box_says(b, "cat", "/etc/other"), "original\n");
	assert_int_equal(unlinkat(b->base, "rootfs/etc/resolv.conf", 0), 0);
	check_etc(b);
	/* None */
	assert_int_equal(renameat(b->base, "rootfs/etc", b->base, "etc-aside"), 0);
	check_etc(b);
	box_refuses(b, ENOENT, "cat", "/etc/other");
	box_dir(b, "rootfs/etc");
	check_etc(b);
	assert_int_equal(unlinkat(b->base, "rootfs/etc", AT_REMOVEDIR), 0);
	assert_int_equal(renameat(b->base, "etc-aside", b->base, "rootfs/etc"), 0);
	box_file(b, "rootfs/etc/resolv.conf", "original\n");
}

/* ---- network and names ------------------------------------------------------------------- */

static void test_network(void **state)
{
	struct box *b = *state;

	box_refuses(b, ENETUNREACH, "loopback");
	box_says(b, "cat", "/proc/net/route");
	char *head = strchr(b->out.data, '\n'); /* no row below the heading, if there is even that */
	assert_true(head == NULL || head[1] == '\0');
	b->conf.network = SANDBOX_NET_LOOPBACK;
	box_says(b, "loopback");
	box_says(b, "cat", "/proc/net/dev");
	has(b, "lo:");
	has_not(b, "eth");
	assert_string_equal(json_str(b->res.receipt, "network"), "loopback");
}

static void test_abstract_socket_of_the_host(void **state)
{
	struct box *b = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name, sizeof name, "glovebox-test-%d", (int)getpid());
	memcpy(at.sun_path + 1, name, strlen(name));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))), 0);
	assert_int_equal(listen(fd, 1), 0);
	box_refuses(b, ECONNREFUSED, "abstract", name);
	close(fd);
}

static void test_names(void **state)
{
	struct box *b = *state;

	assert_string_equal(box_says(b, "names"), "glovebox (none)\n");
}

static void test_receipt(void **state)
{
	struct box *b = *state;
	struct digest digest;
	char text[DIGEST_STR_SIZE];

	box_says(b, "true");
	const json_t *r = b->res.receipt;
	assert_int_equal(json_array_size(json_object_get(r, "namespaces")), 7);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(r, "idMap"), "uid"), "outside")),
			 b->id.step_uid);
	box_must(hash_bytes(box_filter, sizeof box_filter, &digest, &b->err), &b->err);
	assert_string_equal(json_str(json_object_get(r, "seccomp"), "digest"), digest_str(&digest, text));
	assert_true(json_is_true(json_object_get(r, "noNewPrivs")));
	assert_int_equal(json_array_size(json_object_get(r, "capabilities")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(r, "limits"), "pids"), "value")), 4096);
}

/** What cannot be written down is refused, before anything starts. */
static void test_receipt_tells_every_mount(void **state)
{
	struct box *b = *state;

	b->conf.nmounts = 2;
	b->mounts[0] = (struct sandbox_mount){ .kind = SANDBOX_BIND_RO, .target = "/w", .source = { SANDBOX_IN_BASE, "src" } };
	b->mounts[1] = (struct sandbox_mount){ .kind = SANDBOX_BIND_RO, .target = "/w\xff", .source = { SANDBOX_IN_BASE, "src" } };
	box_fails(b, ERR_USAGE, "mount on '/w\377': must be UTF-8");
	b->mounts[1].target = "/ünï";
	box_says(b, "true");
	assert_int_equal(json_array_size(json_object_get(b->res.receipt, "mounts")), 2);
	assert_string_equal(json_str(json_array_get(json_object_get(b->res.receipt, "mounts"), 1), "target"), "/ünï");
}

/** Whatever the step's own filter allows, the floor refuses, and the receipt tells of it. */
static void test_floor(void **state)
{
	struct box *b = *state;
	static const struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	char text[DIGEST_STR_SIZE];

	b->conf.filter = all;
	b->conf.filter_len = ARRAY_LEN(all);
	box_says(b, "write", "/tmp/../build/home/x", "");
	assert_null(json_object_get(json_object_get(b->res.receipt, "seccomp"), "floor"));
	assert_int_equal(box_inside(b, BOX_STARVE), 7);
	b->conf.floor = profile_floor()->bpf;
	b->conf.floor_len = profile_floor()->bpf_len;
	box_refuses(b, EPERM, BOX_STARVE);
	box_refuses(b, EPERM, "unshare");
	box_refuses(b, EPERM, "chmod", "/tmp", "4777");
	const json_t *floor = json_object_get(json_object_get(b->res.receipt, "seccomp"), "floor");
	assert_string_equal(json_str(floor, "digest"), digest_str(&profile_floor()->bpf_digest, text));
	assert_int_equal(json_integer_value(json_object_get(floor, "instructions")), profile_floor()->bpf_len);
	check_state(b);
	check_walls(b);
	/* The step's own is asked as before. */
	b->conf.filter = box_filter;
	b->conf.filter_len = ARRAY_LEN(box_filter);
	box_refuses(b, EPERM, "unshare");
	b->conf.floor_len = 0;
	box_fails(b, ERR_USAGE, "floor");
}

/** The shipped profiles let all of it work. */
static void test_with_the_shipped_filters(void **state)
{
	struct box *b = *state;
	const struct profile_builtin *profile;

	for (size_t i = 0; (profile = profile_builtin_at(i)) != NULL; i++) {
		b->conf.filter = profile->bpf;
		b->conf.filter_len = profile->bpf_len;
		check_state(b);
		check_walls(b);
		assert_int_equal(box_inside(b, "exit", "3"), 3);
		assert_string_equal(box_says(b, "daemons"), "left\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_environment),
		box_test(test_inherits_nothing),
		box_test(test_caller_without_stdio),
		box_test(test_stdin_is_null),
		box_test(test_no_capability),
		box_test(test_limits),
		box_test(test_only_the_writable_is_writable),
		box_test(test_proc),
		box_test(test_mountinfo),
		box_test(test_etc),
		box_test(test_network),
		box_test(test_abstract_socket_of_the_host),
		box_test(test_names),
		box_test(test_receipt),
		box_test(test_lower_limits_of_the_caller),
		box_test(test_groups_of_the_caller),
		box_test(test_memory_hogs_go_first),
		box_test(test_receipt_tells_every_mount),
		box_test(test_floor),
		box_test(test_with_the_shipped_filters),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}
