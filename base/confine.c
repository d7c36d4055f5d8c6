/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's half of confine.h: starting the child, believing little of what it says, telling how it ended. */
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/confine_child.h"
#include "base/io.h"
#include "base/text.h"

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/** Whether the end of a child that sends SIGCHLD waits for its parent. Where it does not, its id may already be another's. */
static bool children_are_kept(void)
{
	struct sigaction now;

	return sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler != SIG_IGN && (now.sa_flags & SA_NOCLDWAIT) == 0;
}

/** A copy of this process. From one thread, without an exit signal: neither SIGCHLD nor wait(-1) of the caller
 *  hears of it. From more, by libc, which alone can take the locks of malloc across. */
static pid_t copy_process(void)
{
	if (__libc_single_threaded)
		return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (children_are_kept())
		return fork();
	errno = ECHILD;
	return -1;
}

static struct confine_conf with_defaults(const struct confine_conf *conf)
{
	struct confine_conf c = *conf;

	c.memory = c.memory == 0 ? CONFINE_MEMORY : c.memory;
	c.cpu_s = c.cpu_s == 0 ? CONFINE_CPU_S : c.cpu_s;
	c.wall_ms = c.wall_ms == 0 ? CONFINE_WALL_MS : c.wall_ms;
	return c;
}

/** Bytes of this process's address space, which is the copy's: RLIMIT_AS counts them. Asked here and not there, where this file of /proc has
 *  been opened by nobody yet, and costs five times as much. 0 with errno: not known. */
static uint64_t own_memory(void)
{
	char text[64] = "";
	auto_fd statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (statm < 0 || read(statm, text, sizeof text - 1) < 0)
		return 0;
	errno = ENODATA;
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/** Clones with every signal blocked, so that no handler of the caller's runs in the child. */
static int start(struct confined *c, int out, int report, struct err *err)
{
	const uint64_t all = ~0ull;
	uint64_t before = 0, own = own_memory();
	pid_t self = getpid();

	if (own == 0)
		return err_set(err, ERR_HOST, errno, "%s cannot be confined: ask for this process's size", c->conf.what);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
	pid_t pid = copy_process();
	if (pid == 0)
		confine_child(&c->conf, out, report, self, own);
	int error = errno;
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
	if (pid < 0)
		return err_set(err, ERR_INTERNAL, error, "%s: start a process%s", c->conf.what,
			       error == ECHILD ? " where there are threads and SIGCHLD is ignored" : "");
	c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (c->pidfd >= 0)
		return 0;
	error = errno;
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return err_set(err, ERR_INTERNAL, error, "%s: open a process", c->conf.what);
}

int confine_start(const struct confine_conf *conf, struct confined *ret, struct err *err)
{
	auto_confined c = CONFINED_NONE;
	int ends[2];

	if (conf->nfds > CONFINE_FDS_MAX)
		return err_set(err, ERR_INTERNAL, EINVAL, "%s: hand over %zu descriptors", conf->what, conf->nfds);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_INTERNAL, errno, "%s: make a pipe", conf->what);
	c.out = ends[0];
	auto_fd out = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_INTERNAL, errno, "%s: make a pipe", conf->what);
	c.report = ends[0];
	auto_fd report = ends[1];
	c.conf = with_defaults(conf);
	c.start_ms = now_ms();
	if (start(&c, out, report, err) < 0)
		return -1;
	*ret = c;
	c = CONFINED_NONE;
	return 0;
}

/* ---- its end ----------------------------------------------------------------------------- */

/** How a child ended. */
struct ending {
	int code, status;     /**< as of waitid(2); code 0 when another wait of the caller's took it away */
	uint64_t cpu_ms, wall_ms;
};

static void close_end(int *fd)
{
	auto_fd closed = move_fd(fd);

	(void)closed;
}

/** Kills what still lives and reaps it. One that is on its way out ends as it would have. */
static struct ending reap(struct confined *c)
{
	siginfo_t info = { 0 };
	struct rusage used = { 0 };

