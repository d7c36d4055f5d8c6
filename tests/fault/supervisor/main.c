/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     faults REPORT [FAULT[:CALL[:PATH]] N] [CALL=ERRNO]… [types] -- PROGRAM ARGUMENT…
 *
 * FAULT N: the Nth call that it may befall fails so, once (memory that is short stays so); only those of that name, with just that path.
 * CALL=ERRNO: each such call fails, as on a file system that has none of it.
 * types: directories do not tell the types of their entries. REPORT gets one line for each fact:
 *
 *     EIO 231             so many calls there were that it may befall; of the FAULT alone, where there is one, and up to where it befell
 *     at openat /x/y      the call that the fault befell
 *     exit 125            how PROGRAM ended; or: signal 11
 *     hung, left          it did not end, or left processes behind: both are ended then
 *
 * The file system that REPORT is on stands for a disk, also where it is a tmpfs. Nothing is synced to the disk: the machine does not lose power here, and a sync that is not failed shows nothing.
 */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** Seconds that PROGRAM may take, and that what it has started may live longer. */
#define PATIENCE 60
#define GRACE 20
#define ALWAYS_MAX 8
/** As far as a jump of a filter goes. */
#define CALLS_MAX 255

static struct {
	const char *report;
	const struct fault_name *fault;  /**< or NULL */
	const struct call *call;         /**< only it; or NULL */
	const char *path;                /**< only with it; or NULL */
	unsigned long at;
	struct { const struct call *call; int sys; } always[ALWAYS_MAX];
	size_t nalways;
	bool types;
	char **program;
} want;

static unsigned long counts[FAULTS];
static const struct call *befell;
static char befell_what[256];
static pid_t first;
static volatile sig_atomic_t late;

static void on_alarm(int sig)
{
	(void)sig;
	late = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- the program ---------------------------------------------------------------- */

static bool is_sync(const struct call *c)
{
	return c->nr == SYS_fsync || c->nr == SYS_fdatasync || c->nr == SYS_syncfs;
}

/** How such a call fails always, or 0. */
static int always_fails(const struct call *c)
{
	for (size_t i = 0; i < want.nalways; i++)
		if (want.always[i].call == c)
			return want.always[i].sys;
	return 0;
}

/** Whether anything is to be done at such a call. */
static bool is_stopped_at(const struct call *c)
{
	if (want.fault == NULL || is_sync(c) || always_fails(c) != 0 || (want.types && c->nr == SYS_getdents64))
		return true;
	return want.at > 0 && (want.fault->fault == FAULT_KILL || (c->faults & 1u << want.fault->fault) != 0);
}

/** Stops at those calls of the table, and at no others: a stop costs more than most calls. */
static void load_filter(void)
{
	static struct sock_filter code[CALLS_MAX + 3];
	struct sock_filter *at = code;
	struct sock_fprog program = { .filter = code };
	size_t left = 0;

	for (size_t i = 0; i < ncalls && i < CALLS_MAX; i++)
		left += is_stopped_at(&calls[i]);
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ncalls && left > 0; i++)
		if (is_stopped_at(&calls[i]))
			*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].nr, (unsigned char)(left--), 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program.len = (unsigned short)(at - code);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		die("faults: seccomp");
}

static void start(void)
{
	int go[2];
	char byte;
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
		PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;

	if (pipe2(go, O_CLOEXEC) < 0 || (first = fork()) < 0)
		die("faults: start");
	if (first == 0) {
		setpgid(0, 0);
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		load_filter();
		execv(want.program[0], want.program);
		die(want.program[0]);
	}
	if (ptrace(PTRACE_SEIZE, first, NULL, options) < 0)
		die("faults: ptrace");
	tracee_add(first);
	if (write(go[1], "", 1) != 1)
		die("faults: start");
	close(go[0]);
	close(go[1]);
}

/* ---- one call --------------------------------------------------------------------- */

/** Whether a fault may befall a call that is about to be made. */
static bool may_befall(enum fault fault, const struct call *c, pid_t pid, const struct seen *s)
{
	if (fault == FAULT_KILL)
		return true;
	if ((c->faults & 1u << fault) == 0)
		return false;
	if (c->nr == SYS_fcntl)
		return s->arg[1] == F_DUPFD_CLOEXEC;
	/* Who does not wait is not interrupted. */
	if (c->nr == SYS_flock)
		return (s->arg[1] & LOCK_NB) == 0;
	if (c->nr == SYS_wait4 || c->nr == SYS_waitid)
		return (s->arg[c->nr == SYS_wait4 ? 2 : 3] & WNOHANG) == 0;
	if (fault == FAULT_ROOM && c->flags >= 0)
		return (s->arg[c->flags] & O_CREAT) != 0;
	if (fault == FAULT_CHANGE && c->flags >= 0)
		return (s->arg[c->flags] & (O_CREAT | O_ACCMODE | O_TRUNC)) != 0;
	bool reads = c->nr == SYS_read || c->nr == SYS_pread64;
	if (c->fd >= 0 && (fault == FAULT_FILE || fault == FAULT_ROOM))
		return tracee_fd_is_file(pid, (int)s->arg[c->fd], false);
	if (c->fd < 0 || (fault != FAULT_SIGNAL && fault != FAULT_SHORT))
		return true;
	/* stdio does not go on after EINTR, and need not: the handlers here let calls go on (SA_RESTART). */
	if (fault == FAULT_SIGNAL && c->nr == SYS_write && s->arg[0] <= STDERR_FILENO)
		return false;
	uint64_t size = s->arg[c->nr == SYS_copy_file_range ? 4 : 2];
	if (tracee_fd_is_whole(pid, (int)s->arg[c->fd], reads ? UINT64_MAX : size))
		return false;
	/* A pipe may give less; it takes what is small as a whole. An eventfd and the like give all or nothing. */
	return fault == FAULT_SIGNAL || (size > 1 && tracee_fd_is_file(pid, (int)s->arg[c->fd], reads));
}

