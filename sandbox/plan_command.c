/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a plan that bear on the command itself: where it is looked for, its limits, what Landlock
 * lets it change, and what of the caller's memory it must not see. */
#include "sandbox/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "sandbox/sys.h"

/** An argument area larger than this is no argument area (execve(2): 6 MiB). */
#define WIPE_MAX (6u << 20)
/** Thousandths of a processor: the kernel takes no quota below 1 ms in 100. */
#define CPU_MILLIS_MIN 10
#define CPU_MILLIS_MAX 9999999
/** Where a command is looked for when the environment has no PATH (execvp(3)). */
#define PATH_DEFAULT "/bin:/usr/bin"

/** A copy that the plan owns: the caller's strings may lie in the argument area that init overwrites. */
static const char *const *copy_strings(struct plan_box *box, const char *const *from)
{
	size_t n = 0;

	while (from[n] != NULL)
		n++;
	const char **copy = plan_alloc(box, (n + 1) * sizeof *copy);
	for (size_t i = 0; copy != NULL && i < n; i++)
		if ((copy[i] = plan_str(box, "%s", from[i])) == NULL)
			return NULL;
	return copy;
}

static const char *env_path(const char *const *envp)
{
	for (; *envp != NULL; envp++)
		if (text_starts(*envp, "PATH="))
			return *envp + strlen("PATH=");
	return PATH_DEFAULT;
}

/** As execvp(3) would try them: an empty element is the work directory. */
static int make_candidates(struct plan_box *box, struct err *err)
{
	const char *name = box->plan.argv[0];
	const char **list = plan_alloc(box, (PLAN_PATH_MAX + 1) * sizeof *list);
	size_t n = 0;

	if (list == NULL)
		return plan_no_memory(err);
	box->plan.candidates = list;
	if (strchr(name, '/') != NULL) {
		list[0] = name;
		return 0;
	}
	for (const char *p = env_path(box->plan.envp);; p++) {
		size_t len = strcspn(p, ":");

		if (n == PLAN_PATH_MAX)
			return plan_refuse(err, "PATH has more than 256 elements");
		list[n] = len == 0 ? plan_str(box, "./%s", name) : plan_str(box, "%.*s/%s", (int)len, p, name);
		if (list[n++] == NULL)
			return plan_no_memory(err);
		p += len;
		if (*p == '\0')
			return 0;
	}
}

int plan_command(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	box->plan.argv = copy_strings(box, conf->argv);
	box->plan.envp = copy_strings(box, conf->envp);
	box->plan.workdir = plan_str(box, "%s", conf->workdir);
	if (box->plan.argv == NULL || box->plan.envp == NULL || box->plan.workdir == NULL)
		return plan_no_memory(err);
	return make_candidates(box, err);
}

/** Adds a limit, lowered where the caller's own hard limit is lower: raising that takes
 *  a capability of the host's (RLIM_INFINITY is the largest value). */
static void add_limit(struct plan_box *box, int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit now;
	bool lowered = getrlimit((__rlimit_resource_t)resource, &now) == 0 && now.rlim_max < hard;

	if (lowered)
		hard = now.rlim_max;
	if (soft > hard)
		soft = hard;
	box->limits[box->plan.nlimits++] = (struct limit){ resource, soft, hard, lowered };
	box->plan.limits = box->limits;
}