	(void)syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	while (syscall(SYS_waitid, P_PIDFD, c->pidfd, &info, WEXITED | __WALL, &used) < 0 && errno == EINTR)
		;
	close_end(&c->pidfd);
	close_end(&c->report);
	return (struct ending){
		.code = info.si_code,
		.status = info.si_status,
		.cpu_ms = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
			  (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000,
		.wall_ms = now_ms() - c->start_ms,
	};
}

void confined_kill(struct confined *c)
{
	close_end(&c->out);
	if (c->pidfd >= 0)
		(void)reap(c);
	close_end(&c->report);
}

/** A death that the child did not announce. */
static int tell_death(const struct confine_conf *conf, const struct ending *e, struct err *err)
{
	const char *name = sigabbrev_np(e->status);

	if (e->code != CLD_KILLED && e->code != CLD_DUMPED)
		return err_set(err, ERR_INTERNAL, 0, "%s ended without an answer", conf->what);
	if (e->status == SIGXCPU || (e->status == SIGKILL && e->cpu_ms >= conf->cpu_s * 1000ull))
		return err_set(err, conf->kind, 0, "%s was stopped: it took more than %u s of processor time", conf->what, conf->cpu_s);
	if (e->status == SIGKILL && e->wall_ms >= conf->wall_ms)
		return err_set(err, conf->kind, 0, "%s was stopped: it took longer than %u ms", conf->what, conf->wall_ms);
	if (e->status == SIGXFSZ)
		return err_set(err, conf->kind, 0, "%s was stopped: it wrote more than %llu bytes to a file", conf->what,
			       (unsigned long long)conf->file_size);
	if (e->status == SIGINT || e->status == SIGTERM)
		return err_set(err, e->status == SIGINT ? ERR_INTERRUPTED : ERR_TERMINATED, 0, "%s was interrupted", conf->what);
	if (e->status == SIGKILL)
		return err_set(err, ERR_INTERNAL, 0, "%s was killed without an answer: is this machine out of memory?", conf->what);
	if (e->status == SIGSYS)
		return err_set(err, ERR_INTERNAL, 0, "%s made a system call that it has no business with (signal %d): "
			       "what it read is hostile, or a library has changed", conf->what, e->status);
	return err_set(err, ERR_INTERNAL, 0, "%s died (signal %d, SIG%s): what it read is damaged, hostile, or takes more "
		       "than %llu MiB of memory", conf->what, e->status, name == NULL ? "?" : name,
		       (unsigned long long)conf->memory >> 20);
}

/** Cuts at the end of a character. */
static size_t cut_length(const struct buf *b)
{
	size_t n = b->len < CONFINE_MSG_MAX ? b->len : CONFINE_MSG_MAX - 1;

	while (n > 0 && n < b->len && ((unsigned char)b->data[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/** Takes over the child's error: a kind that it may have, a number that is one, a message that a terminal bears. */
static int tell_error(const struct confine_conf *conf, const struct confine_report *said, struct err *err)
{
	enum err_kind kind = said->kind == ERR_INTERNAL ? ERR_INTERNAL : conf->kind;
	int sys = said->sys > 0 && said->sys < 4096 ? said->sys : 0;
	auto_buf msg = {0};

	text_printable(&msg, said->msg, strnlen(said->msg, sizeof said->msg));
	if (msg.failed || msg.len == 0)
		(void)err_set(err, kind, 0, "%s failed", conf->what);
	else
		(void)err_set(err, kind, 0, "%.*s", (int)cut_length(&msg), msg.data);
	if (sys == ENOMEM)
		(void)err_ctx(err, "%s may take no more than %llu MiB of memory", conf->what,
			      (unsigned long long)conf->memory >> 20);
	err->sys = sys;
	return -1;
}

int confine_finish(struct confined *c, struct err *err)
{
	struct confine_note note;
	struct confine_report said;
	size_t noted = 0, got = 0;
	struct err ignored;

	close_end(&c->out);
	if (io_read_full(c->report, &note, sizeof note, &noted, &ignored) == 0 && noted == sizeof note &&
	    note.wall == CONFINE_SEALED)
		(void)io_read_full(c->report, &said, sizeof said, &got, &ignored);
	struct ending e = reap(c);
	if (noted == sizeof note && note.wall != CONFINE_SEALED)
		return err_set(err, ERR_HOST, note.error, "%s cannot be confined: %s", c->conf.what, confine_wall(note.wall));
	if (got < sizeof said)
		return tell_death(&c->conf, &e, err);
	return said.result == 0 ? 0 : tell_error(&c->conf, &said, err);
}

int confine_run(const struct confine_conf *conf, size_t max, struct buf *ret, struct err *err)
{
	auto_confined c = CONFINED_NONE;
	size_t before = ret->len;

	if (confine_start(conf, &c, err) < 0)
		return -1;
	if (io_read_all(c.out, max, ret, err) < 0) {
		if (err->kind == ERR_USAGE)
			err->kind = conf->kind;
		return err_ctx(err, "%s: its answer", conf->what);
	}
	if (confine_finish(&c, err) == 0)
		return 0;
	buf_seal(ret, before);
	return -1;
}
