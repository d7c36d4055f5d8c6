/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/cause.h"
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define VERSION_TEXT "glovebox-store 1\n"
#define VERSION_START "glovebox-store "

/** Made in this order: where the last one is, all are. */
static const char *const folders[] = { "objects", "trees", "names", "rootfs", "tmp", STORE_MOUNTPOINT };

/** A store's directory, before anything in it is touched. */
struct place {
	const char *path;
	int fd;
	struct stat st;
	bool fresh;      /**< nothing in it yet */
	bool linked;     /**< the path's last component is a symbolic link */
};

/** Length of @p path without what follows its last component, "/" and "/.", which would have a link followed. */
static size_t name_end(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && (path[n - 1] == '/' || (path[n - 1] == '.' && path[n - 2] == '/')))
		n--;
	return n;
}

/** Opens the directory, noting whether a link led to it: told by the open itself, so that nobody changes it in between. */
static int open_dir(struct place *p, struct err *err)
{
	auto_free char *name = strndup(p->path, name_end(p->path));

	if (name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open the store");
	p->fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		p->fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		p->linked = p->fd >= 0;
	}
	if (p->fd < 0 || fstat(p->fd, &p->st) < 0)
		return err_set(err, errno == ENOTDIR ? ERR_USAGE : ERR_HOST, errno, "open the store '" SHOWN "'", p->path);
	return 0;
}

/** ERR_HOST for @p sys: a cause that every refusal tells alike, where it is one. */
static int refuse_place(const char *doing, const char *path, int sys, struct err *err)
{
	enum sandbox_cause cause = sys == EROFS ? CAUSE_STORE_READONLY : sys == ENOSPC || sys == EDQUOT ? CAUSE_STORE_FULL : CAUSE_NONE;
	auto_buf what = {0};

	if (cause == CAUSE_NONE)
		return err_set(err, ERR_HOST, sys, "%s the store '" SHOWN "' (choose another with --store)", doing, path);
	buf_addf(&what, "%s the store '" SHOWN "'", doing, path);
	return buf_check(&what, "message", err) < 0 ? -1 : sandbox_denied(err, cause, sys, what.data, NULL);
}

