/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a commit, and of its submodules', into the store. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "fetch/git_repo.h"

/** All files of a commit together. */
#define GIT_BYTES_MAX (16ull << 30)
/** All trees from the root to where the walk is. */
#define GIT_TREES_MAX (256u << 20)
/** Submodules within submodules. */
#define GIT_NESTING_MAX 8

/** What the walk over a commit and its submodules carries. */
struct walk {
	struct git_work *work;
	struct tree_builder *builder;
	struct store_writer *writer;
	struct snapshot_stats stats;
	size_t held;          /**< bytes of trees in memory */
	unsigned submodules;  /**< met so far */
	bool want_submodules;
};

/** One commit: its repository, and what is to be known of it. */
struct commit {
	const struct git_origin *origin;
	struct git_objects *objects;
	struct git_modules modules;
	size_t name_len;
	unsigned nesting;
};

static int walk_commit(struct walk *w, const struct git_origin *origin, const struct git_name *name, const char *path, unsigned nesting,
		       struct err *err);

static int check_cancel(const struct walk *w, struct err *err)
{
	struct pollfd p = { .fd = w->work->net->cancel_fd, .events = POLLIN };

	return p.fd >= 0 && poll(&p, 1, 0) > 0 ? err_set(err, ERR_INTERRUPTED, 0, "interrupted") : 0;
}

static int add(struct walk *w, const struct tree_entry *e, struct err *err)
{
	return tree_builder_add(w->builder, e, err);
}

static int add_dir(struct walk *w, const char *path, struct err *err)
{
	w->stats.dirs++;
	return add(w, &(struct tree_entry){ .path = path, .type = TREE_DIR, .mode = 0755 }, err);
}

/** A blob's content into an object of the store; hashed as git does on the way. */
static int add_file(struct walk *w, struct commit *c, const struct git_entry *g, const char *path, struct err *err)
{
	struct tree_entry e = { .path = path, .type = TREE_FILE, .mode = g->kind == GIT_PROGRAM ? 0755 : 0644 };
	auto_git_hash h = NULL;
	uint64_t size;

	if (check_cancel(w, err) < 0 || git_objects_want(c->objects, &g->object, "blob", GIT_BYTES_MAX - w->stats.bytes, &size, err) < 0 ||
	    git_hash_begin(&g->object, "blob", size, &h, err) < 0)
		return -1;
	for (uint64_t left = size; left > 0; ) {
		const char *p;
		size_t n;

		if (git_objects_read(c->objects, left < SIZE_MAX ? (size_t)left : SIZE_MAX, &p, &n, err) < 0 ||
		    store_writer_add(w->writer, p, n, err) < 0)
			return -1;
		git_hash_add(h, p, n);
		left -= n;
	}
	if (git_objects_end(c->objects, err) < 0 || git_hash_check(h, &g->object, err) < 0 ||
	    store_writer_end(w->writer, &e.digest, &e.size, err) < 0)
		return -1;
	w->stats.files++;
	w->stats.bytes += size;
	return add(w, &e, err);
}

static int add_link(struct walk *w, struct commit *c, const struct git_entry *g, const char *path, struct err *err)
{
	auto_buf target = {0};

	if (git_objects_get(c->objects, &g->object, "blob", TREE_LINK_MAX, &target, err) < 0)
		return -1;
	if (target.len == 0 || memchr(target.data, '\0', target.len) != NULL)
		return err_set(err, ERR_INPUT, 0, "a link whose target is empty, or has a NUL");
	w->stats.links++;
	return add(w, &(struct tree_entry){ .path = path, .type = TREE_LINK, .link = target.data }, err);
}

/* ---- submodules ------------------------------------------------------------------------ */

/** Resolves ./ and ../ at the beginning of @p url against @p base, as git-submodule(1) does. Never above a URL's host. */
static int relative_url(const char *base, const char *url, struct buf *out, struct err *err)
{
	const char *host = strstr(base, "://");
	size_t least = host == NULL ? 1 : (size_t)(host + 3 - base) + strcspn(host + 3, "/") + 1, n = strlen(base);
	const char *rest = url;

	while (n > least && base[n - 1] == '/')
		n--;
	while (text_starts(rest, "./") || text_starts(rest, "../")) {
		bool up = rest[1] == '.';

		for (; up && n >= least && base[n - 1] != '/'; n--)
			;
		if (up && n < least)
			return err_set(err, ERR_INPUT, 0, "its url '%.300s' leads above '%.300s'", url, base);
		for (; up && n > least && base[n - 1] == '/'; n--)
			;
		rest += up ? 3 : 2;
	}
	if (!text_path_is_clean(rest))
		return err_set(err, ERR_INPUT, 0, "its url '%.300s' is not clean", url);
	buf_add(out, base, n);
	buf_addf(out, "%s%s", base[n - 1] == '/' ? "" : "/", rest);
	return buf_check(out, "url", err);
}

