/* SPDX-License-Identifier: Apache-2.0 */
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/** Open files that may wait: enough that a large one holds up nobody, few beside the usual limit of 1,024. */
#define DEPTH 64
/** How many of them wake a thread. */
#define LUMP 16

int snapshot_failed(const char *path, int sys, const char *doing, struct err *err)
{
	if (sys == ENOENT || sys == ELOOP || sys == ENOTDIR)
		return err_set(err, ERR_INPUT, 0, "%s '" SHOWN "': it changed while the tree was read: stop what writes to it", doing, path);
	return err_set(err, ERR_INPUT, sys, "%s '" SHOWN "'", doing, path);
}

/** Fills in mode and ids from @p st by the normal form. */
static void normalise(const struct snapshot *s, const struct stat *st, struct tree_entry *e)
{
	const struct ident *id = &s->ident;

	if (e->type == TREE_DIR && strcmp(e->path, ".") == 0) {
		e->mode = 0755;
		return;
	}
	if (s->opt->form == TREE_SOURCE) {
		e->mode = e->type == TREE_DIR || (st->st_mode & S_IXUSR) != 0 ? 0755 : 0644;
		return;
	}
	e->mode = st->st_mode & TREE_MODE_BITS;
	e->uid = !id->real_root && st->st_uid == id->caller_uid ? 0 : st->st_uid;
	e->gid = !id->real_root && st->st_gid == id->caller_gid ? 0 : st->st_gid;
}

static void lost(const struct snapshot *s, const char *path, mode_t mode)
{
	if (s->opt->lost != NULL)
		s->opt->lost(s->opt->lost_arg, path, mode);
}

static void count(struct snapshot *s, const struct tree_entry *e, const struct stat *st)
{
	s->stats.dirs += e->type == TREE_DIR;
	s->stats.links += e->type == TREE_LINK;
	if (e->type != TREE_FILE)
		return;
	s->stats.files++;
	s->stats.bytes += e->size;
	if ((st->st_mode & (S_ISUID | S_ISGID)) != 0) {
		s->stats.setid++;
		lost(s, e->path, st->st_mode);
	}
}

int snapshot_show(struct snapshot *s, struct tree_entry *e, const struct stat *st, int fd, struct err *err)
{
	normalise(s, st, e);
	count(s, e, st);
	return tree_entry_check(e, ERR_INPUT, "tree", err) < 0 ? -1 : s->opt->visit(s->opt->visit_arg, e, fd, err);
}

/** Counts and adds @p e, normalised. */
static int add(struct snapshot *s, const struct tree_entry *e, const struct stat *st, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	count(s, e, st);
	int result = tree_builder_add(s->builder, e, err);
	pthread_mutex_unlock(&s->lock);
	return result;
}

int snapshot_add(struct snapshot *s, struct tree_entry *e, const struct stat *st, struct err *err)
{
	const struct snapshot_copy *copy = s->opt->copy;

	if (s->opt->visit != NULL)
		return snapshot_show(s, e, st, -1, err);
	normalise(s, st, e);
	/* What can be none of a tree's is not made either. */
	if (add(s, e, st, err) < 0)
		return -1;
	return copy == NULL ? 0 : copy->make(copy->arg, e, NULL, err);
}

int snapshot_make_copy(struct snapshot *s, int fd, const char *path, int *ret, struct err *err)
{
	const struct snapshot_copy *copy = s->opt->copy;
	struct tree_entry e = { .path = path, .type = TREE_FILE };
	struct stat st;

	if (copy == NULL)
		return 0;
	if (fstat(fd, &st) < 0)
		return snapshot_failed(path, errno, "read", err);
	normalise(s, &st, &e);
	return tree_entry_check(&e, ERR_INPUT, "tree", err) < 0 ? -1 : copy->make(copy->arg, &e, ret, err);
}

void snapshot_skip_odd(struct snapshot *s, const char *path, mode_t type)
{
	pthread_mutex_lock(&s->lock);
	s->stats.odd++;
	lost(s, path, type);
	pthread_mutex_unlock(&s->lock);
}

