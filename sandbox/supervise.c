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

#include "sandbox/console.h"
#include "sandbox/outer.h"
#include "sandbox/relay.h"
#include "sandbox/space.h"
#include "sandbox/watch.h"

#define GRACE_MS 10000
/** How long what the killed have written may wait for its reader. */
#define LAST_WORDS_MS 500

enum why { WHY_NOT, WHY_TIMEOUT, WHY_CANCELLED, WHY_OUTPUT_LOST, WHY_LIMIT };

/** A run under way. */
struct run {
	const struct sandbox_conf *conf;
	struct relay relay;
	struct console console;
	struct winsize size;      /**< of the terminal that the command gets */
	int sock, cancel;         /**< -1 once closed, or not there */
	pid_t pid;                /**< of pid 1; -1 once reaped */
	uint64_t start_us;
	uint64_t next_ms;         /**< when to act next on `why`; 0: never */
	enum why why;             /**< asked to end, and for what */
	struct watch_hit hit;     /**< WHY_LIMIT */
	struct cgroup cgroup;
	struct watch watch;
	bool given_up;            /**< all are dead, and what they wrote is waited for no longer */
	struct note end;          /**< kind -1: none yet */
	struct sandbox_refused refused[SANDBOX_REFUSED_MAX];
	size_t nrefused;
	bool deaf;                /**< refusals are not told of */
	const struct plan *plan;
	int listener;             /**< of the command's calls, where they are learnt from; else -1 */
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

/** The end of a run on every path. @return @p result, or -1 with an error of its own. */
static int run_clear(struct run *r, int result, struct err *err)
{
	if (r->pid >= 0)
		(void)kill(r->pid, SIGKILL); /* our own unreaped child: no other can have its number */
	reap(r);
	own_fd(&r->sock);
	relay_close(&r->relay, 0);
	relay_close(&r->relay, 1);
	console_end(&r->console);
	own_fd(&r->view);
	own_fd(&r->listener);
	watch_end(&r->watch);
	return cgroup_close(&r->cgroup, result, err);
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
	console_end(&r->console); /* shells mind this, and not SIGTERM */
	if (r->sock >= 0)
		(void)send(r->sock, &order, sizeof order, MSG_NOSIGNAL);
}

/** A limit has no grace: what is over it goes on growing. Neither has what is ending already, for another cause. */
static void on_limit(struct run *r, struct watch_hit hit)
{
	if (hit.limit == SANDBOX_NO_LIMIT)
		return;
	if (r->why == WHY_NOT) {
		r->why = WHY_LIMIT;
		r->hit = hit;
	}
	kill_now(r);
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
	if (r->relay.over)
		on_limit(r, (struct watch_hit){ SANDBOX_LIMIT_OUTPUT, limit_of(&r->conf->limits, SANDBOX_LIMIT_OUTPUT) });
	if (r->relay.lost == 0 || r->why != WHY_NOT)
		return;
	if (r->pid >= 0)
		ask_to_end(r, WHY_OUTPUT_LOST);
	r->why = WHY_OUTPUT_LOST;
}

static int poll_timeout(const struct run *r)
{
	uint64_t now = now_ms();
	uint64_t next = r->watch.walk != NULL ? 0 : r->watch.next_ms;

	if (r->next_ms != 0 && r->next_ms < next)
		next = r->next_ms;
	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now > 3600000 ? 3600000 : (int)(next - now);
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
	if (got > 0 && note.kind == NOTE_VIEW) {
		r->view = move_fd(&fds[0]);
	} else if (got > 0 && note.kind == NOTE_TERMINAL) {
		console_begin(&r->console, move_fd(&fds[0]));
	} else if (got > 0 && note.kind == NOTE_REFUSED) {
		take_refusal(r, &note);
	} else if (got > 0 && note.kind == NOTE_LISTENER) {
		r->listener = move_fd(&fds[0]);
		learn_begin(r->listener);
	} else if (got > 0 && note.kind == NOTE_DEAF) {
		r->deaf = true;
	} else {
		/* The last note, or none: the child ends now. */
		if (got > 0)
			r->end = note;
		own_fd(&r->sock);
		r->sock = -1;
	}
	for (size_t i = 0; i < NOTE_FDS_MAX; i++)
		own_fd(&fds[i]);
	return 0;
}

/** An error alone is no end (init.c, listen_event). */
static void on_listener(struct run *r, short events)
{
	if ((events & POLLIN) != 0) {
		learn_turn(r->conf, r->plan, r->listener);
	} else if ((events & POLLHUP) != 0) {
		own_fd(&r->listener);
		r->listener = -1;
	}
}

/** Waits for the next thing to happen, and sees to it. */
static int turn(struct run *r, struct err *err)
{
	struct pollfd fds[5 + CONSOLE_FDS] = {
		{ .fd = r->sock, .events = POLLIN },
		relay_wants(&r->relay, 0),
		relay_wants(&r->relay, 1),
		{ .fd = r->cancel, .events = POLLIN },
		{ .fd = r->listener, .events = POLLIN },
	};

	console_wants(&r->console, fds + 5);
	if (poll(fds, ARRAY_LEN(fds), poll_timeout(r)) < 0)
		return errno == EINTR ? 0 : err_set(err, ERR_INTERNAL, errno, "sandbox: poll");
	on_time(r);
	if (r->pid >= 0)
		on_limit(r, watch_turn(&r->watch, now_ms()));
	if (fds[3].revents != 0)
		on_cancel(r);
	for (int stream = 0; stream < 2; stream++)
		if (fds[1 + stream].revents != 0)
			on_output(r, stream);
	on_listener(r, fds[4].revents);
	console_turn(&r->console, fds + 5);
	if (r->console.gone && r->why == WHY_NOT)
		ask_to_end(r, WHY_CANCELLED);
	return fds[0].revents != 0 ? on_note(r, err) : 0;
}

/** Until the child has said its last word, or ended without one. */
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
	while ((relay_drain(&r->relay) || console_holds(&r->console)) && !r->given_up)
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

/** Clones the child; one that is to have a cgroup waits until it is in it. */
static int clone_into_cgroup(struct run *r, struct plan *plan, struct err *err)
{
	const char order = ORDER_GO;

	if (cgroup_open(&r->cgroup, &r->conf->limits, err) != 0)
		return -1;
	if (r->cgroup.ndirs == 0)
		return spawn(plan, &r->pid, err);
	plan->cgroup = &r->cgroup;
	if (r->cgroup.of[CGROUP_PIDS] != NULL)
		plan_pids_in_cgroup(plan);
	if (spawn(plan, &r->pid, err) != 0 || cgroup_enter(&r->cgroup, r->pid, err) != 0)
		return -1;
	(void)send(r->sock, &order, sizeof order, MSG_NOSIGNAL); /* to one that is gone: its note or its end tells */
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
		return sandbox_denied(err, CAUSE_PROC_MISSING, errno, "sandbox: opening /proc", NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: making a socket pair");
	r->sock = pair[0];
	theirs = pair[1];
	if (r->conf->terminal != NULL) {
		r->size = console_size(r->conf->terminal);
		plan->terminal = &r->size;
	} else if (make_pipe(&r->relay.from[0], &out, err) != 0 || make_pipe(&r->relay.from[1], &err_out, err) != 0) {
		return -1;
	}
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
	return clone_into_cgroup(r, plan, err);
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

static struct watch_hit limit_hit(const struct run *r, enum sandbox_limit limit)
{
	return (struct watch_hit){ limit, limit_of(&r->conf->limits, limit) };
}

/** A limit that has ended the step, also where that was seen only afterwards. */
static struct watch_hit what_ended_it(struct run *r)
{
	if (r->why == WHY_LIMIT)
		return r->hit;
	if (cgroup_out_of_memory(&r->cgroup))
		return limit_hit(r, SANDBOX_LIMIT_MEMORY);
	if (r->relay.over)
		return limit_hit(r, SANDBOX_LIMIT_OUTPUT);
	if (r->end.kind == NOTE_SIGNAL && r->end.code == SIGXFSZ)
		return limit_hit(r, SANDBOX_LIMIT_FILE_SIZE);
	return r->end.kind == NOTE_EXIT || r->end.kind == NOTE_SIGNAL ? watch_last(&r->watch) : limit_hit(r, SANDBOX_NO_LIMIT);
}

/** A limit that a command which has failed is seen to have been at: it refuses something, and kills nobody. */
static struct watch_hit what_it_met(const struct run *r)
{
	uint64_t pids = limit_of(&r->conf->limits, SANDBOX_LIMIT_PIDS);

	if (r->end.kind == NOTE_EXIT && r->end.code == 128 + SIGXFSZ) /* as shells tell of a child's end */
		return limit_hit(r, SANDBOX_LIMIT_FILE_SIZE);
	if (r->end.full != FULL_NOTHING)
		return limit_hit(r, r->end.full == FULL_BYTES ? SANDBOX_LIMIT_TMP : SANDBOX_LIMIT_TMP_FILES);
	/* Those left behind, and the command itself. */
	if (cgroup_fork_refused(&r->cgroup) || r->watch.met || (uint64_t)r->end.left + 1 >= pids - pids / WATCH_PIDS_PART)
		return limit_hit(r, SANDBOX_LIMIT_PIDS);
	return limit_hit(r, SANDBOX_NO_LIMIT);
}

/** Names the limit in the result. @return whether it has ended the step. */
static bool take_limit(struct run *r, struct sandbox_result *res)
{
	struct watch_hit hit = { SANDBOX_NO_LIMIT, 0 };
	bool failed = r->end.kind == NOTE_SIGNAL || (r->end.kind == NOTE_EXIT && r->end.code != 0);
	bool ended = false;

	if (r->why == WHY_TIMEOUT) {
		hit = limit_hit(r, SANDBOX_LIMIT_TIMEOUT);
	} else if (r->why == WHY_NOT || r->why == WHY_LIMIT) {
		hit = what_ended_it(r);
		ended = hit.limit != SANDBOX_NO_LIMIT;
		if (!ended && failed)
			hit = what_it_met(r);
	}
	res->limit = hit.limit;
	res->limit_value = hit.value;
	return ended;
}

static int lost_init(const struct run *r, struct err *err)
{
	/* A filter from outside may kill for what others refuse. */
	if (WIFSIGNALED(r->status) && WTERMSIG(r->status) == SIGSYS)
		return sandbox_denied(err, CAUSE_SECCOMP, EPERM, "sandbox: its making was ended by a filter (SIGSYS)", NULL);
	return err_set(err, ERR_INTERNAL, 0, "sandbox: its init was killed from outside (%s %d) before the command ended; "
		       "out of memory?", WIFSIGNALED(r->status) ? "signal" : "exit",
		       WIFSIGNALED(r->status) ? WTERMSIG(r->status) : WEXITSTATUS(r->status));
}

static int take_end(struct run *r, const struct plan *plan, struct sandbox_result *res, struct err *err)
{
	res->code = r->end.code;
	if (r->end.kind == NOTE_FAIL)
		return host_explain(plan, &r->end, err);
	if (r->end.kind == NOTE_EXEC) {
		res->end = r->end.code == ENOENT ? SANDBOX_NOT_FOUND : SANDBOX_NOT_EXECUTABLE;
		return 0;
	}
	bool told = r->end.kind == NOTE_EXIT || r->end.kind == NOTE_SIGNAL;
	if (take_limit(r, res)) {
		res->end = SANDBOX_LIMITED;
		res->code = res->limit == SANDBOX_LIMIT_FILE_SIZE ? SIGXFSZ : SIGKILL;
		return 0;
	}
	if (!told && r->why == WHY_NOT)
		return lost_init(r, err);
	if (!told)
		res->code = SIGKILL;
	res->end = r->why == WHY_TIMEOUT ? SANDBOX_TIMEOUT : r->why != WHY_NOT ? SANDBOX_CANCELLED
		   : r->end.kind == NOTE_EXIT ? SANDBOX_EXITED : SANDBOX_SIGNALED;
	return 0;
}

static int conduct(struct run *r, struct plan *plan, struct sandbox_result *res, struct err *err)
{
	uint64_t timeout = r->conf->limits.timeout_ms;

	r->start_us = now_us();
	r->next_ms = timeout == 0 ? 0 : later(timeout);
	watch_begin(&r->watch, r->conf, &r->cgroup, r->start_us / 1000);
	if (start(r, plan, err) != 0)
		return -1;
	r->watch.pid = r->pid;
	/* While the child works: */
	if (!r->conf->no_receipt && (res->receipt = receipt_make(r->conf, plan, err)) == NULL)
		return -1;
	if (attend(r, err) != 0)
		return -1;
	reap(r);
	watch_end(&r->watch);
	res->wall_us = now_us() - r->start_us;
	take_usage(r, res);
	memcpy(res->refused, r->refused, sizeof res->refused);
	res->nrefused = r->nrefused;
	if (!r->conf->no_receipt && receipt_refusals(res->receipt, plan->telling != NULL && !plan->learning && !r->deaf, err) != 0)
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
	struct run r = { .conf = conf, .sock = -1, .cancel = conf->cancel_fd, .pid = -1, .view = -1, .end = { .kind = -1 },
			 .plan = plan, .listener = -1 };

	relay_begin(&r.relay, conf);
	r.console.conf = conf->terminal;
	r.console.master = -1;
	int failed = conduct(&r, plan, &res, err);

	if (failed == 0)
		res.view_fd = move_fd(&r.view);
	if (run_clear(&r, failed, err) != 0)
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
