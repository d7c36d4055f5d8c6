/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/tree_sha1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/crew.h"

/** What the store keeps them as. */
#define KIND "shas"
/** Files that are open at a time, waiting for a thread. */
#define WAITING 32

/** A file for a thread: who takes it closes it. */
struct job {
	int fd;
	size_t at;
};

static int hash_one(void *arg, unsigned thread, void *job, struct err *err)
{
	struct sha1 *all = arg;
	const struct job *j = job;
	auto_fd fd = j->fd;

	(void)thread;
	return hash_sha1_fd(fd, &all[j->at], err);
}

static void drop_one(void *job)
{
	close(((struct job *)job)->fd);
}

/** The digests of a tree's files. */
static int list_files(struct store *store, const struct digest *tree, struct digest **ret, size_t *ret_n, struct err *err)
{
	auto_tree_reader reader = NULL;
	auto_free struct digest *v = NULL;
	struct tree_entry e;
	size_t n = 0, room = 0;
	int more;

	if (store_read_tree(store, tree, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		if (e.type != TREE_FILE)
			continue;
		if (!array_room(&v, n, &room))
			return err_set(err, ERR_INTERNAL, ENOMEM, "list a tree's files");
		v[n++] = e.digest;
	}
	if (more < 0)
		return -1;
	*ret = move_ptr(v);
	*ret_n = n;
	return 0;
}

static int hash_all(struct store *store, const struct digest *files, size_t n, struct sha1 *all, struct err *err)
{
	const struct crew_plan plan = {
		.threads = crew_size(), .job_size = sizeof(struct job), .depth = WAITING, .work = hash_one, .drop = drop_one, .arg = all,
	};
	auto_crew crew = NULL;

	if (crew_start(&plan, &crew, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct job job = { .at = i };

		if (store_open_object(store, &files[i], &job.fd, err) < 0 || crew_give(crew, &job, NULL, err) < 0)
			return -1;
	}
	return crew_finish(crew, err);
}

/** Takes them from the store. */
static bool recall(struct store *store, const struct digest *tree, struct sha1 *all, size_t n)
{
	auto_buf kept = {0};

	if (!store_derived_get(store, KIND, tree, n * sizeof *all, &kept) || kept.len != n * sizeof *all)
		return false;
	if (n > 0)
		memcpy(all, kept.data, kept.len);
	return true;
}

int tree_sha1(struct store *store, const struct digest *tree, struct sha1 **ret, size_t *ret_n, struct err *err)
{
	auto_free struct digest *files = NULL;
	auto_free struct sha1 *all = NULL;
	struct err ignored = {0};
	size_t n;

	if (list_files(store, tree, &files, &n, err) < 0)
		return -1;
	all = calloc(n + 1, sizeof *all);
	if (all == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hash a tree's files");
	if (!recall(store, tree, all, n)) {
		if (hash_all(store, files, n, all, err) < 0)
			return -1;
		/* Without it, they are worked out again. */
		(void)store_derived_put(store, KIND, tree, all, n * sizeof *all, &ignored);
	}
	*ret = move_ptr(all);
	*ret_n = n;
	return 0;
}
