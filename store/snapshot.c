/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** A walk through a directory. */
struct walk {
	struct snapshot *shared;
	const struct snapshot_options *opt;
	struct buf *path;              /**< of the entry at hand, from the root */
};

static int walk_entries(struct walk *w, DIR *dir, struct err *err);
static int walk_in_order(struct walk *w, DIR *dir, struct err *err);

static const char *shown_path(const struct walk *w)
{
	return w->path->len == 0 ? "." : w->path->data;
}

/** An error of reading the entry at hand. */
static int fail(const struct walk *w, int sys, const char *doing, struct err *err)
{
	return snapshot_failed(shown_path(w), sys, doing, err);
}

/** Whether the file at hand is known without being read: then its entry is added. */
static int take_known(struct walk *w, int dirfd, const char *name, bool *ret, struct err *err)
{
	struct stat st;

	*ret = false;
	if (w->shared->cache == NULL)
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, errno, "read", err);
	return snapshot_add_known(w->shared, w->path->data, &st, ret, err);
}

/** Opens the file at hand. O_NONBLOCK: a fifo put here meanwhile must not make us wait. */
static int open_file(const struct walk *w, int dirfd, const char *name, int *ret, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return fail(w, errno, "read", err);
	*ret = fd;
	return 0;
}

/** Hands the file at hand to the visitor. */
static int show_file(struct walk *w, int dirfd, const char *name, struct err *err)
{
	auto_fd fd = -1;

	return open_file(w, dirfd, name, &fd, err) < 0 ? -1 : snapshot_show_file(w->shared, fd, w->path->data, err);
}

/** Opens the file at hand and leaves it to the crew. */
static int take_file(struct walk *w, int dirfd, const char *name, struct err *err)
{
	bool known;

	if (w->opt->visit != NULL)
		return show_file(w, dirfd, name, err);
	if (take_known(w, dirfd, name, &known, err) < 0)
		return -1;
	if (known)
		return 0;
	auto_free char *path = strdup(w->path->data);
	auto_fd fd = -1, copy = -1;
	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read '" SHOWN "'", w->path->data);
	if (open_file(w, dirfd, name, &fd, err) < 0 || snapshot_make_copy(w->shared, fd, path, &copy, err) < 0)
		return -1;
	const struct snapshot_job job = { .fd = move_fd(&fd), .copy = move_fd(&copy), .path = move_ptr(path) };
	return crew_give(w->shared->crew, &job, NULL, err);
}

static int take_link(struct walk *w, int dirfd, const char *name, struct err *err)
{
	char target[TREE_LINK_MAX + 2];
	struct stat st;
	struct tree_entry e = { .path = w->path->data, .type = TREE_LINK, .link = target };
	ssize_t n = readlinkat(dirfd, name, target, sizeof target - 1);

	if (n < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, n < 0 && errno == EINVAL ? ENOENT : errno, "read link", err);
	target[n] = '\0';
	return snapshot_add(w->shared, &e, &st, err);
}

static int add_dir(struct walk *w, int fd, const char *path, struct err *err)
{
	struct stat st;
	struct tree_entry e = { .path = path, .type = TREE_DIR };

	if (fstat(fd, &st) < 0)
		return fail(w, errno, "read directory", err);
	return snapshot_add(w->shared, &e, &st, err);
}

/** Whether entries are met in a manifest's order. */
static bool in_order(const struct walk *w)
{
	return w->opt->visit != NULL || w->opt->copy != NULL;
}

/** Adds the directory @p fd, taken over, and all below it. */
static int walk_dir(struct walk *w, int fd, struct err *err)
{
	const struct snapshot_filter *filter = w->opt->filter;
	auto_fd own = fd;
	auto_dir dir = fdopendir(fd);

	if (dir == NULL)
		return fail(w, errno, "read directory", err);
	move_fd(&own);
	/* In order, a directory comes before others whose names go on from its own, and what lies below it after them. */
	if ((!in_order(w) || w->path->len == 0) && add_dir(w, fd, shown_path(w), err) < 0)
		return -1;
	if (filter != NULL && filter->enter != NULL && filter->enter(filter->arg, fd, shown_path(w), err) < 0)
		return -1;
	int result = in_order(w) ? walk_in_order(w, dir, err) : walk_entries(w, dir, err);
	if (filter != NULL && filter->leave != NULL)
		filter->leave(filter->arg);
	return result;
}

static int take_dir(struct walk *w, int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? fail(w, errno, "read directory", err) : walk_dir(w, fd, err);
}

static int take_odd(struct walk *w, unsigned char type, struct err *err)
{
	if (!w->opt->skip_odd)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is neither file, directory nor link: remove it, or exclude it",
			       w->path->data);
	snapshot_skip_odd(w->shared, w->path->data, DTTOIF(type));
	return 0;
}

/** The type of an entry as readdir(3) tells it, where the file system does. */
static int type_of(struct walk *w, int dirfd, const struct dirent *d, unsigned char *ret, struct err *err)
{
	struct stat st;

	*ret = d->d_type;
	if (d->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, errno, "read", err);
	*ret = IFTODT(st.st_mode);
	return 0;
}

static bool is_skipped(const struct walk *w, bool is_dir)
{
	const struct snapshot_filter *filter = w->opt->filter;

	return filter != NULL && filter->skip != NULL && filter->skip(filter->arg, w->path->data, is_dir);
}

static int take_entry(struct walk *w, int dirfd, const char *name, unsigned char type, struct err *err)
{
	switch (type) {
	case DT_DIR: return take_dir(w, dirfd, name, err);
	case DT_REG: return take_file(w, dirfd, name, err);
	case DT_LNK: return take_link(w, dirfd, name, err);
	default: return take_odd(w, type, err);
	}
}

