/* SPDX-License-Identifier: Apache-2.0 */
/* One run from the parent's side: start the child, pass on its output, keep the time, bring it to its end. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "sandbox/relay.h"
#include "sandbox/space.h"

#define GRACE_MS 10000
/** How long what the killed have written may wait for its reader. */
#define LAST_WORDS_MS 500

enum why { WHY_NOT, WHY_TIMEOUT, WHY_CANCELLED, WHY_OUTPUT_LOST };

/** A run under way. */
struct run {
	const struct sandbox_conf *conf;
	struct relay relay;
	int sock, cancel;         /**< -1 once closed, or not there */
	pid_t pid;                /**< of pid 1; -1 once reaped */
	uint64_t start_us;
	uint64_t next_ms;         /**< when to act next on `why`; 0: never */
	enum why why;             /**< asked to end, and for what */
	bool given_up;            /**< all are dead, and what they wrote is waited for no longer */
	struct note end;          /**< kind -1: none yet */
	struct sandbox_refused refused[SANDBOX_REFUSED_MAX];
	size_t nrefused;
	bool deaf;                /**< refusals are not told of */
	int view;
	struct rusage usage;      /**< of pid 1 and all it reaped */
	int status;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint64_t now_ms(void)
{
	return now_us() / 1000u;
}

/** A point in time that does not wrap, however long the wish. */
static uint64_t later(uint64_t ms)
{
	uint64_t at;

	return __builtin_add_overflow(now_ms(), ms, &at) ? UINT64_MAX : at;
}

/** Reaps pid 1, after which no process of the sandbox is left (pid_namespaces(7)). */
static void reap(struct run *r)
{
	if (r->pid < 0)
		return;
	while (wait4(r->pid, &r->status, __WALL, &r->usage) < 0 && errno == EINTR)
		;
	r->pid = -1;
}

/** The end of a run on every path. */
static void run_clear(struct run *r)
{
	if (r->pid >= 0)
		(void)kill(r->pid, SIGKILL); /* our own unreaped child: no other can have its number */
	reap(r);
	own_fd(&r->sock);
	relay_close(&r->relay, 0);
	relay_close(&r->relay, 1);
	own_fd(&r->view);
}

/* ---- time and cancelling -------------------------------------------------------------- */

/** Ends it now: the processes or, after them, the wait for a reader of what they wrote. */
static void kill_now(struct run *r)
{
	r->next_ms = 0;
	if (r->pid < 0)
		r->given_up = true;
	else
		(void)kill(r->pid, SIGKILL);
}

/** Asks for the end: SIGTERM now, SIGKILL after the grace. */
static void ask_to_end(struct run *r, enum why why)
{
	const char order = ORDER_TERM;
	uint64_t grace = r->conf->limits.grace_ms;

	r->why = why;
	if (r->pid < 0) {
		kill_now(r); /* the dead need no grace */
		return;
	}
	r->next_ms = later(grace == 0 ? GRACE_MS : grace);
	if (r->sock >= 0)
		(void)send(r->sock, &order, sizeof order, MSG_NOSIGNAL);
}

static void on_time(struct run *r)
{
	if (r->next_ms == 0 || now_ms() < r->next_ms)
		return;
	if (r->why == WHY_NOT)
		ask_to_end(r, WHY_TIMEOUT);
	else
		kill_now(r);
}

static void on_cancel(struct run *r)
{
	char taken[sizeof(struct signalfd_siginfo)];
	ssize_t n = read(r->cancel, taken, sizeof taken);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		r->cancel = -1; /* nothing more can come from it */
	else if (r->why == WHY_NOT)
		ask_to_end(r, WHY_CANCELLED);
	else
		kill_now(r);
}

static void on_output(struct run *r, int stream)
{
	relay_turn(&r->relay, stream);
	if (r->relay.lost == 0 || r->why != WHY_NOT)
		return;
	if (r->pid >= 0)
		ask_to_end(r, WHY_OUTPUT_LOST);
	r->why = WHY_OUTPUT_LOST;
}

static int poll_timeout(const struct run *r)
{
	uint64_t now = now_ms();

	if (r->next_ms == 0)
		return -1;
	if (r->next_ms <= now)
		return 0;
	return r->next_ms - now > 3600000 ? 3600000 : (int)(r->next_ms - now);
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void take_refusal(struct run *r, const struct note *note)
{
	struct sandbox_refused *to = &r->refused[r->nrefused];

	if (r->nrefused == SANDBOX_REFUSED_MAX)
		return;
	r->nrefused++;
	to->nr = note->code;
	memcpy(to->args, note->args, sizeof to->args);
}

static int on_note(struct run *r, struct err *err)
{
	struct note note;
	int fds[NOTE_FDS_MAX];
	int got = note_receive(r->sock, &note, fds);

	if (got < 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: reading from the child");
	if (got == 0)
		own_fd(&r->sock), r->sock = -1;
	else if (note.kind == NOTE_VIEW)
		r->view = move_fd(&fds[0]);
	else if (note.kind == NOTE_REFUSED)
		take_refusal(r, &note);
	else if (note.kind == NOTE_DEAF)
		r->deaf = true;
	else
		r->end = note;
	for (size_t i = 0; i < NOTE_FDS_MAX; i++)
		own_fd(&fds[i]);
	return 0;
}

/** Waits for the next thing to happen, and sees to it. */
static int turn(struct run *r, struct err *err)
{
	struct pollfd fds[4] = {
		{ .fd = r->sock, .events = POLLIN },
		relay_wants(&r->relay, 0),
		relay_wants(&r->relay, 1),
		{ .fd = r->cancel, .events = POLLIN },
	};

	if (poll(fds, ARRAY_LEN(fds), poll_timeout(r)) < 0)
		return errno == EINTR ? 0 : err_set(err, ERR_INTERNAL, errno, "sandbox: poll");
	on_time(r);
	if (fds[3].revents != 0)
		on_cancel(r);
	for (int stream = 0; stream < 2; stream++)
		if (fds[1 + stream].revents != 0)
			on_output(r, stream);
	return fds[0].revents != 0 ? on_note(r, err) : 0;
}

/** Until the child has closed its socket, which it does only by ending. */
static int attend(struct run *r, struct err *err)
{
	while (r->sock >= 0)
		if (turn(r, err) != 0)
			return -1;
	return 0;
}

/** Until all that the dead have written is written on, with no more patience than the living had. */
static int drain(struct run *r, struct err *err)
{
	if (r->why != WHY_NOT && r->next_ms == 0)
		r->next_ms = later(LAST_WORDS_MS);
	while (relay_drain(&r->relay) && !r->given_up)
		if (turn(r, err) != 0)
			return -1;
	return 0;
}

/* ---- start and result ---------------------------------------------------------------------- */

static int make_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: making a pipe");
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/** Opens what the child needs, clones it, and lets go of the child's ends. */
static int start(struct run *r, struct plan *plan, struct err *err)
{
	int pair[2];
	auto_fd theirs = -1;
	auto_fd out = -1;
	auto_fd err_out = -1;
	auto_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return err_set(err, ERR_HOST, errno, "sandbox: opening /proc");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: making a socket pair");
	r->sock = pair[0];
	theirs = pair[1];
	if (make_pipe(&r->relay.from[0], &out, err) != 0 || make_pipe(&r->relay.from[1], &err_out, err) != 0)
		return -1;
	plan->proc_fd = proc;
	plan->sock = theirs;
	plan->out = out;
	plan->err = err_out;
	if (r->conf->space != NULL) {
		plan->userns = space_userns(r->conf->space);
		plan->mntns = space_mntns(r->conf->space);
	} else {
		plan->base_fd = r->conf->base_fd;
	}
	plan_keep(plan);
	return spawn(plan, &r->pid, err);
}

static uint64_t time_us(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000u + (uint64_t)t->tv_usec;
}

static void take_usage(const struct run *r, struct sandbox_result *res)
{
	bool counted = r->end.kind == NOTE_EXIT || r->end.kind == NOTE_SIGNAL;

	/* Without the init's own account: its rusage, which has the making of the sandbox in it. */
	res->user_us = counted ? r->end.user_us : time_us(&r->usage.ru_utime);
	res->sys_us = counted ? r->end.sys_us : time_us(&r->usage.ru_stime);
	res->max_rss_kib = counted ? r->end.max_rss_kib : (uint64_t)r->usage.ru_maxrss;
}

static int take_end(const struct run *r, const struct plan *plan, struct sandbox_result *res, struct err *err)
{
	res->code = r->end.code;
	switch (r->end.kind) {
	case NOTE_FAIL:
		return host_explain(plan, &r->end, err);
	case NOTE_EXEC:
		res->end = r->end.code == ENOENT ? SANDBOX_NOT_FOUND : SANDBOX_NOT_EXECUTABLE;
		return 0;
	case NOTE_EXIT:
		res->end = SANDBOX_EXITED;
		break;
	case NOTE_SIGNAL:
		res->end = SANDBOX_SIGNALED;
		break;
	default:
		if (r->why == WHY_NOT)
			return err_set(err, ERR_INTERNAL, 0, "sandbox: its init was killed from outside (%s %d) before the command ended; "
				       "out of memory?", WIFSIGNALED(r->status) ? "signal" : "exit",
				       WIFSIGNALED(r->status) ? WTERMSIG(r->status) : WEXITSTATUS(r->status));
		res->code = SIGKILL;
	}
	if (r->why != WHY_NOT)
		res->end = r->why == WHY_TIMEOUT ? SANDBOX_TIMEOUT : SANDBOX_CANCELLED;
	return 0;
}

static int conduct(struct run *r, struct plan *plan, struct sandbox_result *res, struct err *err)
{
	uint64_t timeout = r->conf->limits.timeout_ms;

	r->start_us = now_us();
	r->next_ms = timeout == 0 ? 0 : later(timeout);
	if (start(r, plan, err) != 0)
		return -1;
	/* While the child works: */
	res->receipt = receipt_make(r->conf, plan, err);
	if (res->receipt == NULL || attend(r, err) != 0)
		return -1;
	reap(r);
	res->wall_us = now_us() - r->start_us;
	take_usage(r, res);
	memcpy(res->refused, r->refused, sizeof res->refused);
	res->nrefused = r->nrefused;
	if (receipt_refusals(res->receipt, plan->telling != NULL && !r->deaf, err) != 0)
		return -1;
	if (drain(r, err) != 0 || take_end(r, plan, res, err) != 0)
		return -1;
	if (r->why == WHY_OUTPUT_LOST)
		return err_set(err, ERR_INTERNAL, r->relay.lost, "the command's output could not be written on");
	return 0;
}

int supervise(const struct sandbox_conf *conf, struct plan *plan, struct sandbox_result *ret, struct err *err)
{
	auto_sandbox_result res = { .view_fd = -1 };
	struct run r = { .conf = conf, .sock = -1, .cancel = conf->cancel_fd, .pid = -1, .view = -1, .end = { .kind = -1 } };

	relay_begin(&r.relay, conf);
	int failed = conduct(&r, plan, &res, err);

	if (failed == 0)
		res.view_fd = move_fd(&r.view);
	run_clear(&r);
	if (failed != 0)
		return -1;
	*ret = res;
	res = (struct sandbox_result){ .view_fd = -1 };
	return 0;
}

int sandbox_run(const struct sandbox_conf *conf, struct sandbox_result *ret, struct err *err)
{
	auto_plan box = { 0 };

	if (plan_make(conf, &box, err) != 0)
		return -1;
	return supervise(conf, &box.plan, ret, err);
}

void sandbox_result_clear(struct sandbox_result *r)
{
	own_fd(&r->view_fd);
	r->view_fd = -1;
	own_json(&r->receipt);
	r->receipt = NULL;
}
