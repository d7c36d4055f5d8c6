/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a commit, and of its submodules', into the store. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fetch/git_read.h"
#include "fetch/git_repo.h"

/** Submodules within submodules. */
#define GIT_NESTING_MAX 8
/** What fewer turns are worth of a pipe. */
#define PIPE_SIZE (256 << 10)

/** What the walk over a commit and its submodules carries. */
struct walk {
	struct git_work *work;
	struct tree_builder *builder;
	struct store_writer *writer;
	struct snapshot_stats stats;
	unsigned submodules;  /**< met so far */
	bool want_submodules;
};

/** A submodule that is wanted, once its commit has been read. */
struct submodule {
	char *path;              /**< in the result */
	char *url;
	struct git_name commit;
};

/** One commit: its repository, and what is to be known of it. */
struct commit {
	const struct git_origin *origin;
	struct submodule *subs;
	size_t nsubs;
	struct buf path;      /**< in the result; its first @c root bytes are above the commit's own root */
	size_t root;
	unsigned nesting;
};

static void commit_clear(struct commit *c)
{
	for (size_t i = 0; i < c->nsubs; i++) {
		free(c->subs[i].path);
		free(c->subs[i].url);
	}
	free(c->subs);
	buf_free(&c->path);
}

/* ---- rows of a commit's reader -------------------------------------------------------- */

static int add_dir(struct walk *w, const char *path, struct err *err)
{
	w->stats.dirs++;
	return tree_builder_add(w->builder, &(struct tree_entry){ .path = path, .type = TREE_DIR, .mode = 0755 }, err);
}

/** A file's content into an object of the store. */
static int add_file(struct walk *w, struct answer *rows, const struct git_row *row, const char *path, struct err *err)
{
	struct tree_entry e = { .path = path, .type = TREE_FILE, .mode = row->kind == GIT_PROGRAM ? 0755 : 0644 };

	if (row->size > GIT_BYTES_MAX - w->stats.bytes)
		return err_set(err, ERR_INPUT, 0, "the files of a commit have more than %llu bytes", (unsigned long long)GIT_BYTES_MAX);
	for (uint64_t left = row->size; left > 0; ) {
		const char *p;
		size_t n;

		if (answer_some(rows, left, &p, &n, err) < 0 || store_writer_add(w->writer, p, n, err) < 0)
			return -1;
		left -= n;
	}
	if (git_row_sound(rows, err) < 0 || store_writer_end(w->writer, &e.digest, &e.size, err) < 0)
		return -1;
	w->stats.files++;
	w->stats.bytes += row->size;
	return tree_builder_add(w->builder, &e, err);
}

static int add_link(struct walk *w, const struct git_row *row, const char *path, struct err *err)
{
	w->stats.links++;
	return tree_builder_add(w->builder, &(struct tree_entry){ .path = path, .type = TREE_LINK, .link = row->more }, err);
}

/** Its files come when this commit has been read. */
static int note_submodule(struct walk *w, struct commit *c, const struct git_row *row, const char *path, struct err *err)
{
	if (add_dir(w, path, err) < 0)
		return -1;
	if (!w->want_submodules)
		return 0;
	if (c->nesting == GIT_NESTING_MAX || w->submodules++ == GIT_SUBMODULES_MAX)
		return err_set(err, ERR_INPUT, 0, "submodule '%.300s': more than %d of them, or more than %d within each other", path,
			       GIT_SUBMODULES_MAX, GIT_NESTING_MAX);
	struct submodule *grown = reallocarray(c->subs, c->nsubs + 1, sizeof *grown);
	if (grown == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "fetch submodules");
	c->subs = grown;
	struct submodule *s = &c->subs[c->nsubs++];
	*s = (struct submodule){ .path = strdup(path), .url = strdup(row->more), .commit = row->object };
	return s->path == NULL || s->url == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "fetch submodules") : 0;
}

