/* SPDX-License-Identifier: Apache-2.0 */
/* Confined readers: a commit's trees and files, one row each (git_wire.h). */
#include "fetch/git_read.h"

#include <errno.h>
#include <string.h>

#include "fetch/git_ask.h"

/** All trees from the root to where the walk is. */
#define GIT_TREES_MAX (256u << 20)
/** Trees, the buffers around them, and .gitmodules. */
#define READER_MEMORY (768ull << 20)
/** It waits for git, which is given as much, and for disks. */
#define READER_CPU_S 1800
#define READER_WALL_MS (3600 * 1000)
/** Rows go out in pieces of about this size. */
#define OUT_CHUNK (64u << 10)

struct reading {
	struct git_objects objects;
	struct git_modules modules;
	struct buf path;          /**< of where the walk is */
	struct buf rows;          /**< not written yet */
	int out;
	size_t name_len, held;
	uint64_t bytes;           /**< of files so far */
	bool want_modules;
};

static void reading_free(struct reading **r)
{
	if (*r == NULL)
		return;
	git_modules_clear(&(*r)->modules);
	buf_free(&(*r)->path);
	buf_free(&(*r)->rows);
	free(*r);
}

/* ---- rows ------------------------------------------------------------------------ */

static int flush(struct reading *r, struct err *err)
{
	if (buf_check(&r->rows, "row", err) < 0 || io_write_all(r->out, r->rows.data, r->rows.len, err) < 0)
		return -1;
	buf_clear(&r->rows);
	return 0;
}

static int put(struct reading *r, const void *data, size_t n, struct err *err)
{
	buf_add(&r->rows, data, n);
	return r->rows.len < OUT_CHUNK ? 0 : flush(r, err);
}

/** A row of the thing at r->path; @p more may be NULL. */
static int put_row(struct reading *r, const struct git_entry *g, const char *more, uint64_t size, struct err *err)
{
	const struct git_wire w = {
		.kind = g->kind, .path_len = (uint32_t)r->path.len, .more_len = more == NULL ? 0 : (uint32_t)strlen(more), .size = size, .object = g->object,
	};

	buf_add(&r->rows, &w, sizeof w);
	buf_add(&r->rows, r->path.data, r->path.len);
	return put(r, more, w.more_len, err);
}

/** A blob's content; hashed as git does on the way. */
static int put_file(struct reading *r, const struct git_entry *g, struct err *err)
{
	auto_git_hash h = NULL;
	uint64_t size;

	if (git_objects_want(&r->objects, &g->object, "blob", GIT_BYTES_MAX - r->bytes, &size, err) < 0 ||
	    git_hash_begin(&g->object, "blob", size, &h, err) < 0 || put_row(r, g, NULL, size, err) < 0)
		return -1;
	for (uint64_t left = size; left > 0; ) {
		const char *p;
		size_t n;

		if (git_objects_read(&r->objects, left < OUT_CHUNK ? (size_t)left : OUT_CHUNK, &p, &n, err) < 0 || put(r, p, n, err) < 0)
			return -1;
		git_hash_add(h, p, n);
		left -= n;
	}
	r->bytes += size;
	if (git_objects_end(&r->objects, err) < 0 || git_hash_check(h, &g->object, err) < 0)
		return -1;
	return put(r, &(char){ GIT_WIRE_SOUND }, 1, err);
}

static int put_link(struct reading *r, const struct git_entry *g, struct err *err)
{
	auto_buf target = {0};

	if (git_objects_get(&r->objects, &g->object, "blob", TREE_LINK_MAX, &target, err) < 0)
		return -1;
	if (target.len == 0 || memchr(target.data, '\0', target.len) != NULL)
		return err_set(err, ERR_INPUT, 0, "a link whose target is empty, or has a NUL");
	return put_row(r, g, target.data, 0, err);
}

