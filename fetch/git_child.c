/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/git_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/** Limits of a child. */
#define GIT_CHILD_MEMORY (8ull << 30)   /* git maps whole packs */
#define GIT_CHILD_FILE (16ull << 30)
#define GIT_CHILD_CPU_S 1800
#define GIT_CHILD_WALL_MS (3600 * 1000)
#define GIT_CHILD_FDS 1024

#if defined __x86_64__
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "name the architecture's AUDIT_ARCH_ constant here"
#endif
/** x32's numbers, which have the same audit architecture, begin here. */
#define X32_BIT 0x40000000u

/** Where git may be. PATH is the caller's word, and not asked. */
static const char *const gits[] = { "/usr/bin/git", "/usr/local/bin/git", "/bin/git" };

/* ---- in the child ----------------------------------------------------------- */

/** No socket but a local one, and no other way to make one. */
static int close_network(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_LEN(code), code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int set_limit(int what, uint64_t n)
{
	const struct rlimit limit = { n, n };

	return setrlimit((__rlimit_resource_t)what, &limit);
}

static int set_limits(void)
{
	return set_limit(RLIMIT_AS, GIT_CHILD_MEMORY) < 0 || set_limit(RLIMIT_FSIZE, GIT_CHILD_FILE) < 0 ||
	       set_limit(RLIMIT_CPU, GIT_CHILD_CPU_S) < 0 || set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_NOFILE, GIT_CHILD_FDS) < 0
		       ? -1 : 0;
}

/** Permitted and inheritable: @p keep alone; and hands it on through exec. */
static int keep_one(int keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {0};

	data[keep / 32] = (struct __user_cap_data_struct){ 1u << keep % 32, 1u << keep % 32, 1u << keep % 32 };
	if (syscall(SYS_capset, &head, data) < 0)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, keep, 0, 0);
}

/** Gives root up for good; the right to read stays where it is needed: where a container has left root only CAP_DAC_OVERRIDE, that
 *  (base/ident.h). What cannot be dropped from the bounding set is not permitted either. */
static int become_step_user(const struct git_child_conf *conf)
{
	const struct ident *id = conf->id;

	if (!id->real_root)
		return 0;
	if (setresuid(0, 0, 0) < 0)
		return -1;
	int keep = prctl(PR_CAPBSET_READ, CAP_DAC_READ_SEARCH) == 1 ? CAP_DAC_READ_SEARCH : CAP_DAC_OVERRIDE;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!conf->read_all || cap != keep)
			(void)prctl(PR_CAPBSET_DROP, cap);
	if (prctl(PR_SET_KEEPCAPS, conf->read_all ? 1 : 0) < 0 || setresgid(id->step_gid, id->step_gid, id->step_gid) < 0 ||
	    setresuid(id->step_uid, id->step_uid, id->step_uid) < 0)
		return -1;
	return conf->read_all ? keep_one(keep) : 0;
}

static void reset_signals(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < SIGRTMIN; s++)
		(void)sigaction(s, &dfl, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/** Standard input, output and error; nothing else stays open but @p keep, which closes itself at exec. */
static int place_fds(const int fds[3], int keep)
{
	int high[3];

	/* Out of the way first: what is to be 0 may have to become 1. */
	for (int i = 0; i < 3; i++)
		if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10)) < 0)
			return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	if (keep > 3 && syscall(SYS_close_range, 3, (unsigned)keep - 1, 0) < 0)
		return -1;
	return (int)syscall(SYS_close_range, (unsigned)keep + 1, ~0u, 0);
}

static void become_git(const struct git_child_conf *conf, const int fds[3], int report, const char *const *argv,
		       const char *const *env)
{
	int failed;

	(void)setpgid(0, 0);
	reset_signals();
	if (place_fds(fds, report) == 0 && chdir("/") == 0 && become_step_user(conf) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    /* Before the filter, after the ids, which clear it. */
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && set_limits() == 0 && (conf->network || close_network() == 0)) {
		umask(022);
		for (size_t i = 0; i < ARRAY_LEN(gits); i++)
			execve(gits[i], (char *const *)argv, (char *const *)env);
	}
	failed = errno;
	(void)!write(report, &failed, sizeof failed);
	(void)syscall(SYS_exit_group, 127);
}

