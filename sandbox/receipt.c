/* SPDX-License-Identifier: Apache-2.0 */
/* The receipt: what was in force around a command, as JSON (glovebox-provenance(5)). It is made from
 * the plan that the child follows to the letter, or fails; so what it says is what was done. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include <linux/magic.h>
#include <linux/mount.h>

#include "sandbox/watch.h"

/** As the receipt tells of watch.h. */
#define WATCHED "watch every 100 ms"
_Static_assert(WATCH_MS == 100, "the receipt says so");

/** Largest /proc/self/status that is read: a page, or more with many groups. */
#define STATUS_MAX (4u << 20)

/** Headers older than Linux 6.3 do not have it. */
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

static json_t *kernel(void)
{
	struct utsname u;

	uname(&u);
	return json_pack("{s:s, s:s, s:s}", "name", u.sysname, "release", u.release, "machine", u.machine);
}

static json_t *id(unsigned int inside, unsigned int outside)
{
	return json_pack("{s:I, s:I}", "inside", (json_int_t)inside, "outside", (json_int_t)outside);
}

/* Each of these gives a new reference, or NULL when memory is short: a value that cannot be appended is
 * never left out. */

/** Kept by an ordinary user, who cannot drop them. */
static json_t *groups(void)
{
	int n = getgroups(0, NULL);
	auto_free gid_t *list = n < 0 ? NULL : calloc((size_t)n + 1, sizeof *list);
	auto_json array = json_array();

	/* The number is as before: nothing here changes groups. */
	if (list == NULL || getgroups(n, list) != n)
		return NULL;
	for (int i = 0; i < n; i++)
		if (json_array_append_new(array, json_integer(list[i])) != 0)
			return NULL;
	return move_ptr(array);
}

static const char *where_name(enum sandbox_where where)
{
	return where == SANDBOX_IN_HOST ? "host" : where == SANDBOX_IN_SPACE ? "space" : "store";
}

static json_t *mount(const struct sandbox_mount *m)
{
	bool overlay = m->kind == SANDBOX_OVERLAY;
	const struct sandbox_path *from = overlay ? &m->lowers[0] : &m->source;
	auto_json row = json_pack("{s:s, s:s, s:b, s:s}", "target", m->target, "kind", overlay ? "overlay" : "bind",
				  "readOnly", m->kind == SANDBOX_BIND_RO, "source", where_name(from->where));

	/* A live directory of the host's: changes while the command runs, and was hashed by nobody. */
	if (from->where == SANDBOX_IN_HOST &&
	    json_object_set_new(row, "live", json_bytes(from->path, strlen(from->path))) != 0)
		return NULL;
	return move_ptr(row);
}

static json_t *mounts(const struct sandbox_conf *conf)
{
	auto_json array = json_array();

	for (size_t i = 0; i < conf->nmounts; i++)
		if (json_array_append_new(array, mount(&conf->mounts[i])) != 0)
			return NULL;
	return move_ptr(array);
}

static json_t *program(const struct sock_filter *code, size_t n)
{
	struct digest digest;
	char text[DIGEST_STR_SIZE];
	struct err ignored = { 0 };

	if (hash_bytes(code, n * sizeof *code, &digest, &ignored) != 0)
		return NULL;
	return json_pack("{s:I, s:s}", "instructions", (json_int_t)n, "digest", digest_str(&digest, text));
}

static json_t *seccomp(const struct sandbox_conf *conf)
{
	auto_json all = program(conf->filter, conf->filter_len);

	if (json_object_set_new(all, "learning", json_boolean(conf->learn != NULL)) != 0)
		return NULL;
	if (conf->floor != NULL && json_object_set_new(all, "floor", program(conf->floor, conf->floor_len)) != 0)
		return NULL;
	return move_ptr(all);
}

/** JSON's integers end here; so does what a limit can mean. */
static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t in_force(const struct plan *plan, int resource)
{
	for (size_t i = 0; i < plan->nlimits; i++)
		if (plan->limits[i].resource == resource)
			return plan->limits[i].hard;
	return 0;
}

/** Who keeps a limit that a cgroup keeps, or NULL: nobody does, by best effort. */
static const char *kept_by_cgroup(const struct plan *plan, enum cgroup_controller c)
{
	static const char *const names[][CGROUP_CONTROLLERS] = {
		{ "cgroup v1 memory.limit_in_bytes, memory.memsw.limit_in_bytes", "cgroup v1 cpu.cfs_quota_us",
		  "cgroup v1 pids.max, RLIMIT_NPROC in its own user namespace" },
		{ "cgroup v2 memory.max, memory.swap.max", "cgroup v2 cpu.max",
		  "cgroup v2 pids.max, RLIMIT_NPROC in its own user namespace" },
	};
	const struct cgroup_dir *d = plan->cgroup == NULL ? NULL : plan->cgroup->of[c];

	return d == NULL ? NULL : names[d->version - 1][c];
}

