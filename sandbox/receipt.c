/* SPDX-License-Identifier: Apache-2.0 */
/* The receipt: what was in force around a command, as JSON (glovebox-provenance(5)). It is made from
 * the plan that the child follows to the letter, or fails; so what it says is what was done. */
#include "sandbox/child.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include <linux/magic.h>
#include <linux/mount.h>

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

/** Kept by an ordinary user, who cannot drop them. */
static json_t *groups(void)
{
	gid_t list[65536 / sizeof(gid_t)];
	int n = getgroups((int)ARRAY_LEN(list), list);
	json_t *array = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(array, json_integer(list[i]));
	return array;
}

static const char *where_name(enum sandbox_where where)
{
	return where == SANDBOX_IN_HOST ? "host" : where == SANDBOX_IN_SPACE ? "space" : "store";
}

static json_t *mounts(const struct sandbox_conf *conf)
{
	json_t *array = json_array();

	for (size_t i = 0; i < conf->nmounts; i++) {
		const struct sandbox_mount *m = &conf->mounts[i];
		bool overlay = m->kind == SANDBOX_OVERLAY;
		const struct sandbox_path *from = overlay ? &m->lowers[0] : &m->source;
		json_t *row = json_pack("{s:s, s:s, s:b, s:s}", "target", m->target, "kind", overlay ? "overlay" : "bind",
					"readOnly", m->kind == SANDBOX_BIND_RO, "source", where_name(from->where));

		/* A live directory of the host's: changes while the command runs, and was hashed by nobody. */
		if (from->where == SANDBOX_IN_HOST)
			json_object_set_new(row, "live", json_bytes(from->path, strlen(from->path)));
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *filter(const struct sandbox_conf *conf, struct err *err)
{
	struct digest digest;
	char text[DIGEST_STR_SIZE];

	if (hash_bytes(conf->filter, conf->filter_len * sizeof *conf->filter, &digest, err) != 0)
		return NULL;
	return json_pack("{s:I, s:s}", "instructions", (json_int_t)conf->filter_len, "digest", digest_str(&digest, text));
}

static json_t *limit(uint64_t value, const char *by)
{
	return json_pack("{s:I, s:s}", "value", (json_int_t)value, "by", by);
}

static uint64_t in_force(const struct plan *plan, int resource)
{
	for (size_t i = 0; i < plan->nlimits; i++)
		if (plan->limits[i].resource == resource)
			return plan->limits[i].hard;
	return 0;
}

static json_t *limits(const struct sandbox_conf *conf, const struct plan *plan)
{
	json_t *all = json_object();

	if (conf->limits.timeout_ms != 0)
		json_object_set_new(all, "timeoutMs", limit(conf->limits.timeout_ms, "timer"));
	json_object_set_new(all, "pids", limit(in_force(plan, RLIMIT_NPROC) - 1, "RLIMIT_NPROC in its own user namespace"));
	json_object_set_new(all, "files", limit(in_force(plan, RLIMIT_NOFILE), "RLIMIT_NOFILE"));
	json_object_set_new(all, "fileBytes", limit(in_force(plan, RLIMIT_FSIZE), "RLIMIT_FSIZE"));
	json_object_set_new(all, "tmpBytes", limit(strtoull(plan->tmpfs_size, NULL, 10), "tmpfs size"));
	json_object_set_new(all, "tmpInodes", limit(strtoull(plan->tmpfs_inodes, NULL, 10), "tmpfs nr_inodes"));
	return all;
}

/** What a step can still see differ between hosts or runs. */
static json_t *free_things(const struct sandbox_conf *conf)
{
	json_t *list = json_pack("[s, s, s, s]", "clock", "cpuFeatures", "randomness", "uname");
	struct statfs fs;

	/* tmpfs lists in the order of creation, reversed; ext4 by a hash of its own, others by chance. */
	if (fstatfs(conf->base_fd, &fs) != 0 || fs.f_type != TMPFS_MAGIC)
		json_array_append_new(list, json_string("readdirOrder"));
	return list;
}

/** A raised nice cannot be lowered again without a privilege: said, where it is so. */
static void add_inherited(json_t *receipt)
{
	errno = 0;
	int nice = getpriority(PRIO_PROCESS, 0);

	if (errno == 0 && nice > 0)
		json_object_set_new(receipt, "inherited", json_pack("{s:i}", "nice", nice));
}

json_t *receipt_make(const struct sandbox_conf *conf, const struct plan *plan, struct err *err)
{
	json_t *bpf = filter(conf, err);

	if (bpf == NULL)
		return NULL;
	json_t *receipt = json_pack(
		"{s:o, s:[s,s,s,s,s,s,s], s:{s:o, s:o}, s:o, s:s, s:o, s:o, s:{s:i}, s:o, s:s, s:b, s:[], s:b, s:o}",
		"kernel", kernel(),
		"namespaces", "user", "mount", "pid", "network", "ipc", "uts", "cgroup",
		"idMap", "uid", id(conf->inner_uid, conf->outer_uid), "gid", id(conf->inner_gid, conf->outer_gid),
		"supplementaryGroups", groups(),
		"rootfs", "readOnly",
		"mounts", mounts(conf),
		"seccomp", bpf,
		"landlock", "abi", plan->landlock_abi,
		"limits", limits(conf, plan),
		"network", conf->network == SANDBOX_NET_LOOPBACK ? "loopback" : "none",
		"noNewPrivs", 1,
		"capabilities",
		"space", conf->space != NULL,
		"free", free_things(conf));
	if (receipt == NULL) {
		(void)err_set(err, ERR_INTERNAL, ENOMEM, "sandbox: writing the receipt");
		return NULL;
	}
	add_inherited(receipt);
	return receipt;
}