static int put_submodule(struct reading *r, const struct git_entry *g, struct err *err)
{
	const char *url = git_modules_url(&r->modules, r->path.data);

	if (url != NULL && strlen(url) > GIT_URL_MAX)
		return err_set(err, ERR_INPUT, 0, "a submodule whose url has more than %d bytes", GIT_URL_MAX);
	return put_row(r, g, url, 0, err);
}

/* ---- the walk ------------------------------------------------------------------------ */

static int walk_tree(struct reading *r, const struct git_name *name, struct err *err);

static int walk_entry(struct reading *r, const struct git_entry *g, struct err *err)
{
	const char *fault = tree_path_fault(r->path.data);

	if (fault != NULL)
		return err_set(err, ERR_INPUT, 0, "%s", fault);
	switch (g->kind) {
	case GIT_FILE:
	case GIT_PROGRAM:
		return put_file(r, g, err);
	case GIT_LINK:
		return put_link(r, g, err);
	case GIT_SUBMODULE:
		return put_submodule(r, g, err);
	case GIT_DIR:
		break;
	}
	return put_row(r, g, NULL, 0, err) < 0 ? -1 : walk_tree(r, &g->object, err);
}

static int walk_entries(struct reading *r, struct git_tree *t, struct err *err)
{
	size_t dir = r->path.len;
	struct git_entry g;
	int more;

	while ((more = git_tree_next(t, &g, err)) > 0) {
		buf_addf(&r->path, "%s%s", dir == 0 ? "" : "/", g.name);
		if (buf_check(&r->path, "path", err) < 0)
			return -1;
		if (walk_entry(r, &g, err) < 0)
			return err_ctx(err, "'%.300s'", g.name);
		buf_seal(&r->path, dir);
	}
	return more;
}

static int walk_tree(struct reading *r, const struct git_name *name, struct err *err)
{
	auto_buf data = {0};

	if (git_objects_get(&r->objects, name, "tree", GIT_TREE_MAX, &data, err) < 0)
		return -1;
	if (r->held + data.len > GIT_TREES_MAX)
		return err_set(err, ERR_INPUT, 0, "the trees on one path have more than %u bytes", GIT_TREES_MAX);
	struct git_tree t = { data.data, data.len, 0, r->name_len };
	r->held += data.len;
	int result = walk_entries(r, &t, err);
	r->held -= data.len;
	return result;
}

/** Reads .gitmodules of the root, where submodules are wanted and it is there. */
static int read_modules(struct reading *r, const struct git_name *root, struct err *err)
{
	auto_buf data = {0};
	auto_buf text = {0};
	struct git_entry g;
	int more = 0;

	if (!r->want_modules)
		return 0;
	if (git_objects_get(&r->objects, root, "tree", GIT_TREE_MAX, &data, err) < 0)
		return -1;
	struct git_tree t = { data.data, data.len, 0, r->name_len };
	while ((more = git_tree_next(&t, &g, err)) > 0 && strcmp(g.name, ".gitmodules") != 0)
		;
	/* As a link it would be looked up elsewhere; git ignores it too. */
	if (more <= 0 || (g.kind != GIT_FILE && g.kind != GIT_PROGRAM))
		return more < 0 ? -1 : 0;
	if (git_objects_get(&r->objects, &g.object, "blob", GIT_MODULES_MAX, &text, err) < 0)
		return -1;
	return git_modules_parse(text.data, text.len, &r->modules, err);
}

/** What a commit says of itself. */
static int get_commit(struct git_objects *o, const struct git_name *name, struct git_commit *ret, struct err *err)
{
	auto_buf text = {0};

	if (git_objects_get(o, name, "commit", GIT_TEXT_MAX, &text, err) < 0)
		return -1;
	return git_commit_parse(text.data == NULL ? "" : text.data, text.len, strlen(name->hex), ret, err);
}

