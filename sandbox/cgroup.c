/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "sandbox/cause.h"
#include "sandbox/limit.h"
#include "sandbox/sys.h"

#define PROC_TEXT_MAX (4u << 20)
/** Files of a cgroup that are read here hold a few lines; the list of its processes is the longest. */
#define CGROUP_TEXT_MAX (1u << 20)
/** One period of the processor's quota, in microseconds: the kernel's default. */
#define CPU_PERIOD_US 100000
/** How often, a millisecond apart, the removal of a cgroup is tried while the last of its dead leave it. */
#define REMOVE_TRIES 200

static const char *const controller_names[] = { [CGROUP_MEMORY] = "memory", [CGROUP_CPU] = "cpu", [CGROUP_PIDS] = "pids" };

/* ---- rights ------------------------------------------------------------------------ */

/** Root's rights in reserve, taken for a moment. */
struct rights {
	bool taken;
	uid_t uid;
};

/** Raw system calls: the C library's seteuid(3) would change all threads. */
static int rights_set(uid_t uid)
{
	int dumpable = prctl(PR_GET_DUMPABLE);

	if (syscall(SYS_setresuid, -1, uid, -1) != 0)
		return -1;
	/* Cleared by a change of ids, and needed by children (take_ids in child.c). */
	return dumpable == 1 ? prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) : 0;
}

static struct rights rights_begin(void)
{
	struct rights r = { .uid = geteuid() };

	r.taken = getuid() == 0 && r.uid != 0 && rights_set(0) == 0;
	return r;
}

/** @return @p result, or -1 when the rights could not be given up. */
static int rights_end(const struct rights *r, int result, struct err *err)
{
	if (r->taken && rights_set(r->uid) != 0)
		return err_set(err, ERR_INTERNAL, errno, "sandbox: giving up root's rights after work on a cgroup");
	return result;
}

/* ---- files ------------------------------------------------------------------------- */

static int write_text(int dir, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int write_text(int dir, const char *name, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	auto_fd fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, value, (size_t)n) != n ? -1 : 0;
}

/** Reads a whole file. @return whether it could be. */
static bool read_text(int dir, const char *name, struct buf *ret)
{
	struct err ignored = { 0 };
	auto_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	buf_adds(ret, ""); /* a string also where there is nothing to read */
	return fd >= 0 && io_read_all(fd, CGROUP_TEXT_MAX, ret, &ignored) == 0 && ret->data != NULL;
}

/** The number after @p key in a file of "key number" lines, or alone in it where @p key is "". 0 where there is none. */
static uint64_t read_number(int dir, const char *name, const char *key)
{
	auto_buf text = { 0 };
	size_t n = strlen(key);

	if (!read_text(dir, name, &text))
		return 0;
	for (const char *line = text.data; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, key, n) == 0 && (n == 0 || line[n] == ' '))
			return strtoull(line + n, NULL, 10);
	return 0;
}

/* ---- whose ------------------------------------------------------------------------- */

/** Field @p n (from 4) of /proc/PID/stat; 0 where there is none. */
static uint64_t stat_field(pid_t pid, int n)
{
	char path[40];
	auto_buf text = { 0 };

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!read_text(AT_FDCWD, path, &text))
		return 0;
	const char *p = strrchr(text.data, ')');
	for (int i = 2; p != NULL && i < n; i++)
		p = strchr(p + 1, ' ');
	return p == NULL ? 0 : strtoull(p + 1, NULL, 10);
}
#define STAT_PARENT 4
#define STAT_START 22

static int make_name(struct cgroup *cg, struct err *err)
{
	char hex[33];

	if (io_random_hex(hex, err) != 0)
		return -1;
	snprintf(cg->name, sizeof cg->name, "glovebox-%d-%" PRIu64 "-%.8s", (int)getpid(), stat_field(getpid(), STAT_START), hex);
	return 0;
}

/** Removes an empty cgroup of a runner that is gone. One in another pid namespace looks gone, too, but holds its lock. */
static void sweep_one(int base_fd, const char *name)
{
	pid_t pid;
	uint64_t start;

	if (!cgroup_parse_name(name, &pid, &start) || stat_field(pid, STAT_START) == start)
		return;
	auto_fd fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(base_fd, name, AT_REMOVEDIR);
}

static void sweep(int base_fd)
{
	int fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL)
		own_fd(&fd);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		sweep_one(base_fd, e->d_name);
}

/* ---- version 2: dividing the own cgroup ----------------------------------------------- */

