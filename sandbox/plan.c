/* SPDX-License-Identifier: Apache-2.0 */
/* conf → plan: what a caller asks for, checked, as constant tables for the child. */
#include "sandbox/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "profiles/profiles.h"

/** Linux's own bound on a host name (HOST_NAME_MAX). */
#define HOSTNAME_MAX 64

void plan_clear(struct plan_box *box)
{
	for (size_t i = 0; i < box->nowned; i++)
		free(box->owned[i]);
	free(box->owned);
	free(box->makes);
	free(box->rows);
	*box = (struct plan_box){ 0 };
}

/** Takes over @p p, which may be NULL. */
static void *own(struct plan_box *box, void *p)
{
	if (p == NULL)
		return NULL;
	if (!array_room(&box->owned, box->nowned, &box->owned_cap)) {
		free(p);
		return NULL;
	}
	box->owned[box->nowned++] = p;
	return p;
}

const char *plan_str(struct plan_box *box, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : own(box, s);
}

void *plan_alloc(struct plan_box *box, size_t n)
{
	return own(box, calloc(1, n == 0 ? 1 : n));
}

int plan_no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "planning the sandbox");
}

int plan_add_make(struct plan_box *box, struct make make, struct err *err)
{
	if (make.path == NULL || (make.kind == MAKE_LINK && make.text == NULL) ||
	    !array_room(&box->makes, box->plan.nmakes, &box->makes_cap))
		return plan_no_memory(err);
	box->makes[box->plan.nmakes++] = make;
	box->plan.makes = box->makes;
	return 0;
}

int plan_add_row(struct plan_box *box, struct row row, struct err *err)
{
	if (row.target == NULL || !array_room(&box->rows, box->plan.nrows, &box->rows_cap))
		return plan_no_memory(err);
	box->rows[box->plan.nrows++] = row;
	box->plan.rows = box->rows;
	return 0;
}

struct make *plan_find_make(const struct plan_box *box, const char *path)
{
	for (size_t i = 0; i < box->plan.nmakes; i++)
		if (strcmp(box->makes[i].path, path) == 0)
			return &box->makes[i];
	return NULL;
}

/* ---- what a caller may ask for ----------------------------------------- */

int plan_refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_USAGE, 0, "sandbox: %s", what);
}

static bool is_hostname(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");

	return n != 0 && n <= HOSTNAME_MAX && s[n] == '\0';
}

static int check_conf(const struct sandbox_conf *conf, struct err *err)
{
	if (conf->mountpoint == NULL || !text_path_is_clean(conf->mountpoint))
		return plan_refuse(err, "the mount point must be a clean path below the base directory");
	if (conf->rootfs == NULL || !text_path_is_clean(conf->rootfs))
		return plan_refuse(err, "the rootfs must be a clean path below the base directory");
	if (conf->argv == NULL || conf->argv[0] == NULL || conf->argv[0][0] == '\0')
		return plan_refuse(err, "no command given");
	if (conf->envp == NULL)
		return plan_refuse(err, "no environment given");
	if (conf->workdir == NULL || !text_path_is_absolute(conf->workdir))
		return plan_refuse(err, "the work directory must be an absolute clean path");
	if (conf->hostname == NULL || !is_hostname(conf->hostname))
		return plan_refuse(err, "the host name must be 1 to 64 letters, digits, dots and hyphens");
	if (conf->filter == NULL || conf->filter_len == 0 || conf->filter_len > PROFILE_BPF_MAX)
		return plan_refuse(err, "a seccomp filter of 1 to 4096 instructions is required");
	if ((conf->floor == NULL) != (conf->floor_len == 0) || conf->floor_len > PROFILE_BPF_MAX)
		return plan_refuse(err, "a floor below the seccomp filter has 1 to 4096 instructions");
	if (conf->nmounts > PLAN_MOUNTS_MAX)
		return plan_refuse(err, "more than 256 mounts");
	if (conf->network != SANDBOX_NET_NONE && conf->network != SANDBOX_NET_LOOPBACK)
		return plan_refuse(err, "unknown network");
	return 0;
}

/* ---- parts of the plan --------------------------------------------------- */

/** user_namespaces(7): one id, inner to outer. */
static int make_ids(struct plan_box *box, uid_t inner_uid, uid_t outer_uid, gid_t inner_gid, gid_t outer_gid,
		    struct err *err)
{
	struct plan *plan = &box->plan;