static int read_commit(void *arg, int out, struct err *err)
{
	const struct git_read_commit *c = arg;
	__attribute__((cleanup(reading_free))) struct reading *r = calloc(1, sizeof *r);
	struct git_commit commit;

	if (r == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a commit");
	r->objects.in = c->fds[0];
	r->objects.out = c->fds[1];
	r->out = out;
	r->name_len = strlen(c->name.hex);
	r->want_modules = c->modules;
	if (get_commit(&r->objects, &c->name, &commit, err) < 0)
		return err_ctx(err, "commit %s", c->name.hex);
	if (read_modules(r, &commit.tree, err) < 0 || walk_tree(r, &commit.tree, err) < 0)
		return -1;
	return flush(r, err);
}

int git_read_start(struct git_read_commit *c, const struct git_child *git, struct confined *ret, struct err *err)
{
	const struct confine_conf conf = {
		.what = "the reader of the commit", .fn = read_commit, .arg = c, .fds = c->fds, .nfds = ARRAY_LEN(c->fds), .kind = ERR_INPUT,
		.memory = READER_MEMORY, .cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};

	c->fds[0] = git->in;
	c->fds[1] = git->out;
	return confine_start(&conf, ret, err);
}

/* ---- what objects are --------------------------------------------------------------------- */

/** Most tags that name a tag. */
#define TAGS_MAX 8

struct peeling {
	int fds[2];
	const struct git_name *names;
	size_t n;
	bool timed;
};

/** From an object's name to the commit that it is, or names as a tag; an empty one where it is neither. */
static int peel(struct git_objects *o, struct git_name *name, struct err *err)
{
	char is[GIT_TYPE_SIZE];
	const char *type;
	uint64_t size;

	for (int i = 0; i < TAGS_MAX; i++) {
		auto_buf text = {0};

		if (git_objects_info(o, name, is, &size, err) < 0)
			return -1;
		if (strcmp(is, "commit") == 0)
			return 0;
		if (strcmp(is, "tag") != 0)
			break;
		if (git_objects_get(o, name, "tag", GIT_TEXT_MAX, &text, err) < 0 ||
		    git_tag_parse(text.data == NULL ? "" : text.data, text.len, strlen(name->hex), name, &type, err) < 0)
			return -1;
	}
	*name = (struct git_name){0};
	return 0;
}

static int read_peeled(void *arg, int out, struct err *err)
{
	const struct peeling *p = arg;
	auto_free struct git_objects *o = calloc(1, sizeof *o);

	if (o == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read objects");
	o->in = p->fds[0];
	o->out = p->fds[1];
	for (size_t i = 0; i < p->n; i++) {
		struct git_peeled answer = { .commit = p->names[i] };
		struct git_commit commit = {0};

		if (peel(o, &answer.commit, err) < 0 ||
		    (p->timed && i == 0 && answer.commit.hex[0] != '\0' && get_commit(o, &answer.commit, &commit, err) < 0))
			return -1;
		answer.time = commit.time;
		if (io_write_all(out, &answer, sizeof answer, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_sound(const struct git_peeled *p)
{
	size_t n = strnlen(p->commit.hex, sizeof p->commit.hex);
	struct git_name name;

	return p->time >= 0 && p->time <= GIT_TIME_MAX && (n == 0 || git_name_parse(p->commit.hex, n, &name));
}

int git_read_peel(const struct git_child *git, const struct git_name *names, size_t n, bool timed, struct git_peeled *ret, struct err *err)
{
	struct peeling p = { { git->in, git->out }, names, n, timed };
	const struct confine_conf conf = {
		.what = "the reader of tags", .fn = read_peeled, .arg = &p, .fds = p.fds, .nfds = ARRAY_LEN(p.fds), .kind = ERR_INPUT,
	};
	auto_buf answer = {0};

	if (n > GIT_PEEL_MAX)
		return err_set(err, ERR_INTERNAL, 0, "ask for %zu objects at once", n);
	if (confine_run(&conf, n * sizeof *ret, &answer, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (answer.len != n * sizeof *ret || !is_sound((const struct git_peeled *)(const void *)answer.data + i))
			return err_set(err, ERR_INPUT, 0, "the reader of tags says what makes no sense");
	if (n > 0)
		memcpy(ret, answer.data, n * sizeof *ret);
	return 0;
}
