/* SPDX-License-Identifier: Apache-2.0 */
/* Who makes the calls that a profile is learnt from (proc(5)). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiles/profiles.h"
#include "runner/runner.h"

/** A name of 15 bytes and its end of line; the most of a path that is told. */
#define COMM_MAX 64
#define EXE_MAX 256

/** The caller waits for its answer, so it is there, unless it was killed. Both names are what it says of itself: whoever writes them
 *  down makes them harmless. */
static char *name_caller(pid_t caller)
{
	auto_buf comm = {0};
	struct err ignored = {0};
	char path[40], exe[EXE_MAX];
	char *name;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)caller);
	ssize_t n = readlink(path, exe, sizeof exe);
	snprintf(path, sizeof path, "/proc/%d/comm", (int)caller);
	if (io_read_file(AT_FDCWD, path, COMM_MAX, &comm, &ignored) < 0 || comm.len == 0)
		return NULL;
	comm.data[strcspn(comm.data, "\n")] = '\0';
	if (asprintf(&name, n > 0 ? "%s (%.*s)" : "%s", comm.data, (int)(n > 0 ? n : 0), exe) < 0)
		return NULL;
	return name;
}

void exec_learn(void *learner, const struct sandbox_call *call)
{
	char **who = profile_learn(learner, call->nr, call->args);

	if (who != NULL)
		*who = name_caller(call->caller);
}