/** Appends @p name to the path. Cut it off again with buf_seal(). */
static int append_name(struct walk *w, const char *name, struct err *err)
{
	if (w->path->len != 0)
		buf_addc(w->path, '/');
	buf_adds(w->path, name);
	return buf_check(w->path, "path", err);
}

/** What a directory's entries are for. */
typedef int entry_fn(struct walk *w, void *arg, int dirfd, const char *name, unsigned char type, struct err *err);

static int take_now(struct walk *w, void *arg, int dirfd, const char *name, unsigned char type, struct err *err)
{
	(void)arg;
	return take_entry(w, dirfd, name, type, err);
}

/** With the path at the entry, unless the filter leaves it out. */
static int at_entry(struct walk *w, int dirfd, const struct dirent *d, entry_fn *fn, void *arg, struct err *err)
{
	size_t len = w->path->len;
	unsigned char type;

	if (append_name(w, d->d_name, err) < 0 || type_of(w, dirfd, d, &type, err) < 0 ||
	    (!is_skipped(w, type == DT_DIR) && fn(w, arg, dirfd, d->d_name, type, err) < 0))
		return -1;
	buf_seal(w->path, len);
	return 0;
}

static int read_entries(struct walk *w, DIR *dir, entry_fn *fn, void *arg, struct err *err)
{
	for (;;) {
		errno = 0;
		struct dirent *d = readdir(dir);

		if (d == NULL)
			return errno == 0 ? 0 : fail(w, errno, "read directory", err);
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (at_entry(w, dirfd(dir), d, fn, arg, err) < 0)
			return -1;
	}
}

static int walk_entries(struct walk *w, DIR *dir, struct err *err)
{
	return read_entries(w, dir, take_now, NULL, err);
}

/* ---- in order --------------------------------------------------------- */

/** An entry of a directory. A directory among them comes twice: as itself, and with a slash behind its name as what lies below it. Sorted by
 *  that they are in a manifest's order: "a", "a-b", "a/c". */
struct item {
	size_t at;            /**< of its name */
	unsigned char type;
};

struct items {
	struct buf names;     /**< each with its NUL */
	struct item *v;
	size_t n, cap;
};

static void items_clear(struct items *items)
{
	buf_free(&items->names);
	free(items->v);
}
#define auto_items __attribute__((cleanup(items_clear))) struct items

static bool add_item(struct items *items, const char *name, const char *end, unsigned char type)
{
	if (!array_room(&items->v, items->n, &items->cap))
		return false;
	items->v[items->n++] = (struct item){ items->names.len, type };
	buf_adds(&items->names, name);
	buf_adds(&items->names, end);
	buf_addc(&items->names, '\0');
	return !items->names.failed;
}

static int take_later(struct walk *w, void *arg, int dirfd, const char *name, unsigned char type, struct err *err)
{
	struct items *items = arg;

	(void)dirfd;
	if (!add_item(items, name, "", type) || (type == DT_DIR && !add_item(items, name, "/", type)))
		return err_set(err, ERR_INTERNAL, ENOMEM, "read directory '" SHOWN "'", shown_path(w));
	return 0;
}

static int by_name(const void *a, const void *b, void *names)
{
	return strcmp((const char *)names + ((const struct item *)a)->at, (const char *)names + ((const struct item *)b)->at);
}

/** The directory at hand, without what is below it. */
static int take_dir_alone(struct walk *w, int dirfd, const char *name, struct err *err)
{
	struct stat st;
	struct tree_entry e = { .path = w->path->data, .type = TREE_DIR };

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, errno, "read directory", err);
	return S_ISDIR(st.st_mode) ? snapshot_add(w->shared, &e, &st, err) : fail(w, ENOTDIR, "read directory", err);
}

static int take_item(struct walk *w, int dirfd, char *name, unsigned char type, struct err *err)
{
	size_t len = w->path->len, n = strlen(name);
	bool below = name[n - 1] == '/';

	if (below)
		name[n - 1] = '\0';
	if (append_name(w, name, err) < 0 ||
	    (type == DT_DIR && !below ? take_dir_alone(w, dirfd, name, err) : take_entry(w, dirfd, name, type, err)) < 0)
		return -1;
	buf_seal(w->path, len);
	return 0;
}

static int walk_in_order(struct walk *w, DIR *dir, struct err *err)
{
	auto_items items = {0};

	if (read_entries(w, dir, take_later, &items, err) < 0)
		return -1;
	if (items.n > 0)
		qsort_r(items.v, items.n, sizeof *items.v, by_name, items.names.data);
	for (size_t i = 0; i < items.n; i++)
		if (take_item(w, dirfd(dir), items.names.data + items.v[i].at, items.v[i].type, err) < 0)
			return -1;
	return 0;
}

/** Walks all, and waits for what the crew still reads. */
static int walk_all(struct snapshot *s, int root, struct err *err)
{
	auto_buf path = {0};
	struct walk w = { .shared = s, .opt = s->opt, .path = &path };

	if (walk_dir(&w, root, err) < 0 || (s->crew != NULL && crew_finish(s->crew, err) < 0))
		return -1;
	if (s->cache != NULL)
		statcache_save(s->cache);
	return 0;
}

int store_snapshot(struct store *store, int dirfd, const struct snapshot_options *opt, struct tree_builder *b,
		   struct snapshot_stats *ret, struct err *err)
{
	struct snapshot s;
	/* A descriptor of its own, with its own place among the entries. */
	auto_fd root = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_set(err, ERR_INPUT, errno, "read directory '.'");
	if (snapshot_begin(&s, store, root, opt, b, err) < 0)
		return -1;
	int result = walk_all(&s, move_fd(&root), err);
	snapshot_end(&s);
	if (result == 0)
		*ret = s.stats;
	return result;
}