/** Every resource gets a value of its own, so that none is inherited from the caller. */
int plan_limits(struct plan_box *box, const struct sandbox_limits *l, struct err *err)
{
	static const struct { int resource; uint64_t soft, hard; } fixed[] = {
		{ RLIMIT_CORE, 0, 0 },
		{ RLIMIT_STACK, 8u << 20, RLIM_INFINITY },
		{ RLIMIT_MEMLOCK, 8u << 20, 8u << 20 },
		{ RLIMIT_MSGQUEUE, 819200, 819200 },
		{ RLIMIT_SIGPENDING, 4096, 4096 },
		{ RLIMIT_NICE, 0, 0 },
		{ RLIMIT_RTPRIO, 0, 0 },
		{ RLIMIT_RTTIME, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY },
		{ RLIMIT_LOCKS, RLIM_INFINITY, RLIM_INFINITY },
	};
	uint64_t files = limit_of(l, SANDBOX_LIMIT_FILES);
	uint64_t bytes = limit_of(l, SANDBOX_LIMIT_FILE_SIZE);
	uint64_t pids = limit_of(l, SANDBOX_LIMIT_PIDS) + 1; /* one more for the init, which is counted with the rest */
	struct rlimit now;

	if (l->pids > INT32_MAX || l->files > INT32_MAX)
		return plan_refuse(err, "a limit of processes or open files is out of range");
	if (l->cpu_millis != 0 && (l->cpu_millis < CPU_MILLIS_MIN || l->cpu_millis > CPU_MILLIS_MAX))
		return plan_refuse(err, "a limit of processors is out of range (0.01 to 9999.999)");
	add_limit(box, RLIMIT_NPROC, pids, pids);
	add_limit(box, RLIMIT_NOFILE, files, files);
	add_limit(box, RLIMIT_FSIZE, bytes, bytes);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		add_limit(box, fixed[i].resource, fixed[i].soft, fixed[i].hard);
	if (l->files != 0 && !l->best_effort && getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max < l->files)
		return err_set(err, ERR_HOST, 0,
			       "sandbox: limit files: %" PRIu64 " open files were asked for, but this process may have only %" PRIu64
			       "; raise its hard limit (ulimit -Hn) or ask for fewer", l->files, (uint64_t)now.rlim_max);
	return 0;
}

void plan_pids_in_cgroup(struct plan *plan)
{
	for (size_t i = 0; i < plan->nlimits; i++)
		if (plan->limits[i].resource == RLIMIT_NPROC && !plan->limits[i].lowered) {
			plan->limits[i].soft++;
			plan->limits[i].hard++;
		}
}

/** What Landlock lets a step change (landlock(7)): the tmpfs's places and the writable mounts.
 *  ABI 1 would forbid every rename and link across directories, so it is not used. */
int plan_landlock(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	static const char *const always[] = { "/tmp", "/dev/shm", "/build/home" };
	const char **list = plan_alloc(box, (ARRAY_LEN(always) + conf->nmounts + 1) * sizeof *list);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	size_t n = 0;

	if (list == NULL)
		return plan_no_memory(err);
	box->plan.landlock_abi = abi >= 2 ? (int)abi : 0;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		list[n++] = always[i];
	for (size_t i = 0; i < conf->nmounts; i++)
		if (conf->mounts[i].kind != SANDBOX_BIND_RO && conf->mounts[i].target != NULL &&
		    (list[n++] = plan_str(box, "%s", conf->mounts[i].target)) == NULL)
			return plan_no_memory(err);
	box->plan.writable = list;
	return 0;
}

/** Where the kernel keeps this program's arguments and environment (proc_pid_stat(5), fields
 *  48 to 51): /proc/1/cmdline would show them inside, whatever else is closed. */
int plan_wipe(struct plan *plan, struct err *err)
{
	char text[2048];
	unsigned long field[4] = { 0 };
	auto_fd fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n <= 0)
		return err_set(err, ERR_HOST, errno, "sandbox: reading /proc/self/stat (is /proc mounted?)");
	text[n] = '\0';
	char *p = strrchr(text, ')'); /* the command's name may hold anything; field 3 follows */
	for (int i = 2; p != NULL && i < 48; i++)
		p = strchr(p + 1, ' ');
	for (size_t i = 0; p != NULL && i < ARRAY_LEN(field); i++)
		field[i] = strtoul(p + 1, &p, 10);
	if (p == NULL || field[0] == 0 || field[3] <= field[0] || field[3] - field[0] > WIPE_MAX)
		return err_set(err, ERR_HOST, 0, "sandbox: /proc/self/stat does not say where the arguments are");
	plan->wipe_start = field[0];
	plan->wipe_len = field[3] - field[0];
	return 0;
}
