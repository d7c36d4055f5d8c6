/* SPDX-License-Identifier: Apache-2.0 */
/* Counting a step's processes and threads, down the tree from its init: proc_tid_children(5). Neither a pid
 * namespace nor a user namespace says how many are in it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/watch.h"

/** One read of a list of children: what does not fit in is read next. */
#define CHILDREN_CHUNK 4096

/** Processes still to be asked. */
struct crowd {
	pid_t *pids;
	size_t n, most;
	uint64_t count;
};

static void ask_later(struct crowd *c, pid_t pid)
{
	if (c->n < c->most)
		c->pids[c->n++] = pid;
}

/** Reads the children of one thread: numbers with a space after each. */
static void children(struct crowd *c, int tasks, const char *tid)
{
	char path[32], data[CHILDREN_CHUNK];
	pid_t pid = 0;
	ssize_t n;

	snprintf(path, sizeof path, "%.20s/children", tid);
	auto_fd fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, data, sizeof data)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (data[i] >= '0' && data[i] <= '9') {
				pid = pid * 10 + (data[i] - '0');
			} else if (pid != 0) {
				ask_later(c, pid);
				pid = 0;
			}
		}
}

static void ask(struct crowd *c, pid_t pid)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	auto_dir tasks = opendir(path);
	for (struct dirent *e; tasks != NULL && c->count < c->most && (e = readdir(tasks)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		c->count++;
		children(c, dirfd(tasks), e->d_name);
	}
}

uint64_t crowd_count(pid_t pid, uint64_t most)
{
	auto_free pid_t *pids = calloc(most, sizeof *pids);
	struct crowd c = { .pids = pids, .most = most };

	if (pids == NULL)
		return 0;
	ask_later(&c, pid);
	while (c.n > 0 && c.count < most)
		ask(&c, c.pids[--c.n]);
	return c.count;
}
