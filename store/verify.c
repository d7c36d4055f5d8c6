/* SPDX-License-Identifier: Apache-2.0 */
/* Whether all that is in the store is what its name says. What is not is removed: nobody could use it, and whoever needs it next makes
 * it anew from its source. Objects come first, then the trees that they are in, then results that refer to either. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/array.h"
#include "store/digest_set.h"

/** Something that was found. */
struct find {
	char *path, *why;
	struct digest digest;    /**< of an object */
	bool object, removed, healed;
	json_t *trees;
};

struct verify {
	struct store *store;
	struct find *finds;
	size_t n, cap;
	struct digest_set objects;   /**< that are damaged or missing */
	struct digest_set gone;      /**< trees that are: with a content that is gone, or damaged themselves */
	struct digest_set named;     /**< trees that a name stands for */
	struct store_counts counts;
};

static void verify_clear(struct verify *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->finds[i].path);
		free(v->finds[i].why);
		json_decref(v->finds[i].trees);
	}
	free(v->finds);
	digest_set_clear(&v->objects);
	digest_set_clear(&v->gone);
	digest_set_clear(&v->named);
}

/** Notes something down; @p ret (may be NULL): valid until the next one. */
static int note(struct verify *v, const char *path, const char *why, struct find **ret, struct err *err)
{
	if (!array_room(&v->finds, v->n, &v->cap))
		return err_set(err, ERR_INTERNAL, ENOMEM, "verify the store");
	struct find f = { .path = strdup(path), .why = strdup(why), .trees = json_array() };
	v->finds[v->n++] = f;
	if (f.path == NULL || f.why == NULL || f.trees == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "verify the store");
	if (ret != NULL)
		*ret = &v->finds[v->n - 1];
	return 0;
}

static void count(struct verify *v, const struct store_thing *t)
{
	v->counts.of[t->kind].n++;
	v->counts.of[t->kind].bytes += store_thing_bytes(v->store, t);
}

/** What has another content cannot be used by anybody; what could not be read may be readable again tomorrow. */
static bool remove_damaged(const struct store_thing *t, const struct err *why)
{
	return why->kind == ERR_INPUT && why->sys == 0 && unlinkat(t->dirfd, t->name, 0) == 0;
}

/** A failure for want of something of our own tells nothing of the store, and ends it all; 0: it is another. */
static int end_of_shortage(const struct err *why, struct err *err)
{
	if (why->sys != EMFILE && why->sys != ENFILE && why->sys != ENOMEM)
		return 0;
	*err = *why;
	return -1;
}

/** The reason without the path, which is told beside it. */
static const char *reason(const char *msg, const char *name)
{
	const char *at = strstr(msg, name);

	at = at == NULL ? msg : at + strlen(name);
	while (text_starts(at, " in the store"))
		at += strlen(" in the store");
	if (text_starts(at, " is damaged: "))
		at += strlen(" is damaged: ");
	return at + strspn(at, ": ");
}

/* ---- objects ------------------------------------------------------------------ */

static int look_at_object(void *arg, const struct store_thing *t, struct err *err)
{
	struct verify *v = arg;
	struct find *f;
	struct err why = {0};

	count(v, t);
	if (store_check_file(t->dirfd, t->name, &t->digest, STORE_ANY_SIZE, true, &why) == 0)
		return 0;
	/* Somebody has just replaced or collected it. */
	if (why.sys == ENOENT)
		return 0;
	if (end_of_shortage(&why, err) < 0 || note(v, t->path, reason(why.msg, t->name), &f, err) < 0)
		return -1;
	f->object = true;
	f->digest = t->digest;
	f->removed = remove_damaged(t, &why);
	return digest_set_add(&v->objects, &t->digest, NULL, err);
}

/* ---- trees ---------------------------------------------------------------------- */

static int note_missing(struct verify *v, const struct digest *d, const struct err *why, struct err *err)
{
	char path[STORE_PATH_SIZE];
	struct find *f;

	if (note(v, store_object_path(d, path), why->sys == ENOENT ? "it is missing" : why->msg, &f, err) < 0)
		return -1;
	f->object = true;
	f->digest = *d;
	f->removed = why->kind == ERR_INPUT;
	return digest_set_add(&v->objects, d, NULL, err);
}