static json_t *limits(const struct sandbox_conf *conf, const struct plan *plan)
{
	const struct sandbox_limits *l = &conf->limits;
	const char *pids_by = kept_by_cgroup(plan, CGROUP_PIDS);
	/* Init is one, and with a cgroup the other is one higher. */
	uint64_t pids = least(in_force(plan, RLIMIT_NPROC) - 1, limit_of(l, SANDBOX_LIMIT_PIDS));
	const struct {
		const char *name;
		uint64_t value; /**< 0: there is no such limit */
		const char *by; /**< NULL: nothing */
	} rows[] = {
		{ "timeoutMs", l->timeout_ms, "timer" },
		{ "memoryBytes", l->memory_bytes, kept_by_cgroup(plan, CGROUP_MEMORY) },
		{ "cpuMillis", l->cpu_millis, kept_by_cgroup(plan, CGROUP_CPU) },
		{ "pids", pids, pids_by != NULL ? pids_by : "RLIMIT_NPROC in its own user namespace" },
		{ "files", in_force(plan, RLIMIT_NOFILE), "RLIMIT_NOFILE" },
		{ "fileBytes", in_force(plan, RLIMIT_FSIZE), "RLIMIT_FSIZE" },
		{ "tmpBytes", strtoull(plan->tmpfs_size, NULL, 10), "tmpfs size" },
		{ "tmpInodes", strtoull(plan->tmpfs_inodes, NULL, 10), "tmpfs nr_inodes" },
		{ "workBytes", limit_of(l, SANDBOX_LIMIT_WORK), WATCHED },
		{ "workFiles", limit_of(l, SANDBOX_LIMIT_WORK_FILES), WATCHED },
		{ "outputBytes", limit_of(l, SANDBOX_LIMIT_OUTPUT), "relay" },
	};
	auto_json all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool enforced = rows[i].by != NULL;

		if (rows[i].value == 0)
			continue;
		json_t *row = json_pack("{s:o, s:s, s:b}", "value", number(rows[i].value), "by",
					enforced ? rows[i].by : "nothing", "enforced", enforced);
		if (json_object_set_new(all, rows[i].name, row) != 0)
			return NULL;
	}
	return move_ptr(all);
}

/** What a step can still see differ between hosts or runs. */
static json_t *free_things(const struct sandbox_conf *conf)
{
	struct statfs fs;
	/* tmpfs lists in the order of creation, reversed; ext4 by a hash of its own, others by chance. */
	bool order = fstatfs(conf->base_fd, &fs) != 0 || fs.f_type != TMPFS_MAGIC;

	return json_pack("[s, s, s, s, s*]", "clock", "cpuFeatures", "randomness", "uname", order ? "readdirOrder" : NULL);
}

