/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

struct store_scratch {
	struct store *store;
	int fd;
	int lock;       /**< lock file, locked while the run lives; the kernel lets go of it with us */
	char path[40];  /**< "tmp/" and 32 hex digits */
};

/** Makes the directory with its lock held. Under the shared lock on tmp/, so that no sweep sees it half made. */
static int make_locked(struct store_scratch *s, struct err *err)
{
	auto_fd tmp = openat(s->store->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (tmp < 0)
		return err_set(err, ERR_INTERNAL, errno, "open tmp in the store");
	while (flock(tmp, LOCK_SH) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "lock tmp in the store");
	if (mkdirat(s->store->fd, s->path, 0700) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make %s in the store", s->path);
	s->fd = openat(s->store->fd, s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->fd != -1)
		s->lock = openat(s->fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock == -1 || flock(s->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_INTERNAL, errno, "lock %s in the store", s->path);
	return 0;
}

int store_scratch_open(struct store *store, struct store_scratch **ret, struct err *err)
{
	char id[33];
	auto_store_scratch s = calloc(1, sizeof *s);

	if (s == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "make scratch");
	*s = (struct store_scratch){ .store = store, .fd = -1, .lock = -1 };
	if (io_random_hex(id, err) < 0)
		return -1;
	snprintf(s->path, sizeof s->path, "tmp/%s", id);
	if (make_locked(s, err) < 0)
		return -1;
	*ret = move_ptr(s);
	return 0;
}

const char *store_scratch_path(const struct store_scratch *s)
{
	return s->path;
}

int store_scratch_fd(const struct store_scratch *s)
{
	return s->fd;
}

/** "object ", a digest and a newline. */
#define USE_LINE_MAX (8 + DIGEST_STR_SIZE)
/** Most bytes that a run may note: some 400,000 uses. */
#define USES_MAX (32u << 20)

int store_scratch_use(struct store_scratch *s, bool tree, const struct digest *d, struct err *err)
{
	char line[USE_LINE_MAX], text[DIGEST_STR_SIZE];
	auto_fd fd = openat(s->fd, "uses", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "note what is used in %s in the store", s->path);
	int n = snprintf(line, sizeof line, "%s %s\n", tree ? "tree" : "object", digest_str(d, text));
	return io_write_all(fd, line, (size_t)n, err) < 0 ? err_ctx(err, "note what is used in %s in the store", s->path) : 0;
}

/** The uses of one run, if it lives. */
static int read_uses(int tmp, const char *name, int (*use)(void *arg, bool tree, const struct digest *d, struct err *err), void *arg,
		     struct err *err)
{
	char path[NAME_MAX + sizeof "/uses"];
	auto_buf text = {0};
	struct digest d;
	char *save = NULL;

	snprintf(path, sizeof path, "%s/uses", name);
	if (io_read_file(tmp, path, USES_MAX, &text, err) < 0)
		return err->sys == ENOENT || err->sys == ENOTDIR ? 0 : -1;
	for (char *line = strtok_r(text.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		bool tree = text_starts(line, "tree ");

		/* A line that is cut short is of a run that was killed while it wrote. */
		if (digest_parse(line + (tree ? 5 : strlen(line) < 7 ? 0 : 7), &d) && use(arg, tree, &d, err) < 0)
			return -1;
	}
	return 0;
}

int store_scratch_uses(int tmp, int (*use)(void *arg, bool tree, const struct digest *d, struct err *err), void *arg, struct err *err)
{
	auto_fd fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, errno, "read tmp in the store");
	(void)move_fd(&fd);
	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0)
		if (e->d_name[0] != '.' && read_uses(tmp, e->d_name, use, arg, err) < 0)
			return -1;
	return errno == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "read tmp in the store");
}

void store_scratch_close(struct store_scratch *s)
{
	struct err ignored;

	if (s == NULL)
		return;
	/* What cannot be removed now is swept once the lock is free. */
	if (s->path[0] != '\0')
		(void)io_remove_tree(s->store->fd, s->path, &ignored);
	if (s->fd != -1)
		close(s->fd);
	if (s->lock != -1)
		close(s->lock);
	free(s);
}
