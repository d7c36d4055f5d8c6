/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/upper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/array.h"

/** What overlayfs notes on files of an upper: "user." because it is mounted in a user namespace. */
#define OVERLAY_XATTR "user.overlay."
#define OPAQUE OVERLAY_XATTR "opaque"
/** Room for the names of a file's attributes: more than overlayfs has. */
#define XATTR_ROOM 512

/** One entry. */
struct item {
	char *path;           /**< "." for the root */
	char type;            /**< as in the text */
	struct stat st;
	const char *target;   /**< type h: path of another entry */
};

struct record {
	struct item *v;
	size_t n, cap;
	uint64_t bytes;       /**< of all paths */
	struct buf path;
	size_t depth;
};

static void record_clear(struct record *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].path);
	free(r->v);
	buf_free(&r->path);
}

static int fail(const struct record *r, int sys, struct err *err)
{
	return err_set(err, ERR_INTERNAL, sys, "write down '%.1000s'", r->path.data);
}

static int refuse(const struct record *r, const char *why, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "'%.1000s': %s", r->path.data, why);
}

/** Whether an attribute is one that overlayfs makes in any upper, and does well without in a lower. */
static bool is_usual(const char *name)
{
	static const char *const usual[] = { OPAQUE, OVERLAY_XATTR "origin", OVERLAY_XATTR "impure", OVERLAY_XATTR "nlink", OVERLAY_XATTR "uuid" };

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (strcmp(name, usual[i]) == 0)
			return true;
	return !text_starts(name, "user.") && !text_starts(name, "system.posix_acl");
}

/** Looks at a directory's or file's attributes. */
static int look_at_xattrs(const struct record *r, int fd, bool *ret_opaque, struct err *err)
{
	char names[XATTR_ROOM], value = '\0';
	ssize_t n = flistxattr(fd, names, sizeof names);

	*ret_opaque = false;
	if (n < 0 && errno == ENOTSUP)
		return 0;
	if (n < 0)
		return errno == ERANGE ? refuse(r, "it has many extended attributes", err) : fail(r, errno, err);
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (!is_usual(name))
			return refuse(r, "it has an extended attribute", err);
	*ret_opaque = fgetxattr(fd, OPAQUE, &value, 1) == 1;
	if (*ret_opaque && value != 'y')
		return refuse(r, "overlayfs has marked it in a way that is not known", err);
	return 0;
}

static char type_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR: return 'd';
	case S_IFREG: return 'f';
	case S_IFLNK: return 'l';
	case S_IFIFO: return 'p';
	case S_IFSOCK: return 's';
	case S_IFCHR: return st->st_rdev == makedev(0, 0) ? 'w' : '\0';
	default: return '\0';
	}
}

/** Adds the entry whose path is at hand. */
static int add(struct record *r, char type, const struct stat *st, struct err *err)
{
	r->bytes += r->path.len + 64;
	if (r->bytes > UPPER_STATE_MAX)
		return refuse(r, "there is too much to write down", err);
	if (!array_room(&r->v, r->n, &r->cap))
		return fail(r, ENOMEM, err);
	char *path = strdup(r->path.data);
	if (path == NULL)
		return fail(r, ENOMEM, err);
	r->v[r->n++] = (struct item){ .path = path, .type = type, .st = *st };
	return 0;
}

static int walk_dir(struct record *r, int fd, struct err *err);

/** Takes the entry @p name of @p dirfd, whose path is at hand. */
static int take(struct record *r, int dirfd, const char *name, struct err *err)
{
	struct stat st;
	bool opaque = false;
	auto_fd fd = -1;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(r, errno, err);
	char type = type_of(&st);
	if (type == '\0')
		return refuse(r, "it is a device", err);
	if (type == 'f' && (st.st_mode & (S_ISUID | S_ISGID)) != 0)
		return refuse(r, "it is setuid or setgid", err);
	if (type == 'd' || type == 'f') {
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return errno == EACCES ? refuse(r, "it cannot be read", err) : fail(r, errno, err);
		if (look_at_xattrs(r, fd, &opaque, err) < 0)
			return -1;
	}
	if (add(r, opaque ? 'o' : type, &st, err) < 0)
		return -1;
	return type == 'd' ? walk_dir(r, move_fd(&fd), err) : 0;
}

