/* SPDX-License-Identifier: Apache-2.0 */
/* conf->mounts → rows, with mount points where the rootfs has none at top level (parent's side). */
#include "sandbox/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/mount.h>

#define HARMLESS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/** A target is UTF-8: the receipt names every mount, and JSON holds nothing else. */
static int check_target(const char *target, struct err *err)
{
	static const char *const ours[] = { "/dev", "/proc", "/sys" };

	if (target != NULL && !text_is_utf8(target))
		return err_set(err, ERR_USAGE, 0, "mount on '%s': must be UTF-8", target);
	if (target == NULL || !text_path_is_absolute(target) || target[1] == '\0')
		return err_set(err, ERR_USAGE, 0, "mount on '%s': must be an absolute clean path other than '/'",
			       target == NULL ? "" : target);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (text_path_is_below(target, ours[i]))
			return err_set(err, ERR_USAGE, 0, "mount on '%s': nothing can be mounted in %s", target, ours[i]);
	return 0;
}

/** Whether the rootfs has a directory where a target begins. ERR_USAGE when it has something else there. */
static int find_in_rootfs(int rootfs, const char *target, bool *ret, struct err *err)
{
	char name[NAME_MAX + 1];
	size_t len = strcspn(target + 1, "/");
	struct stat st;

	if (len > NAME_MAX)
		return err_set(err, ERR_USAGE, 0, "mount on '%s': a name in it is longer than %d bytes", target, NAME_MAX);
	memcpy(name, target + 1, len);
	name[len] = '\0';
	*ret = fstatat(rootfs, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*ret && errno != ENOENT)
		return err_set(err, ERR_INPUT, errno, "rootfs: looking at /%s", name);
	if (*ret && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, 0, "mount on '%s': '/%s' is %s in the rootfs, not a directory", target, name,
			       skeleton_type_name(st.st_mode));
	return 0;
}

/** Makes the mount point where that is the skeleton's business: at top level, or below what was made there for another mount.
 *  Below a directory of the rootfs or of an earlier mount nothing can be made: the child finds out whether it is there. */
static int make_target(struct plan_box *box, int rootfs, const char *target, struct err *err)
{
	const char *end = target;
	bool in_rootfs;

	if (find_in_rootfs(rootfs, target, &in_rootfs, err) != 0)
		return -1;
	do {
		bool top = end == target;

		end += 1 + strcspn(end + 1, "/");
		const char *path = plan_str(box, "root%.*s", (int)(end - target), target);
		struct make *made = path == NULL ? NULL : plan_find_make(box, path);
		if (made == NULL && top && in_rootfs)
			return 0;
		if (made == NULL) {
			if (plan_add_make(box, (struct make){ .kind = MAKE_DIR, .path = path, .mode = 0755 }, err) != 0)
				return -1;
			made = &box->makes[box->plan.nmakes - 1];
		}
		if (*end == '\0')
			made->foreign = true;
		else if (made->foreign)
			return 0;
	} while (*end != '\0');
	return 0;
}

static int take_place(const struct sandbox_path *from, const struct sandbox_conf *conf, const char *target,
		      struct place *ret, struct err *err)
{
	const char *path = from->path;

	if (path == NULL)
		return err_set(err, ERR_USAGE, 0, "mount on '%s': a source is missing", target);
	switch (from->where) {
	case SANDBOX_IN_HOST:
		if (conf->space != NULL)
			return err_set(err, ERR_USAGE, 0, "mount on '%s': a live host directory cannot be used in a space", target);
		if (path[0] != '/')
			return err_set(err, ERR_USAGE, 0, "mount on '%s': host path '%s' is not absolute", target, path);
		*ret = (struct place){ PLACE_HOST, path };
		return 0;
	case SANDBOX_IN_SPACE:
		if (conf->space == NULL)
			return err_set(err, ERR_USAGE, 0, "mount on '%s': '%s' is in a space, but none is given", target, path);
		*ret = (struct place){ PLACE_TREES, path };
		break;
	case SANDBOX_IN_BASE:
		*ret = (struct place){ PLACE_BASE, path };
		break;
	default:
		return err_set(err, ERR_USAGE, 0, "mount on '%s': unknown kind of source", target);
	}
	if (!text_path_is_clean(path))
		return err_set(err, ERR_USAGE, 0, "mount on '%s': source '%s' is not a clean relative path", target, path);
	return 0;
}