static const char *resource_name(int resource)
{
	static const char *const names[] = {
		[RLIMIT_AS] = "RLIMIT_AS", [RLIMIT_CORE] = "RLIMIT_CORE", [RLIMIT_CPU] = "RLIMIT_CPU",
		[RLIMIT_DATA] = "RLIMIT_DATA", [RLIMIT_FSIZE] = "RLIMIT_FSIZE", [RLIMIT_LOCKS] = "RLIMIT_LOCKS",
		[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK", [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
		[RLIMIT_NOFILE] = "RLIMIT_NOFILE", [RLIMIT_NPROC] = "RLIMIT_NPROC", [RLIMIT_RSS] = "RLIMIT_RSS",
		[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO", [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
		[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING", [RLIMIT_STACK] = "RLIMIT_STACK",
	};

	return names[resource];
}

/** Limits that are lower than glovebox's own because the caller's are: raising them takes a privilege. */
static json_t *lowered(const struct plan *plan)
{
	auto_json all = json_object();

	for (size_t i = 0; i < plan->nlimits; i++)
		if (plan->limits[i].lowered &&
		    json_object_set_new(all, resource_name(plan->limits[i].resource), number(plan->limits[i].hard)) != 0)
			return NULL;
	return move_ptr(all);
}

/** What the caller has put on itself, and takes a privilege to lift: said, where it is so. */
static json_t *inherited(const struct plan *plan)
{
	auto_json all = json_object();
	auto_json limits_of_caller = lowered(plan);

	errno = 0;
	int nice = getpriority(PRIO_PROCESS, 0);
	if (errno == 0 && nice > 0 && json_object_set_new(all, "nice", json_integer(nice)) != 0)
		return NULL;
	if (limits_of_caller == NULL || (json_object_size(limits_of_caller) != 0 &&
					 json_object_set(all, "limits", limits_of_caller) != 0))
		return NULL;
	return move_ptr(all);
}

/** Supplementary groups as the command sees them: its own, or 65534 for any other. */
static json_t *seen_groups(void)
{
	auto_json outside = groups();
	auto_json seen = json_array();
	size_t i;
	json_t *group;

	json_array_foreach(outside, i, group) {
		bool own = json_integer_value(group) == (json_int_t)getegid();

		if (json_array_append_new(seen, json_string(own ? "own" : "other")) != 0)
			return NULL;
	}
	return outside == NULL ? NULL : move_ptr(seen);
}

/** Lines of a process's status that tell what it cannot put off: what filters its calls, and what of the processor it does without. */
static bool is_lid(const char *line)
{
	return text_starts(line, "Seccomp") || text_starts(line, "Speculation");
}

/** What of this process no program that it becomes puts off. */
static int read_lids(json_t *all, struct err *err)
{
	auto_buf status = {0}, dumped = {0};
	auto_json lids = json_array();
	char *save = NULL;

	if (io_read_file(AT_FDCWD, "/proc/self/status", STATUS_MAX, &status, err) < 0)
		return -1;
	/* A kernel without core dumps has no such file. */
	if (io_read_file(AT_FDCWD, "/proc/self/coredump_filter", STATUS_MAX, &dumped, err) < 0 && err->sys != ENOENT)
		return -1;
	for (char *line = strtok_r(status.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (is_lid(line) && json_array_append_new(lids, json_string(line)) != 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: telling what is inherited");
	/* -1 where the kernel does not know it. */
	auto_json more = json_pack("{s:O, s:s, s:i}", "status", lids, "coredumpFilter", dumped.len == 0 ? "" : dumped.data,
				   "denyWriteExec", prctl(PR_GET_MDWE, 0, 0, 0, 0));
	return more != NULL && json_object_set(all, "process", more) == 0
		? 0 : err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: telling what is inherited");
}

int sandbox_inherited(const struct sandbox_limits *l, json_t **ret, struct err *err)
{
	auto_plan box = {0};

	if (plan_limits(&box, l, err) < 0)
		return -1;
	auto_json all = inherited(&box.plan);
	auto_json of_groups = seen_groups();
	if (all == NULL || of_groups == NULL || json_object_set(all, "groups", of_groups) != 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: telling what is inherited");
	if (read_lids(all, err) < 0)
		return -1;
	*ret = move_ptr(all);
	return 0;
}

/** The whole but what the caller has left of itself. A NULL among its parts makes it NULL. */
static json_t *whole(const struct sandbox_conf *conf, const struct plan *plan)
{
	return json_pack(
		"{s:o, s:[s,s,s,s,s,s,s], s:{s:o, s:o}, s:o, s:s, s:o, s:o, s:{s:i}, s:o, s:s, s:b, s:[], s:i, s:b, s:o}",
		"kernel", kernel(),
		"namespaces", "user", "mount", "pid", "network", "ipc", "uts", "cgroup",
		"idMap", "uid", id(conf->inner_uid, conf->outer_uid), "gid", id(conf->inner_gid, conf->outer_gid),
		"supplementaryGroups", groups(),
		"rootfs", "readOnly",
		"mounts", mounts(conf),
		"seccomp", seccomp(conf),
		"landlock", "abi", plan->landlock_abi,
		"limits", limits(conf, plan),
		"network", conf->network == SANDBOX_NET_LOOPBACK ? "loopback" : "none",
		"noNewPrivs", 1,
		"capabilities",
		"maxUserNamespaces", 0,
		"space", conf->space != NULL,
		"free", free_things(conf));
}

json_t *receipt_make(const struct sandbox_conf *conf, const struct plan *plan, struct err *err)
{
	auto_json receipt = whole(conf, plan);
	auto_json rest = inherited(plan);

	if (receipt == NULL || rest == NULL ||
	    (json_object_size(rest) != 0 && json_object_set(receipt, "inherited", rest) != 0)) {
		(void)err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: writing the receipt");
		return NULL;
	}
	return move_ptr(receipt);
}

int receipt_refusals(json_t *receipt, bool told, struct err *err)
{
	if (json_object_set_new(json_object_get(receipt, "seccomp"), "refusalsTold", json_boolean(told)) == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: writing the receipt");
}
