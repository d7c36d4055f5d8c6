/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 9, from inside: init can be neither ended nor stopped, and nothing can get away from it. What is left after
 * the end is looked at from outside (reaper.c). */
#include "probe.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** Whether init does what it is there for: it takes an orphan over, and reaps it. */
static bool init_works(void)
{
	int ends[2];
	pid_t orphan = 0;

	if (pipe(ends) != 0)
		return false;
	pid_t middle = fork();
	if (middle == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			usleep(1000);
			_exit(0);
		}
		_exit(write(ends[1], &pid, sizeof pid) != sizeof pid);
	}
	waitpid(middle, NULL, 0);
	if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan)
		return false;
	for (int i = 0; i < 250 && kill(orphan, 0) == 0; i++)
		usleep(2000);
	return kill(orphan, 0) != 0;
}

static enum verdict signal_init(int from, int to)
{
	int sys = 0;

	for (int sig = from; sig <= to; sig++)
		if (kill(1, sig) != 0)
			sys = errno;
	usleep(2000);
	return init_works() ? held(sys) : through("init does not reap any more");
}

/** A pid 1 can be hit only by signals that it has handlers for; nobody here would live to tell of the others. */
static enum verdict kill_init(void) { return signal_init(SIGKILL, SIGKILL); }
static enum verdict stop_init(void) { return signal_init(SIGSTOP, SIGSTOP); }
static enum verdict all_signals_to_init(void) { return signal_init(1, 64); }

static enum verdict queue_to_init(void)
{
	siginfo_t info = { .si_signo = SIGCHLD, .si_code = SI_QUEUE, .si_pid = getpid() };

	for (int i = 0; i < 10000; i++)
		syscall(SYS_rt_sigqueueinfo, 1, SIGCHLD, &info);
	return init_works() ? held(0) : through("init does not reap any more");
}

static enum verdict pidfd_to_init(void)
{
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (fd < 0)
		return broken("pidfd_open");
	syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	return init_works() ? held(0) : through("init does not reap any more");
}

/** init hears of each call that the filter refuses. More than it can hear of at once, from many, some of them killed in it. */
static enum verdict refusals(void)
{
	pid_t all[8];
	int wrong = 0, status;

	for (int i = 0; i < 8; i++)
		if ((all[i] = fork()) == 0) {
			for (int n = 0; n < 2000 || i == 0; n++)
				if (syscall(SYS_reboot, 0, 0, 0, 0) != -1 || errno != EPERM)
					_exit(1);
			_exit(0);
		}
	usleep(1000);
	kill(all[0], SIGKILL);
	for (int i = 0; i < 8; i++)
		wrong += waitpid(all[i], &status, 0) != all[i] || (i > 0 && status != 0);
	return wrong != 0 ? through("%d were answered something else", wrong) : init_works() ? held(0) : through("init does not reap any more");
}

/** The runner is the parent of init: outside, and so nobody. */
static enum verdict parent_of_init(void)
{
	char text[512];

	if (slurp("/proc/1/stat", text, sizeof text) <= 0 || strrchr(text, ')') == NULL)
		return broken("/proc/1/stat");
	int parent = -1;
	sscanf(strrchr(text, ')') + 4, "%d", &parent);
	return parent != 0 ? through("init's parent is %d", parent) : held(0);
}

static enum verdict into_a_group(void)
{
	/* The group and the session of the caller look like 0 from here. */
	return setpgid(0, 1) == 0 ? through("in init's group") : held(errno);
}

/** Orphans go to init, not to whoever asks for them in its place and dies. */
static enum verdict subreaper(void)
{
	int ends[2];
	pid_t parent = 0;

	if (pipe(ends) != 0)
		return broken("pipe");
	pid_t reaper = fork();
	if (reaper == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (fork() == 0) {
			setsid();
			usleep(20000);
			pid_t now = getppid();
			_exit(write(ends[1], &now, sizeof now) != sizeof now);
		}
		_exit(0);
	}
	waitpid(reaper, NULL, 0);
	if (read(ends[0], &parent, sizeof parent) != sizeof parent)
		return broken("the orphan said nothing");
	return parent == 0 ? through("the orphan's parent is outside") : held(0);
}

/** A new process that is no child of anybody here. */
static enum verdict outside_parent(void)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	/* A sibling: of this one's parent, which is inside. */
	return pid < 0 ? held(errno) : getppid() == 0 ? through("a child of one outside") : held(0);
}

const struct probe process_probes[] = {
	{ 9, "kill-init", kill_init, { "held|EPERM" } },
	{ 9, "stop-init", stop_init, { "held|EPERM" } },
	{ 9, "all-signals-to-init", all_signals_to_init, { "held|EPERM", [MODE_WEAK] = "-" } },
	{ 9, "queue-to-init", queue_to_init, { "held", [MODE_WEAK] = "-" } },
	{ 9, "pidfd-to-init", pidfd_to_init, { "held", [MODE_WEAK] = "-" } },
	{ 9, "refusals", refusals, { "held", [MODE_WEAK] = "-" } },
	{ 9, "parent-of-init", parent_of_init, { "held", [MODE_WEAK] = "held" } },
	{ 9, "into-a-group", into_a_group, { "EPERM", [MODE_WEAK] = "*" } },
	{ 9, "subreaper", subreaper, { "held", [MODE_WEAK] = "held" } },
	{ 9, "outside-parent", outside_parent, { "held|EINVAL", [MODE_WEAK] = "*|through" } },
	{ 0 },
};
