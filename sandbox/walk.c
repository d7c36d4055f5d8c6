/* SPDX-License-Identifier: Apache-2.0 */
/* How much lies in a step's places. The step is at work there meanwhile: whatever vanishes or will not
 * open is passed over, and nothing is opened that is not a directory of the same file system. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "sandbox/watch.h"

/** Entries looked at in one piece: a few milliseconds. */
#define WALK_PIECE 1000

struct walk {
	const struct sandbox_conf *conf;
	size_t mount, part;         /**< the next place: of which mount, which of its paths */
	dev_t dev;                  /**< of the place walked */
	DIR *stack[WATCH_DEPTH_MAX];
	size_t depth;
	uint64_t bytes, files;
};

struct walk *walk_begin(const struct sandbox_conf *conf)
{
	struct walk *w = calloc(1, sizeof *w);

	if (w != NULL)
		w->conf = conf;
	return w;
}

void walk_end(struct walk *w)
{
	if (w == NULL)
		return;
	while (w->depth > 0)
		closedir(w->stack[--w->depth]);
	free(w);
}

uint64_t walk_bytes(const struct walk *w)
{
	return w->bytes;
}

uint64_t walk_files(const struct walk *w)
{
	return w->files;
}

/** Puts a directory on the stack, when it is one, on the file system of its place. */
static void enter(struct walk *w, int dirfd, const char *path)
{
	struct stat st;
	auto_fd fd = w->depth == WATCH_DEPTH_MAX
			     ? -1 : openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	if (w->depth == 0)
		w->dev = st.st_dev;
	DIR *dir = st.st_dev == w->dev ? fdopendir(fd) : NULL;
	if (dir == NULL)
		return;
	(void)move_fd(&fd);
	w->stack[w->depth++] = dir;
}

/** The place that comes next, or NULL after the last one. */
static const char *next_place(struct walk *w)
{
	for (; w->mount < w->conf->nmounts; w->mount++, w->part = 0) {
		const struct sandbox_mount *m = &w->conf->mounts[w->mount];
		const struct sandbox_path *const overlay[] = { &m->upper, &m->work };

		while (m->kind == SANDBOX_OVERLAY && w->part < ARRAY_LEN(overlay)) {
			const struct sandbox_path *p = overlay[w->part++];

			if (p->path != NULL && p->where == SANDBOX_IN_BASE)
				return p->path;
		}
		if (m->kind == SANDBOX_BIND_RW && m->source.where == SANDBOX_IN_BASE && w->part++ == 0)
			return m->source.path;
	}
	return NULL;
}

static void count(struct walk *w, const struct stat *st)
{
	w->files++;
	w->bytes += (uint64_t)st->st_blocks * 512 / (S_ISDIR(st->st_mode) || st->st_nlink == 0 ? 1 : (uint64_t)st->st_nlink);
}

static void look_at(struct walk *w, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != w->dev)
		return;
	count(w, &st);
	if (S_ISDIR(st.st_mode))
		enter(w, dirfd, name);
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

bool walk_on(struct walk *w)
{
	for (size_t i = 0; i < WALK_PIECE; i++) {
		if (w->depth == 0) {
			const char *place = next_place(w);

			if (place == NULL)
				return false;
			enter(w, w->conf->base_fd, place);
			continue;
		}
		DIR *dir = w->stack[w->depth - 1];
		struct dirent *e = readdir(dir);

		if (e == NULL)
			closedir(w->stack[--w->depth]);
		else if (!is_dots(e->d_name))
			look_at(w, dirfd(dir), e->d_name);
	}
	return true;
}
