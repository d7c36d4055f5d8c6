/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage collection, while nobody else is at work (lock.c). What is kept is decided unit by unit: a result, a tree or an object that
 * is in neither, each with all that it refers to. What has a name or is used by a run that waits for its step comes first, then the
 * rest, the latest used first, as long as it is young enough and there is room. All else goes. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/array.h"
#include "store/digest_set.h"

/** Marks of what is known and kept. */
enum { KNOWN = 1, KEPT = 2 };

/** A thing that stays or goes as a whole. */
struct unit {
	enum store_kind kind;
	char *name;          /**< in its folder: results and derived */
	struct digest digest; /**< objects, trees, rootfs */
	time_t used;
	uint64_t bytes;      /**< its own */
	bool pinned, kept;
};

struct gc {
	struct store *store;
	const struct store_gc *how;
	time_t oldest;       /**< what was used before this goes */
	struct unit *units;
	size_t n, cap;
	struct digest_set objects, trees;
	uint64_t kept_bytes;
	bool weighing;       /**< what would be marked is only added up, in: */
	uint64_t weight;
	struct store_scratch *bin; /**< where root filesystems go, to be removed when others may work again */
	struct store_counts removed, kept;
};

static void gc_clear(struct gc *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->units[i].name);
	free(g->units);
	digest_set_clear(&g->objects);
	digest_set_clear(&g->trees);
	store_scratch_close(g->bin);
}

/* ---- what there is ------------------------------------------------------------ */

static int add_unit(struct gc *g, const struct store_thing *t, struct err *err)
{
	if (!array_room(&g->units, g->n, &g->cap))
		return err_set(err, ERR_INTERNAL, ENOMEM, "collect garbage");
	bool named = t->kind == STORE_RESULTS_KIND || t->kind == STORE_DERIVED;
	struct unit u = {
		.kind = t->kind, .digest = t->digest, .used = t->st.st_mtim.tv_sec, .bytes = store_thing_bytes(g->store, t),
		.name = named ? strdup(t->name) : NULL,
	};
	if (named && u.name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "collect garbage");
	g->units[g->n++] = u;
	return 0;
}

/** Each kind but objects, which come when it is known which of them stand alone. */
static int take_thing(void *arg, const struct store_thing *t, struct err *err)
{
	return add_unit(arg, t, err);
}

static int take_lone_object(void *arg, const struct store_thing *t, struct err *err)
{
	struct gc *g = arg;

	return digest_set_find(&g->objects, &t->digest) != NULL ? 0 : add_unit(g, t, err);
}

/* ---- what refers to what -------------------------------------------------------- */

/** Whether a failure means that a thing is damaged; then it refers to nothing. Any other ends the collection: in doubt all stays. */
static bool is_damage(const struct err *err)
{
	return err->kind == ERR_INPUT && (err->sys == 0 || err->sys == ENOENT);
}

static void mark_one(struct gc *g, const char *path, uint8_t *mark, uint8_t how)
{
	struct stat st;
	uint64_t bytes = 0;

	if ((how & ~*mark & KEPT) != 0 && fstatat(g->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		bytes = (uint64_t)st.st_blocks * 512;
	if (g->weighing) {
		g->weight += bytes;
		return;
	}
	g->kept_bytes += bytes;
	*mark |= how;
}

static int mark_object(struct gc *g, const struct digest *d, uint8_t how, struct err *err)
{
	char path[STORE_PATH_SIZE];
	uint8_t *mark;

	if (digest_set_add(&g->objects, d, &mark, err) < 0)
		return -1;
	mark_one(g, store_object_path(d, path), mark, how);
	return 0;
}

static int mark_tree(struct gc *g, const struct digest *d, uint8_t how, struct err *err)
{
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	uint8_t *mark;
	char path[STORE_PATH_SIZE];
	int more;

	if (digest_set_add(&g->trees, d, &mark, err) < 0)
		return -1;
	if ((*mark & how) == how)
		return 0;
	mark_one(g, store_tree_path(d, path), mark, how);
	if (store_peek_tree(g->store, d, &reader, err) < 0)
		return is_damage(err) ? 0 : -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0)
		if (e.type == TREE_FILE && mark_object(g, &e.digest, how, err) < 0)
			return -1;
	return more < 0 && !is_damage(err) ? -1 : 0;
}

static int mark_list(struct gc *g, const json_t *list, bool trees, uint8_t how, struct err *err)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) {
		const char *text = json_string_value(one);
		struct digest d;

		if (text != NULL && digest_parse(text, &d) && (trees ? mark_tree(g, &d, how, err) : mark_object(g, &d, how, err)) < 0)
			return -1;
	}
	return 0;
}