/** Puts an object that is gone into the store again, out of the rootfs that was laid out with it. */
static bool heal(struct verify *v, const struct digest *tree, const struct tree_entry *e)
{
	char hex[DIGEST_HEX_SIZE];
	auto_buf path = {0};
	struct err ignored = {0};
	struct digest stored;
	auto_store_writer w = NULL;

	buf_addf(&path, "rootfs/%s/root/%s", digest_hex(tree, hex), e->path);
	auto_fd fd = path.failed ? -1 : openat(v->store->fd, path.data, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || store_writer_begin(v->store, &w, &ignored) < 0)
		return false;
	store_writer_expect(w, &e->digest, e->size);
	return store_writer_add_fd(w, fd, e->size, &ignored) == 0 && store_writer_end(w, &stored, NULL, &ignored) == 0;
}

/** Adds a tree to what is told of an object that it has. @p ret_lost: it cannot be used any more. */
static int blame(struct verify *v, const struct digest *tree, const struct tree_entry *e, bool *ret_lost, struct err *err)
{
	char text[DIGEST_STR_SIZE];

	for (size_t i = 0; i < v->n; i++) {
		struct find *f = &v->finds[i];

		if (!f->object || !digest_eq(&f->digest, &e->digest))
			continue;
		size_t n = json_array_size(f->trees);
		digest_str(tree, text);
		if ((n == 0 || strcmp(json_string_value(json_array_get(f->trees, n - 1)), text) != 0) &&
		    json_array_append_new(f->trees, json_string(text)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "verify the store");
		f->healed = f->healed || heal(v, tree, e);
		/* What could not be read may be whole. */
		*ret_lost = *ret_lost || (f->removed && !f->healed);
	}
	return 0;
}

static int look_into_tree(struct verify *v, const struct digest *tree, struct tree_reader *reader, bool *ret_lost, struct err *err)
{
	struct tree_entry e;
	struct err why = {0};
	int more;

	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		if (e.type != TREE_FILE)
			continue;
		if (digest_set_find(&v->objects, &e.digest) == NULL && store_check_object(v->store, &e.digest, e.size, false, &why) < 0 &&
		    note_missing(v, &e.digest, &why, err) < 0)
			return -1;
		if (digest_set_find(&v->objects, &e.digest) != NULL && blame(v, tree, &e, ret_lost, err) < 0)
			return -1;
	}
	return more;
}

static int look_at_tree(void *arg, const struct store_thing *t, struct err *err)
{
	struct verify *v = arg;
	auto_tree_reader reader = NULL;
	struct err why = {0};
	struct find *f;
	bool lost = false;

	count(v, t);
	int result = store_peek_tree(v->store, &t->digest, &reader, &why);
	if (result < 0 && why.sys == ENOENT)
		return 0;
	if (result < 0) {
		if (end_of_shortage(&why, err) < 0 || note(v, t->path, reason(why.msg, t->name), &f, err) < 0)
			return -1;
		f->removed = remove_damaged(t, &why);
		return f->removed ? digest_set_add(&v->gone, &t->digest, NULL, err) : 0;
	}
	if (look_into_tree(v, &t->digest, reader, &lost, err) < 0)
		return -1;
	if (!lost)
		return 0;
	/* A name stays with its tree: importing the same again brings back what is gone. */
	if (digest_set_find(&v->named, &t->digest) == NULL)
		(void)unlinkat(t->dirfd, t->name, 0);
	return digest_set_add(&v->gone, &t->digest, NULL, err);
}

/* ---- names, results ----------------------------------------------------------------- */

static int look_at_name(void *arg, const struct store_thing *t, struct err *err)
{
	struct verify *v = arg;
	struct err why = {0};
	struct digest d;

	count(v, t);
	if (store_get_name(v->store, t->name, &d, &why) < 0)
		return end_of_shortage(&why, err) < 0 ? -1 : note(v, t->path, reason(why.msg, t->name), NULL, err);
	if (!store_has_tree(v->store, &d))
		return note(v, t->path, "there is no such tree: import it again, or remove the name", NULL, err);
	return digest_set_add(&v->named, &d, NULL, err);
}

/** Whether a list of a result has something that is gone. */
static bool refers_to_gone(struct verify *v, const json_t *list, bool trees)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) {
		const char *text = json_string_value(one);
		char path[STORE_PATH_SIZE];
		struct digest d;
		struct err why;

		if (text == NULL || !digest_parse(text, &d) || (trees && digest_set_find(&v->gone, &d) != NULL))
			return true;
		if (store_check_file(v->store->fd, trees ? store_tree_path(&d, path) : store_object_path(&d, path), &d, STORE_ANY_SIZE, false,
				     &why) < 0 && why.kind == ERR_INPUT)
			return true;
	}
	return false;
}