/** Where a submodule is fetched from: by https:, or beside the repository that it is in. What that repository wants else could
 *  reach for anything that this user can read. */
static int submodule_url(const struct commit *c, const char *path, struct buf *out, struct err *err)
{
	const char *url = git_modules_url(&c->modules, path);

	if (url == NULL)
		return err_set(err, ERR_INPUT, 0, ".gitmodules has no url for it");
	if (text_starts(url, "./") || text_starts(url, "../"))
		return relative_url(c->origin->url, url, out, err);
	if (!text_starts(url, "https://"))
		return err_set(err, ERR_INPUT, 0, "its url '%.300s' is not allowed: only https: and what is relative to the repository",
			       url);
	buf_adds(out, url);
	return buf_check(out, "url", err);
}

/** @p inner: the path within its own repository, by which .gitmodules knows it. */
static int add_submodule(struct walk *w, struct commit *c, const struct git_entry *g, const char *path, const char *inner, struct err *err)
{
	auto_git_origin origin = {0};
	auto_buf url = {0};

	if (!w->want_submodules)
		return add_dir(w, path, err);
	if (c->nesting == GIT_NESTING_MAX || w->submodules++ == GIT_SUBMODULES_MAX)
		return err_set(err, ERR_INPUT, 0, "submodule '%.300s': more than %d of them, or more than %d within each other", path,
			       GIT_SUBMODULES_MAX, GIT_NESTING_MAX);
	if (add_dir(w, path, err) < 0 || submodule_url(c, inner, &url, err) < 0 ||
	    git_origin_open(w->work, AT_FDCWD, url.data, &origin, err) < 0 ||
	    walk_commit(w, &origin, &g->object, path, c->nesting + 1, err) < 0)
		return err_ctx(err, "submodule '%.300s'", path);
	return 0;
}

/* ---- trees ------------------------------------------------------------------------------ */

/** A directory that is being walked: its path in the result, and how much of that is above its repository's root. */
struct place {
	struct buf path;
	size_t root;   /**< bytes of the path of the repository's root, with its slash */
};

static int walk_tree(struct walk *w, struct commit *c, const struct git_name *name, struct place *at, struct err *err);

static int add_entry(struct walk *w, struct commit *c, const struct git_entry *g, struct place *at, struct err *err)
{
	const char *path = at->path.data;
	const char *fault = tree_path_fault(path);

	if (fault != NULL)
		return err_set(err, ERR_INPUT, 0, "%s", fault);
	switch (g->kind) {
	case GIT_FILE:
	case GIT_PROGRAM:
		return add_file(w, c, g, path, err);
	case GIT_LINK:
		return add_link(w, c, g, path, err);
	case GIT_SUBMODULE:
		return add_submodule(w, c, g, path, path + at->root, err);
	case GIT_DIR:
		break;
	}
	return add_dir(w, path, err) < 0 ? -1 : walk_tree(w, c, &g->object, at, err);
}

static int walk_entries(struct walk *w, struct commit *c, struct git_tree *t, struct place *at, struct err *err)
{
	size_t dir = at->path.len;
	struct git_entry g;
	int more;

	while ((more = git_tree_next(t, &g, err)) > 0) {
		buf_addf(&at->path, "%s%s", dir == 0 || at->path.data[dir - 1] == '/' ? "" : "/", g.name);
		if (buf_check(&at->path, "path", err) < 0)
			return -1;
		if (add_entry(w, c, &g, at, err) < 0)
			return err_ctx(err, "'%.300s'", g.name);
		buf_seal(&at->path, dir);
	}
	return more;
}