/** Adds a file; *@p ret is what it became. */
static int add_file(struct snapshot *s, const char *path, const struct stat *st, const struct digest *d, struct tree_entry *ret, struct err *err)
{
	*ret = (struct tree_entry){ .path = path, .type = TREE_FILE, .size = (uint64_t)st->st_size, .digest = *d };
	normalise(s, st, ret);
	return add(s, ret, st, err);
}

/** Whether the content is in the store, or need not be. A damaged object of the right size is found by whoever reads it. */
static bool is_there(const struct snapshot *s, const struct stat *st, const struct digest *d)
{
	char path[STORE_PATH_SIZE];
	struct stat object;

	return s->store == NULL || (fstatat(s->store->fd, store_object_path(d, path), &object, AT_SYMLINK_NOFOLLOW) == 0 &&
				    S_ISREG(object.st_mode) && object.st_size == st->st_size);
}

int snapshot_add_known(struct snapshot *s, const char *path, const struct stat *st, bool *ret, struct err *err)
{
	struct tree_entry e;
	struct digest d;

	*ret = S_ISREG(st->st_mode) && statcache_find(s->cache, st, &d) && is_there(s, st, &d);
	if (!*ret)
		return 0;
	pthread_mutex_lock(&s->lock);
	statcache_keep(s->cache, st, &d);
	pthread_mutex_unlock(&s->lock);
	return add_file(s, path, st, &d, &e, err);
}

/** A thread's work. */
static int take(struct snapshot *s, unsigned thread, struct snapshot_job *job, struct err *err)
{
	const struct snapshot_reader reader = { .writer = s->writers[thread], .opt = s->opt, .copy = job->copy };
	const enum statcache_calm calm = s->cache == NULL ? STATCACHE_UNKNOWN : statcache_look(s->cache, job->fd);
	struct tree_entry e;
	struct stat st;
	struct digest d;

	if (snapshot_file(&reader, job->fd, job->path, &d, &st, err) < 0)
		return err_ctx(err, "'" SHOWN "'", job->path);
	if (s->cache != NULL && statcache_may_note(s->cache, &st, calm)) {
		pthread_mutex_lock(&s->lock);
		statcache_note(s->cache, &st, &d);
		pthread_mutex_unlock(&s->lock);
	}
	if (add_file(s, job->path, &st, &d, &e, err) < 0)
		return -1;
	return job->copy == -1 ? 0 : s->opt->copy->filled(s->opt->copy->arg, &e, move_fd(&job->copy), err);
}

static void drop(void *arg)
{
	struct snapshot_job *job = arg;

	close(job->fd);
	own_fd(&job->copy);
	free(job->path);
}

static int work(void *arg, unsigned thread, void *job, struct err *err)
{
	int result = take(arg, thread, job, err);

	drop(job);
	return result;
}

static int make_writers(struct snapshot *s, struct err *err)
{
	for (unsigned i = 0; i < s->threads; i++)
		if (store_writer_begin(s->store, &s->writers[i], err) < 0)
			return -1;
	return 0;
}

int snapshot_begin(struct snapshot *s, struct store *store, int rootfd, const struct snapshot_options *opt, struct tree_builder *b,
		   struct err *err)
{
	const struct crew_plan plan = {
		.threads = crew_size(), .job_size = sizeof(struct snapshot_job), .depth = DEPTH, .lump = LUMP, .work = work, .drop = drop, .arg = s,
	};

	*s = (struct snapshot){
		.opt = opt, .builder = b, .store = opt->digest_only ? NULL : store,
		.threads = opt->visit != NULL ? 0 : plan.threads,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	if (store != NULL)
		s->ident = *store_ident(store);
	else if (opt->form == TREE_ROOTFS && ident_detect(&s->ident, err) < 0)
		return -1;
	/* Whoever visits reads the files himself. */
	if (opt->visit != NULL)
		return 0;
	if ((store != NULL && opt->stat_cache && statcache_open(store, rootfd, &s->cache, err) < 0) ||
	    make_writers(s, err) < 0 || crew_start(&plan, &s->crew, err) < 0) {
		snapshot_end(s);
		return -1;
	}
	return 0;
}

void snapshot_end(struct snapshot *s)
{
	crew_free(s->crew);
	for (unsigned i = 0; i < s->threads; i++)
		store_writer_free(s->writers[i]);
	statcache_free(s->cache);
	pthread_mutex_destroy(&s->lock);
}