/** Makes the call with another argument. */
static void make_with(struct tracee *t, const struct seen *s, unsigned arg, uint64_t value)
{
	t->at_end = AT_END_RESTORE;
	t->arg = arg;
	t->value = s->arg[arg];
	seen_change(t->pid, arg, value);
}

static void befall(const struct call *c, struct tracee *t, const struct seen *s)
{
	unsigned size = c->nr == SYS_copy_file_range ? 4 : 2;

	befell = c;
	if (c->path >= 0)
		tracee_string(t->pid, s->arg[c->path], befell_what, sizeof befell_what);
	else if (c->fd >= 0)
		snprintf(befell_what, sizeof befell_what, "descriptor %d", (int)s->arg[c->fd]);
	if (want.fault->fault == FAULT_KILL)
		kill(-first, SIGKILL);
	else if (want.fault->fault == FAULT_SHORT)
		make_with(t, s, size, s->arg[size] / 2);
	else
		seen_answer(t->pid, -want.fault->sys);
}

/** Whether it is one that was asked for. */
static bool is_wanted(const struct call *c, pid_t pid, const struct seen *s)
{
	char path[sizeof befell_what];

	if (!may_befall(want.fault->fault, c, pid, s) || (want.call != NULL && want.call != c))
		return false;
	if (want.path == NULL)
		return true;
	if (c->path >= 0)
		tracee_string(pid, s->arg[c->path], path, sizeof path);
	return c->path >= 0 && strcmp(path, want.path) == 0;
}

/** Counts the call, and lets the fault befall it where it is its turn. @return whether it did. */
static bool count(const struct call *c, struct tracee *t, const struct seen *s)
{
	if (want.fault == NULL) {
		for (enum fault f = 0; f < FAULTS; f++)
			counts[f] += may_befall(f, c, t->pid, s);
		return false;
	}
	/* Memory that is short stays so. */
	if (befell != NULL && want.fault->fault == FAULT_MEMORY && may_befall(FAULT_MEMORY, c, t->pid, s)) {
		seen_answer(t->pid, -want.fault->sys);
		return true;
	}
	if (befell != NULL || !is_wanted(c, t->pid, s) || ++counts[want.fault->fault] != want.at)
		return false;
	befall(c, t, s);
	return true;
}

static void at_call(struct tracee *t)
{
	struct seen s;

	if (!t->ours || !seen_get(t->pid, &s) || (s.ip >= t->loader && s.ip < t->loader_end))
		return;
	const struct call *c = call_find(s.nr);
	if (c != NULL && always_fails(c) != 0) {
		seen_answer(t->pid, -always_fails(c));
		return;
	}
	if (c == NULL || count(c, t, &s))
		return;
	if (is_sync(c)) {
		seen_answer(t->pid, 0);
	} else if (want.types && c->nr == SYS_getdents64) {
		t->at_end = AT_END_BLANK;
		t->value = s.arg[1];
	}
}

/** At the end of a call that was to be looked at again. */
static void at_end(struct tracee *t)
{
	struct __ptrace_syscall_info info;

	if (t->at_end == AT_END_RESTORE)
		seen_change(t->pid, t->arg, t->value);
	else if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval > 0)
		tracee_blank_types(t->pid, t->value, (size_t)info.exit.rval);
	t->at_end = AT_END_NOTHING;
}

/* ---- all of them -------------------------------------------------------------------- */

/** A process that @p parent has started knows what its parent knows. */
static void at_birth(pid_t parent)
{
	const struct tracee *from = tracee_find(parent);
	unsigned long born = 0;

	ptrace(PTRACE_GETEVENTMSG, parent, NULL, &born);
	struct tracee *t = tracee_find((pid_t)born);
	bool held = t != NULL && t->held;
	if (t == NULL)
		t = tracee_add((pid_t)born);
	if (from != NULL)
		*t = *from;
	t->pid = (pid_t)born;
	t->held = false;
	if (held)
		ptrace(PTRACE_CONT, t->pid, NULL, 0);
}