/* ---- what it is told ------------------------------------------------------------ */

/** Strings that a child's argv or environment points to. */
struct strings {
	char *v[48];
	size_t n;
	bool failed;
};

static void strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
}
#define auto_strings __attribute__((cleanup(strings_clear))) struct strings

/** Adds "@p name@p value"; nothing where @p value is NULL. The last place stays NULL. */
static void add(struct strings *s, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (s->n + 1 == ARRAY_LEN(s->v) || asprintf(&s->v[s->n], "%s%s", name, value) < 0)
		s->failed = true;
	else
		s->n++;
}

/** No configuration but that of the repository that we made, no prompt, no helper, no editor, no program. */
static void fill_env(const struct git_child_conf *conf, struct strings *env)
{
	static const char *const fixed[] = {
		"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false", "SSH_ASKPASS=/bin/false", "GIT_SSH_COMMAND=/bin/false",
		"GIT_PROXY_COMMAND=/bin/false", "GIT_PROTOCOL_FROM_USER=0", "GIT_PAGER=cat", "GIT_EDITOR=/bin/false",
		"GIT_OPTIONAL_LOCKS=0", "GIT_HTTP_LOW_SPEED_LIMIT=1", "GIT_HTTP_LOW_SPEED_TIME=60",
	};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		add(env, fixed[i], "");
	add(env, "GIT_DIR=", conf->git_dir);
	add(env, "GIT_ALLOW_PROTOCOL=", conf->protocols);
	if (!conf->network)
		return;
	add(env, "http_proxy=", conf->net->http_proxy);
	add(env, "https_proxy=", conf->net->https_proxy);
	add(env, "no_proxy=", conf->net->no_proxy);
	add(env, "GIT_SSL_CAINFO=", conf->net->ca_file);
}

/* ---- around it ------------------------------------------------------------------- */

static int exec_failed(int sys, struct err *err)
{
	if (sys == ENOENT)
		return err_set(err, ERR_HOST, 0, "git is not installed (looked in /usr/bin, /usr/local/bin and /bin)");
	return err_set(err, ERR_HOST, sys, "start git confined");
}

/** Forks; returns when git runs, or has failed to. */
static int launch(const struct git_child_conf *conf, const int fds[3], pid_t *ret, struct err *err)
{
	auto_strings argv = {0};
	auto_strings env = {0};
	int report[2], failed;
	size_t got;

	add(&argv, "git", "");
	for (const char *const *arg = conf->args; *arg != NULL; arg++)
		add(&argv, *arg, "");
	fill_env(conf, &env);
	if (argv.failed || env.failed)
		return err_set(err, ERR_INTERNAL, ENOMEM, "start git");
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, ERR_INTERNAL, errno, "start git");
	pid_t pid = fork();
	if (pid == 0)
		become_git(conf, fds, report[1], (const char *const *)argv.v, (const char *const *)env.v);
	close(report[1]);
	auto_fd from = report[0];
	if (pid < 0)
		return err_set(err, ERR_INTERNAL, errno, "start git");
	/* Here too: whichever is first, the group is there before it is signalled. */
	(void)setpgid(pid, pid);
	*ret = pid;
	if (io_read_full(from, &failed, sizeof failed, &got, err) < 0)
		return -1;
	return got == sizeof failed ? exec_failed(failed, err) : 0;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

void git_child_kill(struct git_child *c)
{
	own_fd(&c->in);
	own_fd(&c->out);
	own_fd(&c->said);
	if (c->pid > 0) {
		/* It is reaped only here, so the group's number is still its own. */
		(void)kill(-c->pid, SIGKILL);
		(void)kill(c->pid, SIGKILL);
		(void)wait_for(c->pid);
	}
	*c = GIT_CHILD_NONE;
}

/** A child with the pipes that are wanted; the others are /dev/null. Its input is a socket: writing to a child that has died must
 *  not be the death of us (MSG_NOSIGNAL). */
