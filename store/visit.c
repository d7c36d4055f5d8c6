/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char *const names[STORE_KINDS] = {
	[STORE_OBJECTS] = "objects", [STORE_TREES] = "trees", [STORE_RESULTS_KIND] = STORE_RESULTS, [STORE_ROOTFS] = "rootfs",
	[STORE_DERIVED] = "derived", [STORE_NAMES] = "names",
};

const char *store_kind_name(enum store_kind kind)
{
	return names[kind];
}

typedef int visit_fn(void *arg, const struct store_thing *t, struct err *err);

/** What a walk of one folder knows. */
struct walk {
	enum store_kind kind;
	const char *folder;      /**< below the store */
	const char *prefix;      /**< of objects: the two digits that their directory is called by */
	visit_fn *fn;
	void *arg;
};

/** Whether a thing of that kind can have this name; takes the digest out of it. */
static bool is_named_so(const struct walk *w, const char *name, struct digest *ret)
{
	char hex[DIGEST_HEX_SIZE];

	if (name[0] == '.')
		return false;
	if (w->kind != STORE_OBJECTS && w->kind != STORE_TREES && w->kind != STORE_ROOTFS)
		return true;
	int n = snprintf(hex, sizeof hex, "%s%s", w->prefix, name);
	return n == DIGEST_HEX_SIZE - 1 && digest_parse_hex(hex, ret);
}

static int visit_entry(const struct walk *w, int dirfd, const char *name, struct err *err)
{
	char path[NAME_MAX + 64];
	struct store_thing t = { .kind = w->kind, .name = name, .dirfd = dirfd, .path = path };

	if (!is_named_so(w, name, &t.digest))
		return 0;
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	/* Somebody may just have removed or replaced it. */
	if (fstatat(dirfd, name, &t.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_INTERNAL, errno, "look at %s in the store", path);
	return w->fn(w->arg, &t, err);
}

/** Opens a folder of the store; NULL with `ret_none` where it is not there. */
static DIR *open_folder(struct store *store, const char *folder, bool *ret_none, struct err *err)
{
	auto_fd fd = openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	*ret_none = dir == NULL && (errno == ENOENT || errno == ENOTDIR);
	if (dir == NULL)
		(void)err_set(err, ERR_INTERNAL, errno, "read %s in the store", folder);
	else
		(void)move_fd(&fd);
	return dir;
}

static int visit_folder(struct store *store, const struct walk *w, struct err *err)
{
	const struct dirent *e;
	bool none;
	auto_dir dir = open_folder(store, w->folder, &none, err);

	if (dir == NULL)
		return none ? 0 : -1;
	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0)
		if (visit_entry(w, dirfd(dir), e->d_name, err) < 0)
			return -1;
	return errno == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "read %s in the store", w->folder);
}

/** Objects lie in 256 directories. */
static int visit_objects(struct store *store, struct walk *w, struct err *err)
{
	char folder[sizeof "objects/ab"], prefix[3];

	for (unsigned i = 0; i < 256; i++) {
		snprintf(prefix, sizeof prefix, "%02x", i);
		snprintf(folder, sizeof folder, "objects/%.2s", prefix);
		w->folder = folder;
		w->prefix = prefix;
		if (visit_folder(store, w, err) < 0)
			return -1;
	}
	return 0;
}

int store_visit(struct store *store, enum store_kind kind, visit_fn *fn, void *arg, struct err *err)
{
	struct walk w = { .kind = kind, .folder = names[kind], .prefix = "", .fn = fn, .arg = arg };

	return kind == STORE_OBJECTS ? visit_objects(store, &w, err) : visit_folder(store, &w, err);
}

uint64_t store_thing_bytes(struct store *store, const struct store_thing *t)
{
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	struct err ignored = {0};
	uint64_t bytes = 0;

	if (t->kind != STORE_ROOTFS)
		return (uint64_t)t->st.st_blocks * 512;
	if (store_peek_tree(store, &t->digest, &reader, &ignored) < 0)
		return 0;
	while (tree_reader_next(reader, &e, &ignored) > 0)
		bytes += e.type == TREE_FILE ? (e.size + 4095) / 4096 * 4096 : 0;
	return bytes;
}