/** Takes all below a directory, whose path is at hand and whose descriptor is taken over. */
static int walk_dir(struct record *r, int fd, struct err *err)
{
	auto_fd own = fd;
	auto_dir dir = fdopendir(fd);
	size_t len = r->path.len;
	bool top = strcmp(r->path.data, ".") == 0;
	const struct dirent *e;

	if (dir == NULL)
		return fail(r, errno, err);
	(void)move_fd(&own);
	if (++r->depth > TREE_DEPTH_MAX + 1)
		return refuse(r, "it lies too deep", err);
	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		buf_seal(&r->path, top ? 0 : len);
		buf_addf(&r->path, "%s%s", top ? "" : "/", e->d_name);
		if (buf_check(&r->path, "path", err) < 0 || take(r, dirfd(dir), e->d_name, err) < 0)
			return -1;
	}
	if (errno != 0)
		return fail(r, errno, err);
	buf_seal(&r->path, top ? 0 : len);
	if (top)
		buf_adds(&r->path, ".");
	r->depth--;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	bool x_root = strcmp(x->path, ".") == 0, y_root = strcmp(y->path, ".") == 0;

	return x_root || y_root ? (int)y_root - (int)x_root : strcmp(x->path, y->path);
}

static int by_inode(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->st.st_ino < y->st.st_ino ? -1 : x->st.st_ino > y->st.st_ino;
}

static void keep_node(void *node)
{
	(void)node;
}

/** Finds the names that share a file: all but the first are links to it. */
static int find_links(struct record *r, struct err *err)
{
	void *seen = NULL;
	int result = 0;

	for (size_t i = 0; i < r->n && result == 0; i++) {
		struct item *e = &r->v[i];

		if (S_ISDIR(e->st.st_mode) || e->type == 'w' || e->st.st_nlink < 2)
			continue;
		struct item **first = tsearch(e, &seen, by_inode);
		if (first == NULL)
			result = err_set(err, ERR_INTERNAL, ENOMEM, "write down what the build left");
		else if (*first != e) {
			e->type = 'h';
			e->target = (*first)->path;
		}
	}
	tdestroy(seen, keep_node);
	return result;
}

/** Adds the contents to the tree: those of a path are what the output says of it. */
static int add_contents(struct record *r, struct store *store, const struct digest *output, struct tree_builder *tree, struct err *err)
{
	auto_tree_reader reader = NULL;
	struct tree_entry t;
	size_t i = 0;
	int more;

	if (store_read_tree(store, output, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &t, err)) > 0) {
		struct item here = { .path = (char *)t.path };

		while (i < r->n && by_path(&r->v[i], &here) < 0)
			i++;
		if (i == r->n || by_path(&r->v[i], &here) != 0)
			continue;
		r->v[i].st.st_rdev = 1; /* found */
		if (tree_builder_add(tree, &t, err) < 0)
			return -1;
	}
	return more;
}

static bool has_content(char type)
{
	return type == 'd' || type == 'o' || type == 'f' || type == 'l' || type == 'h';
}

static int write_state(const struct record *r, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct item *e = &r->v[i];

		if (has_content(e->type) && e->st.st_rdev != 1)
			return err_set(err, ERR_INPUT, 0, "'%.1000s' is not in the output", e->path);
		buf_addf(out, "%c %o %lld.%09ld %s", e->type, (unsigned)e->st.st_mode & 07777, (long long)e->st.st_mtim.tv_sec,
			 e->st.st_mtim.tv_nsec, e->path);
		buf_addc(out, '\0');
		if (e->type == 'h') {
			buf_adds(out, e->target);
			buf_addc(out, '\0');
		}
	}
	return buf_check(out, "write down what the build left", err);
}

int upper_record(struct store *store, int dirfd, const struct digest *output, struct upper *ret, struct err *err)
{
	__attribute__((cleanup(record_clear))) struct record r = {0};
	auto_tree_builder tree = NULL;
	auto_buf text = {0};
	struct upper u;

	buf_adds(&r.path, ".");
	if (buf_check(&r.path, "path", err) < 0 || tree_builder_new(&tree, err) < 0 || take(&r, dirfd, ".", err) < 0)
		return -1;
	qsort(r.v, r.n, sizeof *r.v, by_path);
	for (size_t i = 0; i < r.n; i++)
		r.v[i].st.st_rdev = 0;
	if (find_links(&r, err) < 0 || add_contents(&r, store, output, tree, err) < 0 || write_state(&r, &text, err) < 0 ||
	    store_put_tree(store, tree, &u.tree, err) < 0 || store_put_bytes(store, text.data, text.len, &u.state, err) < 0)
		return -1;
	*ret = u;
	return 0;
}