/** A stop that has not to do with a signal's delivery; @return what to let it go on with, -1: not at all. */
static long at_event(pid_t pid, int event, int sig)
{
	struct tracee *t = tracee_find(pid);

	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		if (t == NULL)
			return PTRACE_CONT;
		at_call(t);
		return t->at_end == AT_END_NOTHING ? PTRACE_CONT : PTRACE_SYSCALL;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		at_birth(pid);
		return PTRACE_CONT;
	case PTRACE_EVENT_EXEC:
		tracee_look(t != NULL ? t : tracee_add(pid));
		return PTRACE_CONT;
	case PTRACE_EVENT_STOP:
		if (t == NULL) {
			tracee_add(pid)->held = true;
			return -1;
		}
		return sig == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN;
	default:
		return PTRACE_CONT;
	}
}

static void at_stop(pid_t pid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);
	struct tracee *t = tracee_find(pid);

	if (sig == (SIGTRAP | 0x80) && t != NULL) {
		at_end(t);
		ptrace(PTRACE_CONT, pid, NULL, 0);
		return;
	}
	if (event == 0) {
		ptrace(PTRACE_CONT, pid, NULL, (long)sig);
		return;
	}
	long how = at_event(pid, event, sig);
	if (how >= 0)
		ptrace((enum __ptrace_request)how, pid, NULL, 0);
}

/** @return how the first process ended, -1: it did not. */
static int supervise(void)
{
	int status, end = -1;

	alarm(PATIENCE);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR && !late)
			continue;
		if (pid < 0)
			return end;
		if (WIFSTOPPED(status)) {
			at_stop(pid, status);
			continue;
		}
		tracee_forget(pid);
		if (pid == first) {
			end = status;
			alarm(GRACE);
		}
	}
}

static void report(FILE *out, int end)
{
	for (const struct fault_name *n = fault_names; n->name != NULL; n++)
		fprintf(out, "%s %lu\n", n->name, counts[n->fault]);
	if (befell != NULL)
		fprintf(out, "at %s %s\n", befell->name, befell_what);
	if (end >= 0 && WIFEXITED(end))
		fprintf(out, "exit %d\n", WEXITSTATUS(end));
	else if (end >= 0)
		fprintf(out, "signal %d\n", WTERMSIG(end));
	if (late)
		fprintf(out, "%s\n", end < 0 ? "hung" : "left");
	if (fclose(out) != 0)
		die(want.report);
}

/* ---- arguments ------------------------------------------------------------------------ */

static void usage(void)
{
	fputs("usage: faults REPORT [FAULT[:CALL[:PATH]] N] [CALL=ERRNO]... [types] -- PROGRAM ARGUMENT...\n", stderr);
	exit(2);
}

/** FAULT[:CALL[:PATH]]. @return whether it is that. */
static bool take_fault(char *text)
{
	const struct fault_name *n = fault_names;
	const char *name = strsep(&text, ":");

	while (n->name != NULL && strcmp(n->name, name) != 0)
		n++;
	if (n->name == NULL)
		return false;
	want.fault = n;
	const char *call = text == NULL ? NULL : strsep(&text, ":");
	want.call = call == NULL ? NULL : call_by_name(call, strlen(call));
	want.path = text;
	if (call != NULL && want.call == NULL)
		usage();
	return true;
}

/** The error of that name, or 0. */
static int error_of(const char *name)
{
	for (int sys = 1; sys < 134; sys++) {
		const char *has = strerrorname_np(sys);

		if (has != NULL && strcmp(has, name) == 0)
			return sys;
	}
	return 0;
}

/** CALL=ERRNO. */
static void add_always(const char *text)
{
	const char *equals = strchr(text, '=');
	const struct call *c = equals == NULL ? NULL : call_by_name(text, (size_t)(equals - text));

	int sys = equals == NULL ? 0 : error_of(equals + 1);

	if (c == NULL || sys == 0 || want.nalways == ALWAYS_MAX)
		usage();
	want.always[want.nalways].call = c;
	want.always[want.nalways++].sys = sys;
}

static void parse(char **argv)
{
	if (argv[0] == NULL)
		usage();
	want.report = *argv++;
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		if (strchr(*argv, '=') == NULL && argv[1] != NULL && take_fault(*argv)) {
			want.at = strtoul(*++argv, NULL, 10);
		} else if (strcmp(*argv, "types") == 0) {
			want.types = true;
		} else {
			add_always(*argv);
		}
	}
	if (*argv == NULL || argv[1] == NULL)
		usage();
	want.program = argv + 1;
}

int main(int argc, char **argv)
{
	struct sigaction on = { .sa_handler = on_alarm };
	FILE *out;

	(void)argc;
	parse(argv + 1);
	tracee_programs(want.program[0]);
	out = fopen(want.report, "we");
	if (out == NULL)
		die(want.report);
	tracee_disk(want.report);
	sigaction(SIGALRM, &on, NULL);
	start();
	report(out, supervise());
	/* What is left ends with us (PTRACE_O_EXITKILL). */
	return 0;
}