/** Moves this process and its children out of the cgroup @p base, if nobody else is in it: one that is divided may hold none,
 *  but for the hierarchy's root, which alone has no type. */
static int step_aside(int base_fd, struct buf *why)
{
	auto_buf pids = { 0 };
	auto_fd runner = -1;

	if (faccessat(base_fd, "cgroup.type", F_OK, 0) != 0)
		return 0;
	if (!read_text(base_fd, "cgroup.procs", &pids))
		return buf_addf(why, "its cgroup.procs cannot be read"), -1;
	if (pids.len == 0)
		return 0;
	for (const char *p = pids.data; *p != '\0'; p += strcspn(p, "\n"), p += *p != '\0') {
		pid_t pid = (pid_t)strtol(p, NULL, 10);

		if (pid != getpid() && stat_field(pid, STAT_PARENT) != (uint64_t)getpid())
			return buf_addf(why, "other processes are in it as well (%d)", (int)pid), -1;
	}
	if (mkdirat(base_fd, CGROUP_RUNNER, 0755) != 0 && errno != EEXIST)
		return buf_addf(why, "%s", strerror(errno)), -1;
	runner = openat(base_fd, CGROUP_RUNNER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (const char *p = pids.data; *p != '\0'; p += strcspn(p, "\n"), p += *p != '\0')
		if (runner < 0 || write_text(runner, "cgroup.procs", "%ld", strtol(p, NULL, 10)) != 0)
			return buf_addf(why, "moving to %s: %s", CGROUP_RUNNER, strerror(errno)), -1;
	return 0;
}

/** Sees to it that a controller works in cgroups made below @p base. */
static int enable(int base_fd, const char *controller, struct buf *why)
{
	auto_buf have = { 0 };
	auto_buf on = { 0 };

	if (!read_text(base_fd, "cgroup.controllers", &have) || !cgroup_lists(have.data, controller))
		return buf_addf(why, "it has no %s controller", controller), -1;
	if (read_text(base_fd, "cgroup.subtree_control", &on) && cgroup_lists(on.data, controller))
		return 0;
	/* First, for cpu and pids could be had without: the cgroup would become one of threads, and take in no process. */
	if (step_aside(base_fd, why) != 0)
		return -1;
	if (write_text(base_fd, "cgroup.subtree_control", "+%s", controller) == 0)
		return 0;
	return buf_addf(why, "%s", strerror(errno)), -1;
}

/* ---- making -------------------------------------------------------------------------- */

/** Texts of /proc/self, read once for all controllers. */
struct here {
	struct buf cgroups, mounts;
};

static void here_clear(struct here *h)
{
	buf_free(&h->cgroups);
	buf_free(&h->mounts);
}

static int here_read(struct here *h, struct err *err)
{
	return io_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_TEXT_MAX, &h->cgroups, err) != 0 ||
			       io_read_file(AT_FDCWD, "/proc/self/mountinfo", PROC_TEXT_MAX, &h->mounts, err) != 0
		       ? err_ctx(err, "sandbox: finding this process's cgroup") : 0;
}

static const char *text_of(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}

#define NO_DIR ((struct cgroup_dir){ .fd = -1, .base_fd = -1 })

static void dir_close(struct cgroup_dir *d)
{
	own_fd(&d->fd);
	own_fd(&d->base_fd);
	free(d->base);
	*d = NO_DIR;
}
#define auto_cgroup_dir __attribute__((cleanup(dir_close))) struct cgroup_dir

/** Opens the base of the directory to be. Of a runner that has stepped aside the base is one up. */
static int dir_base(struct cgroup_dir *d, const struct here *h, const char *controller, struct buf *why)
{
	auto_buf path = { 0 };

	if (!cgroup_find(text_of(&h->cgroups), text_of(&h->mounts), d->version == 2 ? NULL : controller, &path))
		return buf_addf(why, "none is mounted here"), -1;
	if (d->version == 2 && path.len > strlen("/" CGROUP_RUNNER) && strcmp(text_path_name(path.data), CGROUP_RUNNER) == 0)
		buf_seal(&path, path.len - strlen("/" CGROUP_RUNNER));
	d->base = buf_take(&path);
	d->base_fd = d->base == NULL ? -1 : open(d->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->base_fd < 0)
		return buf_addf(why, "%s: %s", d->base == NULL ? "" : d->base, strerror(errno)), -1;
	return 0;
}

