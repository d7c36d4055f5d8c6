/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/elsewhere.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/work.h"

/** In the scratch: a long way down. */
#define PLACE "glovebox-elsewhere-at-another-path"
#define COPY_CHUNK (256u << 10)
/** How long the removal is tried: five seconds. */
#define REMOVE_TRIES 50
#define REMOVE_WAIT_US 100000

/* ---- copying ----------------------------------------------------------------------- */

/** From one store to the other. */
struct copy {
	struct store *from, *to;
	struct store_writer *writer;
	char *chunk;
	int cancel_fd;
};

static int copy_object(const struct copy *c, const struct tree_entry *e, struct err *err)
{
	auto_fd fd = -1;
	struct digest d;
	size_t got;

	if (work_check_cancel(c->cancel_fd, err) < 0 || store_open_object(c->from, &e->digest, &fd, err) < 0)
		return -1;
	store_writer_expect(c->writer, &e->digest, e->size);
	do
		if (io_read_full(fd, c->chunk, COPY_CHUNK, &got, err) < 0 || store_writer_add(c->writer, c->chunk, got, err) < 0)
			return -1;
	while (got == COPY_CHUNK);
	return store_writer_end(c->writer, &d, NULL, err);
}

static int copy_tree(const struct copy *c, const struct digest *tree, struct err *err)
{
	auto_tree_reader r = NULL;
	auto_tree_builder b = NULL;
	struct tree_entry e;
	struct digest got;
	int more;

	if (store_has_tree(c->to, tree))
		return 0;
	if (store_read_tree(c->from, tree, &r, err) < 0 || tree_builder_new(&b, err) < 0)
		return -1;
	while ((more = tree_reader_next(r, &e, err)) > 0)
		if ((e.type == TREE_FILE && copy_object(c, &e, err) < 0) || tree_builder_add(b, &e, err) < 0)
			return err_ctx(err, "'%.200s'", e.path);
	return more < 0 ? -1 : store_put_tree(c->to, b, &got, err);
}

static int copy_inputs(const struct copy *c, const struct plan *plan, struct err *err)
{
	if (copy_tree(c, &plan->rootfs, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->spec->nsources; i++)
		if (copy_tree(c, &plan->sources[i].tree, err) < 0)
			return -1;
	return 0;
}

/** With the other store's user, and root's right to read where there is one. */
static int fill(const struct elsewhere *e, struct store *home, const struct plan *plan, int cancel_fd, struct err *err)
{
	auto_store_writer writer = NULL;
	auto_free char *chunk = io_chunk(COPY_CHUNK);
	const struct ident *id = store_ident(e->store);

	if (chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "copy into another store");
	if (store_writer_begin(e->store, &writer, err) < 0 || ident_read_begin(id, err) < 0)
		return -1;
	const struct copy c = { home, e->store, writer, chunk, cancel_fd };
	return ident_read_done(id, copy_inputs(&c, plan, err), err);
}

/* ---- the place --------------------------------------------------------------------- */

/** As the caller, since root alone can remove what is another's. */
static void remove_place(const void *arg, int sock)
{
	const struct elsewhere *e = arg;
	struct err ignored = {0};
	char byte;

	while (read(sock, &byte, 1) < 0 && errno == EINTR)
		;
	if (ident_caller_begin(e->home, &ignored) < 0)
		return;
	/* A step may still be dying in there. */
	for (int i = 0; i < REMOVE_TRIES && io_remove_tree(store_scratch_fd(e->scratch), PLACE, &ignored) < 0; i++)
		usleep(REMOVE_WAIT_US);
}

/** Makes the store, as the caller: root's own empty directory is given to the user who shall have it. */
static int make_store(struct elsewhere *e, bool other_user, struct err *err)
{
	char path[64];
	struct ident id = *e->home;

	if (mkdirat(store_scratch_fd(e->scratch), PLACE, 0700) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a directory for another store");
	/* Not the default, which would be that of the directory's owner. */
	if (other_user)
		id.step_uid = id.step_gid = id.step_uid == IDENT_STEP_ID + 1 ? IDENT_STEP_ID + 2 : IDENT_STEP_ID + 1;
	snprintf(path, sizeof path, "/proc/self/fd/%d/" PLACE, store_scratch_fd(e->scratch));
	return store_open(path, &id, &e->store, err);
}

int elsewhere_begin(const struct elsewhere *e, struct err *err)
{
	return ident_caller_begin(e->home, err) < 0 ? -1 : ident_caller_end(store_ident(e->store), err);
}

int elsewhere_end(const struct elsewhere *e, int result, struct err *err)
{
	struct err late = {0};

	if ((ident_caller_begin(e->home, &late) == 0 && ident_caller_end(e->home, &late) == 0) || result < 0)
		return result;
	*err = late;
	return -1;
}

int elsewhere_open(struct store *home, const struct plan *plan, bool other_user, int cancel_fd, struct elsewhere *ret, struct err *err)
{
	auto_elsewhere e = ELSEWHERE_NONE;

	e.home = store_ident(home);
	if (store_scratch_open(home, &e.scratch, err) < 0 || apart_start(remove_place, &e, &e.remover, err) < 0 ||
	    ident_caller_begin(e.home, err) < 0)
		return -1;
	/* The new store's user from then on. */
	int result = make_store(&e, other_user, err);
	if (result == 0)
		result = fill(&e, home, plan, cancel_fd, err);
	if (elsewhere_end(&e, result, err) < 0)
		return err_ctx(err, "build in another store");
	*ret = e;
	e = ELSEWHERE_NONE;
	return 0;
}

void elsewhere_close(struct elsewhere *e)
{
	struct err ignored = {0};

	if (e->store != NULL && elsewhere_begin(e, &ignored) == 0) {
		store_close(e->store);
		(void)elsewhere_end(e, 0, &ignored);
	}
	apart_end(&e->remover);
	store_scratch_close(e->scratch);
	*e = ELSEWHERE_NONE;
}