	plan->uid = inner_uid;
	plan->gid = inner_gid;
	plan->uid_map = plan_str(box, "%u %u 1", inner_uid, outer_uid);
	plan->gid_map = plan_str(box, "%u %u 1", inner_gid, outer_gid);
	return plan->uid_map == NULL || plan->gid_map == NULL ? plan_no_memory(err) : 0;
}

static int make_tmpfs(struct plan_box *box, const char *mountpoint, uint64_t bytes, uint64_t inodes, struct err *err)
{
	struct plan *plan = &box->plan;

	plan->mountpoint = mountpoint;
	plan->layer = plan_str(box, "%s/layer", mountpoint);
	plan->tmpfs_size = plan_str(box, "%" PRIu64, bytes);
	plan->tmpfs_inodes = plan_str(box, "%" PRIu64, inodes);
	return plan->layer == NULL || plan->tmpfs_size == NULL || plan->tmpfs_inodes == NULL ? plan_no_memory(err) : 0;
}

static void no_descriptors(struct plan *plan)
{
	plan->base_fd = plan->proc_fd = plan->sock = plan->out = plan->err = -1;
	plan->userns = plan->mntns = -1;
}

static int make_step(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	struct plan *plan = &box->plan;
	auto_fd rootfs = -1;

	if (conf->space != NULL)
		/* The space's own map has made the outer ids inner ones already. */
		make_ids(box, conf->inner_uid, conf->inner_uid, conf->inner_gid, conf->inner_gid, err);
	else
		make_ids(box, conf->inner_uid, conf->outer_uid, conf->inner_gid, conf->outer_gid, err);
	if (plan->uid_map == NULL || plan->gid_map == NULL)
		return -1;
	if (make_tmpfs(box, conf->mountpoint, limit_of(&conf->limits, SANDBOX_LIMIT_TMP),
		       limit_of(&conf->limits, SANDBOX_LIMIT_TMP_FILES), err) != 0 ||
	    plan_command(box, conf, err) != 0 || plan_limits(box, &conf->limits, err) != 0 ||
	    plan_landlock(box, conf, err) != 0 || plan_wipe(plan, err) != 0)
		return -1;
	if (io_open_dir(conf->base_fd, conf->rootfs, &rootfs, err) != 0)
		return err_ctx(err, "sandbox: rootfs");
	if (skeleton_fixed(box, err) != 0 || skeleton_etc(box, conf, err) != 0 || skeleton_root(box, rootfs, err) != 0 ||
	    skeleton_rows(box, conf, err) != 0 || skeleton_mounts(box, rootfs, conf, err) != 0)
		return -1;
	return 0;
}

int plan_make(const struct sandbox_conf *conf, struct plan_box *ret, struct err *err)
{
	if (check_conf(conf, err) != 0)
		return -1;
	auto_plan box = { 0 };
	struct plan *plan = &box.plan;
	no_descriptors(plan);
	plan->kind = PLAN_STEP;
	plan->rootfs = conf->rootfs;
	plan->hostname = conf->hostname;
	plan->loopback = conf->network == SANDBOX_NET_LOOPBACK;
	if (plan_vary(&box, conf, err) != 0 || plan_filter(&box, conf, err) != 0 || make_step(&box, conf, err) != 0)
		return -1;
	*ret = box;
	ret->plan.limits = ret->limits; /* it pointed into the box that is left behind */
	box = (struct plan_box){ 0 };
	return 0;
}

int plan_make_space(const struct sandbox_space_conf *conf, struct plan_box *ret, struct err *err)
{
	if (conf->mountpoint == NULL || !text_path_is_clean(conf->mountpoint))
		return plan_refuse(err, "the space's mount point must be a clean path below the base directory");
	if (conf->tmpfs_bytes == 0 || conf->tmpfs_inodes == 0)
		return plan_refuse(err, "a space needs a limit of bytes and of inodes");
	auto_plan box = { 0 };
	no_descriptors(&box.plan);
	box.plan.kind = PLAN_SPACE;
	if (make_ids(&box, conf->inner_uid, conf->outer_uid, conf->inner_gid, conf->outer_gid, err) != 0 ||
	    make_tmpfs(&box, conf->mountpoint, conf->tmpfs_bytes, conf->tmpfs_inodes, err) != 0 ||
	    plan_wipe(&box.plan, err) != 0 || skeleton_space(&box, err) != 0)
		return -1;
	*ret = box;
	box = (struct plan_box){ 0 };
	return 0;
}