static int add_row(struct walk *w, struct commit *c, struct answer *rows, const struct git_row *row, struct err *err)
{
	buf_seal(&c->path, c->root);
	buf_adds(&c->path, row->path);
	if (buf_check(&c->path, "path", err) < 0)
		return -1;
	switch (row->kind) {
	case GIT_FILE:
	case GIT_PROGRAM:
		return add_file(w, rows, row, c->path.data, err);
	case GIT_LINK:
		return add_link(w, row, c->path.data, err);
	case GIT_SUBMODULE:
		return note_submodule(w, c, row, c->path.data, err);
	case GIT_DIR:
		break;
	}
	return add_dir(w, c->path.data, err);
}

static int add_rows(struct walk *w, struct commit *c, struct answer *rows, struct err *err)
{
	auto_free struct git_row *row = malloc(sizeof *row);
	int more;

	if (row == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "fetch a commit");
	while ((more = git_row_next(rows, row, err)) > 0)
		if (add_row(w, c, rows, row, err) < 0)
			return err_ctx(err, "'%.300s'", c->path.data);
	return more;
}

static int read_commit(struct walk *w, struct commit *c, const struct git_child *git, const struct git_name *name, struct err *err)
{
	struct git_read_commit what = { .name = *name, .modules = w->want_submodules };
	auto_confined reader = CONFINED_NONE;
	auto_free struct answer *rows = NULL;

	if (git_read_start(&what, git, &reader, err) < 0 || answer_new(&reader, w->work->net->cancel_fd, &rows, err) < 0)
		return -1;
	(void)fcntl(reader.out, F_SETPIPE_SZ, PIPE_SIZE);
	return answer_end(rows, &reader, add_rows(w, c, rows, err), err);
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
static int submodule_url(const struct commit *c, const struct submodule *s, struct buf *out, struct err *err)
{
	if (s->url[0] == '\0')
		return err_set(err, ERR_INPUT, 0, ".gitmodules has no url for it");
	if (text_starts(s->url, "./") || text_starts(s->url, "../"))
		return relative_url(c->origin->url, s->url, out, err);
	if (!text_starts(s->url, "https://"))
		return err_set(err, ERR_INPUT, 0, "its url '%.300s' is not allowed: only https: and what is relative to the repository", s->url);
	buf_adds(out, s->url);
	return buf_check(out, "url", err);
}

static int walk_commit(struct walk *w, const struct git_origin *origin, const struct git_name *name, const char *path, unsigned nesting,
		       struct err *err);

static int add_submodule(struct walk *w, const struct commit *c, const struct submodule *s, struct err *err)
{
	auto_git_origin origin = {0};
	auto_buf url = {0};

	if (submodule_url(c, s, &url, err) < 0 || git_origin_open(w->work, AT_FDCWD, url.data, &origin, err) < 0 ||
	    walk_commit(w, &origin, &s->commit, s->path, c->nesting + 1, err) < 0)
		return err_ctx(err, "submodule '%.300s'", s->path);
	return 0;
}

/** @p path: where its tree lies in the result; NULL: it is the result. */
static int walk_commit(struct walk *w, const struct git_origin *origin, const struct git_name *name, const char *path, unsigned nesting,
		       struct err *err)
{
	__attribute__((cleanup(commit_clear))) struct commit c = { .origin = origin, .nesting = nesting };
	auto_git_child git = GIT_CHILD_NONE;
	auto_free char *repo = NULL;

	if (path != NULL)
		buf_addf(&c.path, "%s/", path);
	c.root = c.path.len;
	if (git_repo_fetch(w->work, origin, name, &repo, err) < 0 || git_repo_serve(w->work, repo, false, &git, err) < 0 ||
	    read_commit(w, &c, &git, name, err) < 0)
		return -1;
	git_child_kill(&git);
	for (size_t i = 0; i < c.nsubs; i++)
		if (add_submodule(w, &c, &c.subs[i], err) < 0)
			return -1;
	return 0;
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