static int dir_make(struct cgroup_dir *d, const char *name, struct buf *why)
{
	sweep(d->base_fd);
	/* For nobody else to open: a lock of theirs would be waited for, and keep it from being swept. To be searched it is, by
	 * this process too, when it has given up root's rights. */
	if (mkdirat(d->base_fd, name, 0711) != 0)
		return buf_addf(why, "%s: %s", d->base, strerror(errno)), -1;
	d->fd = openat(d->base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd < 0 || flock(d->fd, LOCK_SH) != 0) {
		buf_addf(why, "%s/%s: %s", d->base, name, strerror(errno));
		(void)unlinkat(d->base_fd, name, AT_REMOVEDIR);
		return -1;
	}
	return 0;
}

/** The step's directory in the hierarchy of a controller, made unless it is there already. NULL with a reason appended. */
static const struct cgroup_dir *dir_for(struct cgroup *cg, const struct here *h, int version, const char *controller,
					struct buf *why)
{
	auto_cgroup_dir d = NO_DIR;

	d.version = version;
	buf_addf(why, "cgroup v%d: ", version);
	if (dir_base(&d, h, controller, why) != 0)
		return NULL;
	if (version == 2 && enable(d.base_fd, controller, why) != 0) {
		buf_addf(why, " (%s)", d.base);
		return NULL;
	}
	for (size_t i = 0; i < cg->ndirs; i++)
		if (strcmp(cg->dirs[i].base, d.base) == 0)
			return &cg->dirs[i];
	if (dir_make(&d, cg->name, why) != 0)
		return NULL;
	cg->dirs[cg->ndirs] = d;
	d = NO_DIR;
	return &cg->dirs[cg->ndirs++];
}

/** Whether memory can be moved to a swap area that nothing counts. */
static bool swap_is_on(void)
{
	auto_buf text = { 0 };

	/* The first line is a heading. */
	return !read_text(AT_FDCWD, "/proc/swaps", &text) || strchr(text.data, '\n') == NULL ||
	       strchr(text.data, '\n')[1] != '\0';
}

/** Memory and swap together; the file for swap is missing where the kernel was started without accounting of it. */
static int set_memory(const struct cgroup_dir *d, uint64_t bytes, struct buf *why)
{
	const char *const swap = d->version == 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";

	if (write_text(d->fd, d->version == 2 ? "memory.max" : "memory.limit_in_bytes", "%" PRIu64, bytes) != 0)
		return buf_addf(why, "%s", strerror(errno)), -1;
	if (write_text(d->fd, swap, "%" PRIu64, d->version == 2 ? (uint64_t)0 : bytes) != 0 && (errno != ENOENT || swap_is_on()))
		return buf_addf(why, "%s: %s", swap, errno == ENOENT ? "swap is on and not accounted (swapaccount=1)" : strerror(errno)), -1;
	if (d->version == 2 && write_text(d->fd, "memory.oom.group", "1") != 0)
		return buf_addf(why, "memory.oom.group: %s", strerror(errno)), -1;
	return 0;
}

static int set_cpu(const struct cgroup_dir *d, uint64_t millis, struct buf *why)
{
	uint64_t quota = millis * (CPU_PERIOD_US / 1000);
	bool ok = d->version == 2 ? write_text(d->fd, "cpu.max", "%" PRIu64 " %d", quota, CPU_PERIOD_US) == 0
				  : write_text(d->fd, "cpu.cfs_period_us", "%d", CPU_PERIOD_US) == 0 &&
					    write_text(d->fd, "cpu.cfs_quota_us", "%" PRIu64, quota) == 0;

	return ok ? 0 : (buf_addf(why, "%s", strerror(errno)), -1);
}

/** One more for the init. */
static int set_pids(const struct cgroup_dir *d, uint64_t pids, struct buf *why)
{
	if (write_text(d->fd, "pids.max", "%" PRIu64, pids + 1) == 0)
		return 0;
	return buf_addf(why, "%s", strerror(errno)), -1;
}

static int set(const struct cgroup_dir *d, enum cgroup_controller c, const struct sandbox_limits *l, struct buf *why)
{
	switch (c) {
	case CGROUP_MEMORY:
		return set_memory(d, l->memory_bytes, why);
	case CGROUP_CPU:
		return set_cpu(d, l->cpu_millis, why);
	default:
		return set_pids(d, limit_of(l, SANDBOX_LIMIT_PIDS), why);
	}
}

