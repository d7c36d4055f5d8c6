/* SPDX-License-Identifier: Apache-2.0 */
/* A copy that is laid out of what a snapshot reads. */
#include "help.h"

#include <pthread.h>

/** Makes a copy in "out", and keeps account of it. */
struct copier {
	struct world *w;
	int out;
	struct buf made;         /**< paths, as they came */
	pthread_mutex_t lock;    /**< guards what follows */
	unsigned filled;
	const char *refuse_make, *refuse_filled; /**< at these paths */
};

static int make(void *arg, const struct tree_entry *e, int *ret_fd, struct err *err)
{
	struct copier *c = arg;

	buf_addf(&c->made, "%s\n", e->path);
	if (c->refuse_make != NULL && strcmp(e->path, c->refuse_make) == 0)
		return err_set(err, ERR_INTERNAL, 0, "make refused");
	if (e->type == TREE_DIR)
		return strcmp(e->path, ".") == 0 || mkdirat(c->out, e->path, 0700) == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "mkdir");
	if (e->type == TREE_LINK)
		return symlinkat(e->link, c->out, e->path) == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "symlink");
	*ret_fd = openat(c->out, e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *ret_fd >= 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "open");
}

/** What is filled has just the content that its entry says. */
static int filled(void *arg, const struct tree_entry *e, int fd, struct err *err)
{
	struct copier *c = arg;
	auto_fd in = openat(c->out, e->path, O_RDONLY | O_CLOEXEC);
	struct digest found;
	uint64_t size;

	close(fd);
	if (c->refuse_filled != NULL && strcmp(e->path, c->refuse_filled) == 0)
		return err_set(err, ERR_INTERNAL, 0, "filled refused");
	if (hash_fd(in, &found, &size, err) < 0)
		return -1;
	if (size != e->size || !digest_eq(&found, &e->digest))
		return err_set(err, ERR_INTERNAL, 0, "'%s' is filled with something else", e->path);
	pthread_mutex_lock(&c->lock);
	c->filled++;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static struct copier copier_of(struct world *w)
{
	struct copier c = { .w = w, .lock = PTHREAD_MUTEX_INITIALIZER };

	make_dir(w->fd, "out", 0755);
	c.out = openat(w->fd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(c.out >= 0);
	return c;
}

static void copier_clear(struct copier *c)
{
	close(c->out);
	buf_free(&c->made);
}

/** Copies "in"; @p amend or NULL gets the copier. */
static int copy_in(struct copier *c, void (*amend)(void *, const char *, void *, size_t), struct digest *ret)
{
	struct world *w = c->w;
	const struct snapshot_copy copy = { .make = make, .filled = filled, .arg = c };
	const struct snapshot_options opt = { .form = TREE_ROOTFS, .amend = amend, .amend_arg = c, .copy = &copy };
	auto_tree_builder b = NULL;
	struct snapshot_stats st;

	must(tree_builder_new(&b, &w->err));
	return store_snapshot(w->store, w->in, &opt, b, &st, &w->err) < 0 ? -1 : store_put_tree(w->store, b, ret, &w->err);
}

/** A snapshot of "in" without a copy. */
static void snapshot_in(struct world *w, struct digest *ret)
{
	const struct snapshot_options opt = { .form = TREE_ROOTFS };
	auto_tree_builder b = NULL;

	must(snapshot_with(w, &opt, &b, NULL));
	must(store_put_tree(w->store, b, ret, &w->err));
}

static void entries_are_made_in_a_manifests_order(void **state)
{
	struct world *w = *state;
	struct copier c = copier_of(w);
	struct digest d, plain;

	shell(w, "cd in; mkdir -p a/deep b; echo 1 >a/c; echo 2 >a-b; echo 3 >a/deep/x; echo 3 >b/same; : >b/empty; ln -s a l; echo z >z");
	must(copy_in(&c, NULL, &d));
	assert_string_equal(c.made.data, ".\na\na-b\na/c\na/deep\na/deep/x\nb\nb/empty\nb/same\nl\nz\n");
	assert_int_equal(c.filled, 6);
	shell(w, "diff -r in out && [ \"$(readlink out/l)\" = a ]");
	snapshot_in(w, &plain);
	assert_true(digest_eq(&d, &plain));
	copier_clear(&c);
}

static void large_and_known_contents_are_copied(void **state)
{
	struct world *w = *state;
	struct copier c = copier_of(w);
	struct digest d;

	/* More than a writer holds at once, with and without holes; contents that the store has by then; just what a writer holds. */
	shell(w, "cd in; head -c 700000 /dev/urandom >big; cp big again; truncate -s 3000000 hole; head -c 262144 /dev/urandom >chunk;"
		 "cp chunk known; head -c 300000 /dev/zero >>chunk");
	snapshot_in(w, &d);
	must(copy_in(&c, NULL, &d));
	assert_int_equal(c.filled, 5);
	shell(w, "diff -r in out && [ $(stat -c %b out/hole) -lt 1000 ]");
	copier_clear(&c);
}

/** Changes "f" in between its first reading's beginning and end. */
static void append_once(void *arg, const char *path, void *head, size_t n)
{
	const struct copier *c = arg;

	(void)head;
	(void)n;
	if (strcmp(path, "f") != 0 || exists(c->w->fd, "changed"))
		return;
	put(c->w->fd, "changed", "", 0644);
	auto_fd fd = openat(c->w->in, "f", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 100000), 0);
}

static void a_copy_begins_afresh_with_its_file(void **state)
{
	struct world *w = *state;
	struct copier c = copier_of(w);
	struct digest d;

	/* What was written of it already is more than what it has in the end. */
	shell(w, "head -c 900000 /dev/urandom >in/f");
	must(copy_in(&c, append_once, &d));
	assert_int_equal(c.filled, 1);
	shell(w, "[ $(stat -c %s out/f) = 100000 ] && cmp in/f out/f");
	copier_clear(&c);
}

static void what_cannot_be_made_or_filled_ends_it(void **state)
{
	struct world *w = *state;
	struct copier c = copier_of(w);
	struct digest d;

	shell(w, "mkdir in/d; echo 1 >in/d/f; ln -s f in/l");
	c.refuse_filled = "d/f";
	assert_int_equal(copy_in(&c, NULL, &d), -1);
	assert_error(ERR_INTERNAL, "filled refused");
	static const char *const paths[] = { ".", "d", "d/f", "l" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		shell(w, "rm -rf out/*");
		c.refuse_make = paths[i];
		assert_int_equal(copy_in(&c, NULL, &d), -1);
		assert_error(ERR_INTERNAL, i < 3 ? "make refused" : "refused");
	}
	copier_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(entries_are_made_in_a_manifests_order),
		test_in_world(large_and_known_contents_are_copied),
		test_in_world(a_copy_begins_afresh_with_its_file),
		test_in_world(what_cannot_be_made_or_filled_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
