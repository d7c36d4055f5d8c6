/* SPDX-License-Identifier: Apache-2.0 */
/* A space, from its maker's side. The keeper (init.c) holds it; what is here are the ways in. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sandbox/cause.h"
#include "sandbox/space.h"

struct sandbox_space {
	int sock;   /**< the keeper lives until this is closed */
	pid_t pid;
	int trees, userns, mntns;
};

int sandbox_space_trees(const struct sandbox_space *space)
{
	return space->trees;
}

int space_userns(const struct sandbox_space *space)
{
	return space->userns;
}

int space_mntns(const struct sandbox_space *space)
{
	return space->mntns;
}

void sandbox_space_close(struct sandbox_space *space)
{
	if (space == NULL)
		return;
	own_fd(&space->trees);
	own_fd(&space->userns);
	own_fd(&space->mntns);
	own_fd(&space->sock);
	if (space->pid > 0) {
		(void)kill(space->pid, SIGKILL);
		while (waitpid(space->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	free(space);
}

/** Waits for the keeper to be ready, and takes over what it hands out. */
static int take_over(struct sandbox_space *space, const struct plan *plan, struct err *err)
{
	struct note note;
	int fds[NOTE_FDS_MAX];
	int got = note_receive(space->sock, &note, fds);

	if (got < 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: reading from the space's keeper");
	if (got == 0)
		return err_set(err, ERR_INTERNAL, 0, "sandbox: the space's keeper was killed; out of memory?");
	if (note.kind == NOTE_FAIL)
		return host_explain(plan, &note, err);
	space->trees = fds[0];
	space->userns = fds[1];
	space->mntns = fds[2];
	return 0;
}

static int start(struct sandbox_space *space, struct plan *plan, int base_fd, struct err *err)
{
	int pair[2];
	auto_fd theirs = -1;
	auto_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return sandbox_denied(err, CAUSE_PROC_MISSING, errno, "sandbox: opening /proc", NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: making a socket pair");
	space->sock = pair[0];
	theirs = pair[1];
	plan->base_fd = base_fd;
	plan->proc_fd = proc;
	plan->sock = theirs;
	plan_keep(plan);
	return spawn(plan, &space->pid, err);
}

int sandbox_space_open(const struct sandbox_space_conf *conf, struct sandbox_space **ret, struct err *err)
{
	auto_plan box = { 0 };
	auto_sandbox_space space = NULL;

	if (plan_make_space(conf, &box, err) != 0)
		return -1;
	space = malloc(sizeof *space);
	if (space == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: opening a space");
	*space = (struct sandbox_space){ .sock = -1, .pid = -1, .trees = -1, .userns = -1, .mntns = -1 };
	if (start(space, &box.plan, conf->base_fd, err) != 0 || take_over(space, &box.plan, err) != 0)
		return -1;
	*ret = move_ptr(space);
	return 0;
}
