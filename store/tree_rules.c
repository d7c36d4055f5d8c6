/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

static size_t common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

const char *tree_path_fault(const char *path)
{
	size_t depth = 0;

	if (strlen(path) > TREE_PATH_MAX)
		return "the path is longer than 4096 bytes";
	if (!text_path_is_clean(path))
		return "the path is not a clean relative one";
	for (const char *p = path; *p != '\0'; depth++) {
		size_t n = strcspn(p, "/");

		if (n > TREE_NAME_MAX)
			return "a name in the path is longer than 255 bytes";
		p += n + (p[n] == '/');
	}
	return depth > TREE_DEPTH_MAX ? "the path is deeper than 256 directories" : NULL;
}

static const char *entry_fault(const struct tree_entry *e)
{
	if (strcmp(e->path, ".") == 0)
		return e->type == TREE_DIR ? NULL : "the root is not a directory";
	return tree_path_fault(e->path);
}

static const char *value_fault(const struct tree_entry *e)
{
	if (e->uid > TREE_ID_MAX || e->gid > TREE_ID_MAX)
		return "the owner or group is no id";
	if (e->type != TREE_LINK && (e->mode & ~TREE_MODE_BITS) != 0)
		return "the mode has more than permissions and the sticky bit";
	if (e->type == TREE_FILE && e->size > INT64_MAX)
		return "the size is no file's";
	if (e->type == TREE_LINK && (e->link == NULL || e->link[0] == '\0' || strlen(e->link) > TREE_LINK_MAX))
		return "the link's target is empty or longer than 4095 bytes";
	return NULL;
}

int tree_entry_check(const struct tree_entry *e, enum err_kind kind, const char *what, struct err *err)
{
	const char *fault = entry_fault(e);

	if (fault == NULL)
		fault = value_fault(e);
	if (fault == NULL)
		return 0;
	return err_set(err, kind, 0, "%s: '" SHOWN "': %s", what, e->path, fault);
}

/** Whether the directory that holds @p path is among those that can still get entries. */
static bool has_parent(const struct tree_order *o, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return true;
	for (size_t i = o->ndirs; i > 0 && o->dirs[i - 1] >= slash - path; i--)
		if (o->dirs[i - 1] == slash - path)
			return true;
	return false;
}

const char *tree_order_next(struct tree_order *o, const char *path, bool is_dir)
{
	size_t len = strlen(path);
	size_t common = common_prefix(o->last, path);

	if (o->last_len != 0 && common == o->last_len && common == len)
		return "the path comes twice";
	if (o->last_len != 0 && (unsigned char)o->last[common] > (unsigned char)path[common])
		return "the path is not in bytewise order";
	while (o->ndirs > 0 && o->dirs[o->ndirs - 1] > common)
		o->ndirs--;
	if (!has_parent(o, path))
		return "the directory that holds it is not an entry before it, or not a directory";
	if (is_dir)
		o->dirs[o->ndirs++] = (uint16_t)len;
	memcpy(o->last, path, len + 1);
	o->last_len = len;
	return NULL;
}