static int mark_result(struct gc *g, const char *name, uint8_t how, struct err *err)
{
	auto_json result = NULL;
	auto_fd dir = openat(g->store->fd, STORE_RESULTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return err_set(err, ERR_INTERNAL, errno, "open " STORE_RESULTS " in the store");
	if (store_result_read(dir, name, false, &result, err) < 0)
		return is_damage(err) ? 0 : -1;
	return mark_list(g, json_object_get(result, "trees"), true, how, err) < 0 ? -1
		: mark_list(g, json_object_get(result, "objects"), false, how, err);
}

static int mark_unit(struct gc *g, const struct unit *u, uint8_t how, struct err *err)
{
	if (u->kind == STORE_TREES)
		return mark_tree(g, &u->digest, how, err);
	if (u->kind == STORE_RESULTS_KIND)
		return mark_result(g, u->name, how, err);
	return u->kind == STORE_OBJECTS ? mark_object(g, &u->digest, how, err) : 0;
}

/* ---- what stays ------------------------------------------------------------------- */

static int keep_name(void *arg, const struct store_thing *t, struct err *err)
{
	struct gc *g = arg;
	struct digest d;

	g->kept.of[STORE_NAMES].n++;
	/* A damaged name means nothing. */
	if (store_get_name(g->store, t->name, &d, err) < 0)
		return is_damage(err) || (err->kind == ERR_USAGE && err->sys == 0) ? 0 : -1;
	return mark_tree(g, &d, KNOWN | KEPT, err);
}

static int keep_use(void *arg, bool tree, const struct digest *d, struct err *err)
{
	struct gc *g = arg;

	if (!tree)
		return mark_object(g, d, KNOWN | KEPT, err);
	return mark_tree(g, d, KNOWN | KEPT, err);
}

/** A command runs on it (store_hold_rootfs()), or may: where that cannot be asked, it stays. */
static bool is_busy(const struct gc *g, const struct digest *d)
{
	char path[sizeof "rootfs/" + DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];

	snprintf(path, sizeof path, "rootfs/%s", digest_hex(d, hex));
	auto_fd fd = openat(g->store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? errno != ENOENT : flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static int pin(struct gc *g, struct err *err)
{
	auto_fd tmp = openat(g->store->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (tmp < 0)
		return err_set(err, ERR_INTERNAL, errno, "open tmp in the store");
	if (store_visit(g->store, STORE_NAMES, keep_name, g, err) < 0 || store_scratch_uses(tmp, keep_use, g, err) < 0)
		return -1;
	for (size_t i = 0; i < g->n; i++)
		if (g->units[i].kind == STORE_ROOTFS && is_busy(g, &g->units[i].digest))
			g->units[i].pinned = true;
	return 0;
}

static int latest_first(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	if (x->pinned != y->pinned)
		return x->pinned ? -1 : 1;
	if (x->used != y->used)
		return x->used > y->used ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/** Whether there is room for a unit and all that it alone would keep. */
static int fits(struct gc *g, const struct unit *u, bool *ret, struct err *err)
{
	*ret = true;
	if (u->pinned || g->how->max_bytes == UINT64_MAX)
		return 0;
	g->weighing = true;
	/* A tree's or an object's own file is counted when it is marked. */
	g->weight = u->kind == STORE_TREES || u->kind == STORE_OBJECTS ? 0 : u->bytes;
	int result = mark_unit(g, u, KNOWN | KEPT, err);
	g->weighing = false;
	*ret = g->kept_bytes + g->weight <= g->how->max_bytes;
	return result;
}

/** Keeps one unit, unless it is too old or there is no room. What it shares with others that are kept costs nothing. */
static int keep_unit(struct gc *g, struct unit *u, struct err *err)
{
	uint8_t *mark = u->kind == STORE_TREES ? digest_set_find(&g->trees, &u->digest) : NULL;

	if (mark != NULL && (*mark & KEPT) != 0) {
		u->kept = true;
		return 0;
	}
	bool room;
	if (fits(g, u, &room, err) < 0)
		return -1;
	if (!u->pinned && (u->used < g->oldest || !room))
		return 0;
	u->kept = true;
	if (u->kind == STORE_RESULTS_KIND || u->kind == STORE_ROOTFS || u->kind == STORE_DERIVED)
		g->kept_bytes += u->bytes;
	return mark_unit(g, u, KNOWN | KEPT, err);
}

static int decide(struct gc *g, struct err *err)
{
	qsort(g->units, g->n, sizeof *g->units, latest_first);
	for (size_t i = 0; i < g->n; i++)
		if (keep_unit(g, &g->units[i], err) < 0)
			return -1;
	/* A result that is older than what it shares trees with must not stand for a tree that has gone. */
	for (size_t i = 0; i < g->n; i++) {
		const uint8_t *mark = g->units[i].kind == STORE_TREES ? digest_set_find(&g->trees, &g->units[i].digest) : NULL;

		g->units[i].kept = g->units[i].kept || (mark != NULL && (*mark & KEPT) != 0);
	}
	return 0;
}

/* ---- what goes ---------------------------------------------------------------------- */

static void count(struct store_counts *c, enum store_kind kind, uint64_t bytes)
{
	c->of[kind].n++;
	c->of[kind].bytes += bytes;
}

/** A rootfs is moved away: its files are removed when others may work again. */
static int move_to_bin(struct gc *g, const char *path, struct err *err)
{
	if (g->bin == NULL && store_scratch_open(g->store, &g->bin, err) < 0)
		return -1;
	return renameat(g->store->fd, path, store_scratch_fd(g->bin), text_path_name(path)) == 0 || errno == ENOENT
		? 0 : err_set(err, ERR_INTERNAL, errno, "move %s in the store away", path);
}

static int remove_file(struct gc *g, const char *path, struct err *err)
{
	return unlinkat(g->store->fd, path, 0) == 0 || errno == ENOENT ? 0 : err_set(err, ERR_INTERNAL, errno, "remove %s from the store", path);
}

static int remove_unit(struct gc *g, const struct unit *u, struct err *err)
{
	char path[NAME_MAX + 32], hex[DIGEST_HEX_SIZE];

	count(&g->removed, u->kind, u->bytes);
	if (g->how->dry_run)
		return 0;
	snprintf(path, sizeof path, "%s/%s", store_kind_name(u->kind), u->name != NULL ? u->name : digest_hex(&u->digest, hex));
	return u->kind == STORE_ROOTFS ? move_to_bin(g, path, err) : remove_file(g, path, err);
}

static int sweep_object(void *arg, const struct store_thing *t, struct err *err)
{
	struct gc *g = arg;
	const uint8_t *mark = digest_set_find(&g->objects, &t->digest);
	bool kept = mark != NULL && (*mark & KEPT) != 0;

	count(kept ? &g->kept : &g->removed, STORE_OBJECTS, (uint64_t)t->st.st_blocks * 512);
	return kept || g->how->dry_run ? 0 : remove_file(g, t->path, err);
}

/** Results and trees before what they refer to: who is killed here leaves none that refers to what is gone. */
static int sweep(struct gc *g, struct err *err)
{
	static const enum store_kind order[] = { STORE_RESULTS_KIND, STORE_TREES, STORE_ROOTFS, STORE_DERIVED };

	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (size_t i = 0; i < g->n; i++) {
			const struct unit *u = &g->units[i];

			if (u->kind != order[k])
				continue;
			if (u->kept)
				count(&g->kept, u->kind, u->bytes);
			else if (remove_unit(g, u, err) < 0)
				return -1;
		}
	return store_visit(g->store, STORE_OBJECTS, sweep_object, g, err);
}

static bool is_part(const char *name)
{
	size_t n = strlen(name);

	return text_starts(name, ".glovebox-") && n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

/** Files that a killed process was about to give a name (io_publish()): nobody else is at work, so they are nobody's. */
static void sweep_parts(const struct gc *g, const char *folder)
{
	auto_fd fd = openat(g->store->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (dir == NULL)
		return;
	(void)move_fd(&fd);
	while ((e = readdir(dir)) != NULL)
		if (is_part(e->d_name))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
}

/* ---- all of it ------------------------------------------------------------------------ */

static int collect(struct gc *g, struct err *err)
{
	static const enum store_kind kinds[] = { STORE_TREES, STORE_RESULTS_KIND, STORE_ROOTFS, STORE_DERIVED };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (store_visit(g->store, kinds[i], take_thing, g, err) < 0)
			return -1;
	for (size_t i = 0; i < g->n; i++)
		if (mark_unit(g, &g->units[i], KNOWN, err) < 0)
			return -1;
	if (pin(g, err) < 0 || store_visit(g->store, STORE_OBJECTS, take_lone_object, g, err) < 0 || decide(g, err) < 0)
		return -1;
	if (!g->how->dry_run) {
		static const char *const folders[] = { ".", "names", "derived", STORE_RESULTS };

		for (size_t i = 0; i < ARRAY_LEN(folders); i++)
			sweep_parts(g, folders[i]);
	}
	return sweep(g, err);
}

int store_gc(struct store *store, const struct store_gc *how, struct store_counts *ret_removed, struct store_counts *ret_kept,
	     struct err *err)
{
	__attribute__((cleanup(gc_clear))) struct gc g = { .store = store, .how = how };
	time_t now = time(NULL);

	g.oldest = how->max_age_s >= (uint64_t)now ? 0 : now - (time_t)how->max_age_s + (how->max_age_s == 0);
	if (store_lock_alone(store, err) < 0)
		return -1;
	store_sweep(store);
	int result = collect(&g, err);
	store_pause(store);
	if (result < 0 || store_resume(store, err) < 0)
		return -1;
	*ret_removed = g.removed;
	*ret_kept = g.kept;
	return 0;
}