/** Version 2 first: where both have the controller it is a mistake, and where one has, it is that one. */
static bool control(struct cgroup *cg, const struct here *h, enum cgroup_controller c, const struct sandbox_limits *l,
		    struct buf *why)
{
	for (int version = 2; version >= 1; version--) {
		const struct cgroup_dir *d = dir_for(cg, h, version, controller_names[c], why);

		if (d != NULL && set(d, c, l, why) == 0) {
			cg->of[c] = d;
			return true;
		}
		if (version == 2)
			buf_adds(why, "; ");
	}
	return false;
}

static int refuse(enum cgroup_controller c, const struct buf *why, struct err *err)
{
	auto_buf doing = { 0 };

	buf_addf(&doing, "sandbox: limit %s: no cgroup with a %s controller is writable for uid %u: %s", controller_names[c],
		 controller_names[c], (unsigned)geteuid(), text_of(why));
	if (buf_check(&doing, "message", err) != 0)
		return -1;
	return sandbox_denied(err, CAUSE_CGROUP, 0, doing.data, NULL);
}

static int make_all(struct cgroup *cg, const struct sandbox_limits *l, struct err *err)
{
	__attribute__((cleanup(here_clear))) struct here h = { 0 };
	const bool wanted[] = { [CGROUP_MEMORY] = l->memory_bytes != 0, [CGROUP_CPU] = l->cpu_millis != 0, [CGROUP_PIDS] = true };

	if (make_name(cg, err) != 0 || here_read(&h, err) != 0)
		return -1;
	for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
		auto_buf why = { 0 };

		/* RLIMIT_NPROC is there for processes, so that a cgroup is a gift. */
		if (wanted[c] && !control(cg, &h, (enum cgroup_controller)c, l, &why) && c != CGROUP_PIDS && !l->best_effort)
			return refuse((enum cgroup_controller)c, &why, err);
	}
	return 0;
}

int cgroup_open(struct cgroup *cg, const struct sandbox_limits *limits, struct err *err)
{
	*cg = (struct cgroup){ 0 };
	if (limits->memory_bytes == 0 && limits->cpu_millis == 0)
		return 0;
	struct rights r = rights_begin();
	return rights_end(&r, make_all(cg, limits, err), err);
}

int cgroup_enter(const struct cgroup *cg, pid_t pid, struct err *err)
{
	struct rights r = rights_begin();
	int result = 0;

	for (size_t i = 0; result == 0 && i < cg->ndirs; i++)
		if (write_text(cg->dirs[i].fd, "cgroup.procs", "%d", (int)pid) != 0)
			result = err_set(err, ERR_HOST, errno, "sandbox: moving the step to its cgroup %s/%s", cg->dirs[i].base, cg->name);
	return rights_end(&r, result, err);
}

/* ---- asking, ending -------------------------------------------------------------------- */

bool cgroup_out_of_memory(const struct cgroup *cg)
{
	const struct cgroup_dir *d = cg->of[CGROUP_MEMORY];

	return d != NULL && read_number(d->fd, d->version == 2 ? "memory.events" : "memory.oom_control", "oom_kill") != 0;
}

bool cgroup_fork_refused(const struct cgroup *cg)
{
	const struct cgroup_dir *d = cg->of[CGROUP_PIDS];

	return d != NULL && read_number(d->fd, "pids.events", "max") != 0;
}

uint64_t cgroup_population(const struct cgroup *cg)
{
	return read_number(cg->of[CGROUP_PIDS]->fd, "pids.current", "");
}

static void remove_dir(const struct cgroup *cg, const struct cgroup_dir *d)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; unlinkat(d->base_fd, cg->name, AT_REMOVEDIR) != 0 && errno == EBUSY && i < REMOVE_TRIES; i++)
		(void)nanosleep(&pause, NULL);
}

int cgroup_close(struct cgroup *cg, int result, struct err *err)
{
	struct err late = { 0 };

	if (cg->ndirs == 0)
		return result;
	struct rights r = rights_begin();
	for (size_t i = 0; i < cg->ndirs; i++) {
		remove_dir(cg, &cg->dirs[i]);
		dir_close(&cg->dirs[i]);
	}
	*cg = (struct cgroup){ 0 };
	if (rights_end(&r, 0, &late) == 0 || result != 0)
		return result;
	*err = late;
	return -1;
}

int sandbox_check_limits(const struct sandbox_limits *limits, struct err *err)
{
	struct cgroup cg = { 0 };

	if (limits->best_effort)
		return 0;
	return cgroup_close(&cg, cgroup_open(&cg, limits, err), err);
}