static int start(const struct git_child_conf *conf, bool in, bool out, bool said, struct git_child *ret, struct err *err)
{
	int a[2] = { -1, -1 }, b[2] = { -1, -1 }, c[2] = { -1, -1 };
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct git_child child = GIT_CHILD_NONE;
	int result = null < 0 || (in && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a) < 0) || (out && pipe2(b, O_CLOEXEC) < 0) || (said && pipe2(c, O_CLOEXEC) < 0)
			     ? err_set(err, ERR_INTERNAL, errno, "start git") : 0;

	if (result == 0)
		result = launch(conf, (const int[3]){ in ? a[0] : null, out ? b[1] : null, said ? c[1] : null }, &child.pid, err);
	child.in = a[1];
	child.out = b[0];
	child.said = c[0];
	own_fd(&a[0]);
	own_fd(&b[1]);
	own_fd(&c[1]);
	if (result < 0)
		git_child_kill(&child);
	else
		*ret = child;
	return result;
}

int git_child_start(const struct git_child_conf *conf, struct git_child *ret, struct err *err)
{
	return start(conf, true, true, false, ret, err);
}

/** Takes what is there to read. @return 1 at the end of file. */
static int take(int fd, struct buf *to, size_t keep, struct err *err)
{
	char chunk[8192];
	ssize_t n = read(fd, chunk, sizeof chunk);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : err_set(err, ERR_INTERNAL, errno, "read from git");
	if (n == 0)
		return 1;
	size_t room = keep == 0 ? (size_t)n : keep > to->len ? keep - to->len : 0;
	buf_add(to, chunk, (size_t)n < room ? (size_t)n : room);
	if (to->full)
		return err_set(err, ERR_INPUT, 0, "git's answer is larger than %zu bytes", to->limit);
	return buf_check(to, "answer", err);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Reads both pipes to their ends. */
static int collect(const struct git_child_conf *conf, struct git_child *c, struct buf *out, struct buf *said, struct err *err)
{
	int64_t deadline = now_ms() + GIT_CHILD_WALL_MS;

	while (c->out >= 0 || c->said >= 0) {
		struct pollfd p[] = { { .fd = c->out, .events = POLLIN }, { .fd = c->said, .events = POLLIN },
				      { .fd = conf->net->cancel_fd, .events = POLLIN } };
		int64_t left = deadline - now_ms();
		int n = left <= 0 ? 0 : poll(p, 3, (int)left), done;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_INTERNAL, errno, "wait for git");
		if (n == 0)
			return err_set(err, ERR_INPUT, 0, "git took longer than %d s", GIT_CHILD_WALL_MS / 1000);
		if (p[2].revents != 0)
			return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
		if (p[0].revents != 0 && (done = take(c->out, out, 0, err)) != 0) {
			if (done < 0)
				return -1;
			own_fd(&c->out);
			c->out = -1;
		}
		if (p[1].revents != 0 && (done = take(c->said, said, GIT_CHILD_SAID_MAX, err)) != 0) {
			if (done < 0)
				return -1;
			own_fd(&c->said);
			c->said = -1;
		}
	}
	return 0;
}

/** What it said as one line. */
static int failed(int status, const struct buf *said, struct err *err)
{
	auto_buf line = {0};

	for (size_t i = 0; i < said->len; i++)
		buf_addc(&line, said->data[i] == '\n' ? ' ' : said->data[i]);
	while (line.len > 0 && line.data[line.len - 1] == ' ')
		buf_seal(&line, line.len - 1);
	if (WIFSIGNALED(status))
		return err_set(err, ERR_INPUT, 0, "git was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_set(err, ERR_INPUT, 0, "git: %s", line.len > 0 ? line.data : "it failed without a word");
}

int git_child_run(const struct git_child_conf *conf, struct buf *out, struct err *err)
{
	auto_git_child c = GIT_CHILD_NONE;
	auto_buf said = {0};

	if (start(conf, false, out != NULL, true, &c, err) < 0 || collect(conf, &c, out, &said, err) < 0)
		return -1;
	/* What it left behind ends before its number is free for others. */
	siginfo_t ended;
	while (waitid(P_PID, (id_t)c.pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	(void)kill(-c.pid, SIGKILL);
	int status = wait_for(c.pid);
	c.pid = -1;
	return status == 0 ? 0 : failed(status, &said, err);
}