static int walk_tree(struct walk *w, struct commit *c, const struct git_name *name, struct place *at, struct err *err)
{
	auto_buf data = {0};

	if (git_objects_get(c->objects, name, "tree", GIT_TREE_MAX, &data, err) < 0)
		return -1;
	if (w->held + data.len > GIT_TREES_MAX)
		return err_set(err, ERR_INPUT, 0, "the trees on one path have more than %u bytes", GIT_TREES_MAX);
	struct git_tree t = { data.data, data.len, 0, c->name_len };
	w->held += data.len;
	int result = walk_entries(w, c, &t, at, err);
	w->held -= data.len;
	return result;
}

/** Reads .gitmodules of the root, where submodules are wanted and it is there. */
static int read_modules(const struct walk *w, struct commit *c, const struct git_name *root, struct err *err)
{
	auto_buf data = {0};
	auto_buf text = {0};
	struct git_entry g;
	int more = 0;

	if (!w->want_submodules)
		return 0;
	if (git_objects_get(c->objects, root, "tree", GIT_TREE_MAX, &data, err) < 0)
		return -1;
	struct git_tree t = { data.data, data.len, 0, c->name_len };
	while ((more = git_tree_next(&t, &g, err)) > 0 && strcmp(g.name, ".gitmodules") != 0)
		;
	/* As a link it would be looked up elsewhere; git ignores it too. */
	if (more <= 0 || (g.kind != GIT_FILE && g.kind != GIT_PROGRAM))
		return more < 0 ? -1 : 0;
	if (git_objects_get(c->objects, &g.object, "blob", GIT_MODULES_MAX, &text, err) < 0)
		return -1;
	return git_modules_parse(text.data, text.len, &c->modules, err);
}

static int walk_objects(struct walk *w, struct commit *c, const struct git_name *name, const char *path, struct err *err)
{
	struct place at = {0};
	struct git_commit commit;
	auto_buf text = {0};

	if (git_objects_get(c->objects, name, "commit", GIT_TEXT_MAX, &text, err) < 0 ||
	    git_commit_parse(text.data == NULL ? "" : text.data, text.len, c->name_len, &commit, err) < 0)
		return err_ctx(err, "commit %s", name->hex);
	if (read_modules(w, c, &commit.tree, err) < 0)
		return -1;
	if (path != NULL)
		buf_addf(&at.path, "%s/", path);
	at.root = at.path.len;
	int result = walk_tree(w, c, &commit.tree, &at, err);
	buf_free(&at.path);
	return result;
}

/** @p path: where its tree lies in the result; NULL: it is the result. */
static int walk_commit(struct walk *w, const struct git_origin *origin, const struct git_name *name, const char *path, unsigned nesting,
		       struct err *err)
{
	auto_free struct git_objects *objects = calloc(1, sizeof *objects);
	struct commit c = { .origin = origin, .objects = objects, .name_len = strlen(name->hex), .nesting = nesting };
	auto_free char *repo = NULL;

	if (objects == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "fetch a commit");
	objects->child = GIT_CHILD_NONE;
	if (git_repo_fetch(w->work, origin, name, &repo, err) < 0 || git_objects_open(w->work, repo, false, objects, err) < 0)
		return -1;
	int result = walk_objects(w, &c, name, path, err);
	git_objects_close(objects);
	git_modules_clear(&c.modules);
	return result;
}

int fetch_git(struct store *store, const struct fetch_net *net, const struct fetch_git *from, struct digest *ret,
	      struct snapshot_stats *ret_stats, struct err *err)
{
	auto_git_work work = {0};
	auto_git_origin origin = {0};
	auto_tree_builder builder = NULL;
	auto_store_writer writer = NULL;
	struct walk w = { .work = &work, .want_submodules = from->submodules };
	struct git_name name;

	if (!git_name_parse(from->commit, strlen(from->commit), &name))
		return err_set(err, ERR_USAGE, 0, "'%.100s' is not the whole hash of a commit", from->commit);
	if (git_work_begin(store, net, &work, err) < 0 || git_origin_open(&work, from->dirfd, from->url, &origin, err) < 0 ||
	    tree_builder_new(&builder, err) < 0 || store_writer_begin(store, &writer, err) < 0)
		return -1;
	w.builder = builder;
	w.writer = writer;
	if (walk_commit(&w, &origin, &name, NULL, 0, err) < 0 || store_put_tree(store, builder, ret, err) < 0)
		return err_ctx(err, "%.300s", from->url);
	if (ret_stats != NULL)
		*ret_stats = w.stats;
	return 0;
}