static int look_at_result(void *arg, const struct store_thing *t, struct err *err)
{
	struct verify *v = arg;
	auto_json result = NULL;
	struct err why = {0};
	struct find *f;

	count(v, t);
	if (store_result_read(t->dirfd, t->name, false, &result, &why) < 0) {
		if (why.sys == ENOENT)
			return 0;
		if (end_of_shortage(&why, err) < 0 || note(v, t->path, why.sys == 0 ? "it is damaged" : reason(why.msg, t->name), &f, err) < 0)
			return -1;
		f->removed = remove_damaged(t, &why);
	} else if (refers_to_gone(v, json_object_get(result, "trees"), true) || refers_to_gone(v, json_object_get(result, "objects"), false)) {
		(void)unlinkat(t->dirfd, t->name, 0);
	}
	return 0;
}

/* ---- root filesystems ------------------------------------------------------------------- */

/** Whether a file that was laid out is another than its tree says, or cannot be read; one that is closed to us is passed over. */
static int look_at_laid_out(const struct verify *v, const char *path, const struct tree_entry *e, bool *ret_bad, struct err *err)
{
	struct digest found;
	struct err why = {0};
	auto_fd fd = openat(v->store->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		(void)err_set(&why, ERR_INTERNAL, errno, "open %s", path);
	bool read = fd >= 0 && hash_fd(fd, &found, NULL, &why) == 0;
	if (!read && end_of_shortage(&why, err) < 0)
		return -1;
	*ret_bad = read ? !digest_eq(&found, &e->digest) : why.sys != EACCES;
	return 0;
}

/** Moves a rootfs into a scratch, with which it goes, unless a command runs on it. */
static bool remove_rootfs(struct verify *v, const struct store_thing *t)
{
	auto_store_scratch bin = NULL;
	struct err ignored;
	auto_fd fd = openat(t->dirfd, t->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && store_scratch_open(v->store, &bin, &ignored) == 0 &&
	       renameat(t->dirfd, t->name, store_scratch_fd(bin), "damaged") == 0;
}

static int look_at_rootfs(void *arg, const struct store_thing *t, struct err *err)
{
	struct verify *v = arg;
	auto_tree_reader reader = NULL;
	auto_buf path = {0};
	struct tree_entry e;
	struct find *f;
	struct err why = {0};
	bool bad;
	int more = 0;

	count(v, t);
	if (store_peek_tree(v->store, &t->digest, &reader, &why) < 0)
		return 0;
	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		buf_clear(&path);
		buf_addf(&path, "%s/root/%s", t->path, e.path);
		if (buf_check(&path, "path", err) < 0)
			return -1;
		if (e.type != TREE_FILE)
			continue;
		if (look_at_laid_out(v, path.data, &e, &bad, err) < 0)
			return -1;
		if (!bad)
			continue;
		if (note(v, path.data, "its content is not what its tree says", &f, err) < 0)
			return -1;
		f->removed = remove_rootfs(v, t);
		return 0;
	}
	return more;
}

static int only_count(void *arg, const struct store_thing *t, struct err *err)
{
	(void)err;
	count(arg, t);
	return 0;
}

int store_verify(struct store *store, void (*fn)(void *arg, const struct store_damage *d), void *arg, struct store_counts *ret,
		 struct err *err)
{
	__attribute__((cleanup(verify_clear))) struct verify v = { .store = store };

	if (store_visit(store, STORE_OBJECTS, look_at_object, &v, err) < 0 || store_visit(store, STORE_NAMES, look_at_name, &v, err) < 0 ||
	    store_visit(store, STORE_TREES, look_at_tree, &v, err) < 0 ||
	    store_visit(store, STORE_RESULTS_KIND, look_at_result, &v, err) < 0 ||
	    store_visit(store, STORE_ROOTFS, look_at_rootfs, &v, err) < 0 || store_visit(store, STORE_DERIVED, only_count, &v, err) < 0)
		return -1;
	for (size_t i = 0; i < v.n; i++) {
		const struct find *f = &v.finds[i];

		fn(arg, &(struct store_damage){ .path = f->path, .why = f->why, .removed = f->removed, .healed = f->healed, .trees = f->trees });
	}
	*ret = v.counts;
	return 0;
}