static int take_overlay(struct plan_box *box, const struct sandbox_mount *m, const struct sandbox_conf *conf,
			const struct overlay **ret, struct err *err)
{
	struct overlay *o = plan_alloc(box, sizeof *o);

	if (o == NULL)
		return plan_no_memory(err);
	if (m->nlowers == 0 || m->nlowers > SANDBOX_LOWERS_MAX)
		return err_set(err, ERR_USAGE, 0, "mount on '%s': an overlay has 1 to %d lower layers, not %zu", m->target,
			       SANDBOX_LOWERS_MAX, m->nlowers);
	for (size_t i = 0; i < m->nlowers; i++)
		if (take_place(&m->lowers[i], conf, m->target, &o->lowers[i], err) != 0)
			return -1;
	o->nlowers = m->nlowers;
	if (take_place(&m->upper, conf, m->target, &o->upper, err) != 0 ||
	    take_place(&m->work, conf, m->target, &o->work, err) != 0 || overlay_options(box, o, err) != 0)
		return -1;
	*ret = o;
	return 0;
}

/** A directory of the base is shown as an overlay of itself and nothing: a bind of it would tell where in the host it lies. */
static int take_snapshot(struct plan_box *box, const struct place *from, const struct overlay **ret, struct err *err)
{
	struct overlay *o = plan_alloc(box, sizeof *o);

	if (o == NULL)
		return plan_no_memory(err);
	o->lowers[0] = *from;
	o->lowers[1] = (struct place){ PLACE_SKELETON, "void" };
	o->nlowers = 2;
	*ret = o;
	return overlay_options(box, o, err);
}

static int take_bind(struct plan_box *box, const struct sandbox_mount *m, const struct sandbox_conf *conf, struct row *row,
		     struct err *err)
{
	row->kind = ROW_BIND;
	if (take_place(&m->source, conf, m->target, &row->from, err) != 0)
		return -1;
	row->recursive = row->from.where == PLACE_HOST;
	if (m->kind != SANDBOX_BIND_RO)
		return 0;
	row->set |= MOUNT_ATTR_RDONLY;
	if (row->from.where != PLACE_BASE)
		return 0;
	row->kind = ROW_OVERLAY;
	return take_snapshot(box, &row->from, &row->overlay, err);
}

static int add_mount(struct plan_box *box, int rootfs, const struct sandbox_conf *conf, size_t i, struct err *err)
{
	const struct sandbox_mount *m = &conf->mounts[i];

	if (check_target(m->target, err) != 0)
		return -1;
	struct row row = { .target = m->target + 1, .set = HARMLESS, .view = m->want_view, .user = (int)i };
	switch (m->kind) {
	case SANDBOX_BIND_RO:
	case SANDBOX_BIND_RW:
		if (take_bind(box, m, conf, &row, err) != 0)
			return -1;
		break;
	case SANDBOX_OVERLAY:
		row.kind = ROW_OVERLAY;
		if (take_overlay(box, m, conf, &row.overlay, err) != 0)
			return -1;
		break;
	default:
		return err_set(err, ERR_USAGE, 0, "mount on '%s': unknown kind", m->target);
	}
	if (make_target(box, rootfs, m->target, err) != 0)
		return -1;
	return plan_add_row(box, row, err);
}

int skeleton_mounts(struct plan_box *box, int rootfs, const struct sandbox_conf *conf, struct err *err)
{
	size_t views = 0;

	for (size_t i = 0; i < conf->nmounts; i++) {
		views += conf->mounts[i].want_view;
		if (add_mount(box, rootfs, conf, i, err) != 0)
			return -1;
	}
	if (views > 1)
		return err_set(err, ERR_USAGE, 0, "sandbox: a view of more than one mount was asked for");
	return 0;
}