/** mkdir -p, as whoever calls. */
static int make_place(const struct place *p, struct err *err)
{
	auto_free char *copy = strdup(p->path);

	if (copy == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open the store");
	char *slash = strrchr(copy, '/');
	if (slash != NULL && slash != copy) {
		*slash = '\0';
		if (io_mkdirs(AT_FDCWD, copy, 0755, err) < 0) {
			if (err->sys == EROFS || err->sys == ENOSPC)
				return refuse_place("make", p->path, err->sys, err);
			err->kind = ERR_HOST;
			return err_ctx(err, "make the store '" SHOWN "'", p->path);
		}
	}
	if (mkdir(p->path, 0700) < 0 && errno != EEXIST)
		return refuse_place("make", p->path, errno, err);
	return 0;
}

static int open_place(struct place *p, struct err *err)
{
	if (open_dir(p, err) == 0)
		return 0;
	if (err->sys != ENOENT || make_place(p, err) < 0)
		return -1;
	return open_dir(p, err);
}

/** Whether a directory with only such entries is as good as empty. */
static bool is_nothing(const char *name)
{
	static const char *const nothing[] = { ".", "..", "lost+found" };

	for (size_t i = 0; i < ARRAY_LEN(nothing); i++)
		if (strcmp(name, nothing[i]) == 0)
			return true;
	/* io_publish() of the version, interrupted. */
	return text_starts(name, ".glovebox-");
}

static int is_empty(const struct place *p, bool *ret, struct err *err)
{
	auto_fd fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (dir == NULL)
		return err_set(err, ERR_HOST, errno, "read the store '" SHOWN "'", p->path);
	move_fd(&fd);
	bool empty = true;
	while (empty && (e = readdir(dir)) != NULL)
		empty = is_nothing(e->d_name);
	*ret = empty;
	return 0;
}

/** Reads the version. Without one and without content the place is fresh, and @p text stays empty. */
static int read_version(struct place *p, struct buf *text, struct err *err)
{
	int result = io_read_file(p->fd, "version", 4096, text, err);

	if (result == 0 || err->sys != ENOENT)
		return result;
	if (is_empty(p, &p->fresh, err) < 0)
		return -1;
	/* Another command may have made a store of it meanwhile: its version comes before all else. */
	return p->fresh ? 0 : io_read_file(p->fd, "version", 4096, text, err);
}

static int check_version(struct place *p, struct err *err)
{
	auto_buf text = {0};

	if (read_version(p, &text, err) < 0) {
		if (err->sys == ENOENT)
			return err_set(err, ERR_USAGE, 0, "'" SHOWN "' is not a store: it has content, but no 'version' (give --store an "
				       "empty or new directory)", p->path);
		err->kind = err->sys == 0 ? ERR_USAGE : ERR_HOST;
		return err_ctx(err, "open the store '" SHOWN "'", p->path);
	}
	/* Another command may have made it since it was opened, and gave it its owner before its version. */
	if (!p->fresh && fstat(p->fd, &p->st) < 0)
		return err_set(err, ERR_HOST, errno, "open the store '" SHOWN "'", p->path);
	if (p->fresh || (text.len == strlen(VERSION_TEXT) && memcmp(text.data, VERSION_TEXT, text.len) == 0))
		return 0;
	if (text.len != 0 && text_starts(text.data, VERSION_START))
		return err_set(err, ERR_USAGE, 0, "the store '" SHOWN "' was made by another version of glovebox", p->path);
	return err_set(err, ERR_USAGE, 0, "'" SHOWN "' is not a store: its 'version' says something else", p->path);
}

/** Whose store it is, or shall be: sets the step ids of real root, refuses what belongs to others. */
static int settle_owner(const struct place *p, struct ident *id, struct err *err)
{
	if (!id->real_root) {
		if (p->st.st_uid == id->caller_uid)
			return 0;
		return err_set(err, ERR_HOST, 0, "the store '" SHOWN "' belongs to uid %u, not to you (choose another with --store)",
			       p->path, (unsigned)p->st.st_uid);
	}
	if (p->fresh && p->linked)
		return err_set(err, ERR_USAGE, 0,
			       "'" SHOWN "' is a symbolic link, through which root makes no store: give --store the directory itself", p->path);
	/* Root's own empty directory, such as the one just made: settle_access() gives it away. */
	if (p->fresh && p->st.st_uid == 0)
		return 0;
	if (p->st.st_uid == 0)
		return err_set(err, ERR_USAGE, 0,
			       "the store '" SHOWN "' belongs to root, and steps never run as root: chown -R it to an unprivileged user, or choose another with --store",
			       p->path);
	if (id->step_uid == IDENT_STEP_ID) {
		id->step_uid = p->st.st_uid;
		id->step_gid = p->st.st_gid;
	}
	if (id->step_uid != p->st.st_uid)
		return err_set(err, ERR_USAGE, 0,
			       "the store '" SHOWN "' belongs to uid %u, and --step-user says %u: let them agree, or choose another --store",
			       p->path, (unsigned)p->st.st_uid, (unsigned)id->step_uid);
	return 0;
}

/** Makes a fresh directory the step user's alone, giving away root's own only; an old one must be already. */
static int settle_access(const struct place *p, const struct ident *id, struct err *err)
{
	if (!p->fresh && (p->st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(err, ERR_HOST, 0, "others may write to the store '" SHOWN "': what it holds cannot be trusted (chmod go-w, then 'glovebox cache verify')",
			       p->path);
	if (!p->fresh)
		return 0;
	if (fchmod(p->fd, 0700) < 0 || (id->real_root && p->st.st_uid == 0 && fchown(p->fd, id->step_uid, id->step_gid) < 0))
		return err_set(err, ERR_HOST, errno, "make the store '" SHOWN "'", p->path);
	return 0;
}

/** Makes a folder; its own are far apart, of contents and of runs. */
static int make_folder(int store, const char *name)
{
	if (mkdirat(store, name, 0700) < 0)
		return errno == EEXIST ? 0 : -1;
	auto_fd fd = openat(store, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (strcmp(name, "objects") == 0 || strcmp(name, "tmp") == 0))
		(void)io_spread(fd);
	return 0;
}

/** Makes what is missing in the store, as the step user. */
static int furnish(const struct place *p, struct err *err)
{
	if (p->fresh && io_publish(p->fd, "version", VERSION_TEXT, strlen(VERSION_TEXT), 0600, IO_DURABLE, err) < 0) {
		err->kind = ERR_HOST;
		return err_ctx(err, "make the store '" SHOWN "'", p->path);
	}
	bool whole = !p->fresh && faccessat(p->fd, folders[ARRAY_LEN(folders) - 1], F_OK, AT_EACCESS) == 0;
	for (size_t i = 0; !whole && i < ARRAY_LEN(folders); i++)
		if (make_folder(p->fd, folders[i]) < 0)
			return err_set(err, ERR_HOST, errno, "make '%s' in the store '" SHOWN "'", folders[i], p->path);
	if (faccessat(p->fd, "tmp", R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		return refuse_place("write to", p->path, errno, err);
	return 0;
}

static int prepare(struct place *p, struct ident *id, struct err *err)
{
	if (check_version(p, err) < 0 ||
	    settle_owner(p, id, err) < 0 || settle_access(p, id, err) < 0 || ident_drop(id, err) < 0)
		return -1;
	return furnish(p, err);
}

int store_open(const char *path, struct ident *id, struct store **ret, struct err *err)
{
	struct place p = { .path = path, .fd = -1 };
	struct ident me = *id;

	if (path[0] == '\0')
		return err_set(err, ERR_USAGE, 0, "the store's path is empty");
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open the store");
	s->fd = s->busy = -1;
	pthread_mutex_init(&s->lock, NULL);
	int result = open_place(&p, err);
	s->fd = p.fd;
	if (result < 0 || prepare(&p, &me, err) < 0) {
		store_close(s);
		return -1;
	}
	s->ident = me;
	if (store_resume(s, err) < 0) {
		store_close(s);
		return -1;
	}
	store_sweep(s);
	*id = me;
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_scratch_close(s->staging);
	store_pause(s);
	if (s->fd != -1)
		close(s->fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int store_fd(const struct store *s)
{
	return s->fd;
}

const struct ident *store_ident(const struct store *s)
{
	return &s->ident;
}
