/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/rules.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#include "oci/oci.h"

#define WHITEOUT ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/** A path and what the newest layer that names it made of it. */
struct seen {
	const char *path;    /* behind this struct, or the key of a look-up */
	size_t len;
	enum tar_type type;  /* GONE: a whiteout took it away */
	unsigned layer;
	unsigned emptied;    /* layer whose whiteout took away what lower ones have below it; 0: none */
};

#define GONE ((enum tar_type)0)

struct rules {
	void *tree;          /* tsearch(3) of struct seen: balanced, so that no choice of names makes it slow */
	unsigned layer;
	unsigned entries;
	size_t path_bytes;
};

const char *rules_path(const char *path)
{
	if (path[0] == '/')
		return "the path is absolute";
	if (!text_path_is_clean(path))
		return "the path has an empty, '.' or '..' component";
	if (strlen(path) > TAR_PATH_MAX)
		return "the path is longer than 4095 bytes";
	return NULL;
}

const char *rules_mode(unsigned mode)
{
	if (mode & 06000)
		return "the mode has setuid or setgid";
	if (mode > 07777)
		return "the mode has more than permission bits";
	return NULL;
}

const char *rules_link_target(const char *target)
{
	if (target[0] == '\0')
		return "the link has no target";
	if (strlen(target) > TAR_PATH_MAX)
		return "the link's target is longer than 4095 bytes";
	return NULL;
}

static bool is_whiteout_name(const char *name)
{
	return text_starts(name, WHITEOUT);
}

bool rules_is_whiteout(const char *path)
{
	const char *name = path;

	while (name != NULL && !is_whiteout_name(name)) {
		name = strchr(name, '/');
		if (name != NULL)
			name++;
	}
	return name != NULL;
}

const char *rules_whiteout(const char *path, bool is_empty_file, enum rules_mark *ret, struct buf *victim)
{
	const char *name = text_path_name(path);
	const char *gone = name + strlen(WHITEOUT);
	size_t dir = (size_t)(name - path);
	bool opaque = strcmp(name, WHITEOUT_OPAQUE) == 0;

	if (!rules_is_whiteout(path)) {
		*ret = RULES_PLAIN;
		return NULL;
	}
	if (!is_whiteout_name(name) || !is_empty_file)
		return "a whiteout (.wh.) is an empty file and nothing else";
	if (!opaque && (is_whiteout_name(gone) || !text_path_is_clean(gone)))
		return "not a whiteout that OCI knows";
	*ret = opaque ? RULES_OPAQUE : RULES_WHITEOUT;
	buf_add(victim, path, opaque && dir > 0 ? dir - 1 : dir);
	buf_adds(victim, opaque ? "" : gone);
	return NULL;
}

struct rules *rules_new(void)
{
	return calloc(1, sizeof(struct rules));
}

void rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	tdestroy(r->tree, free);
	free(r);
}

void rules_next_layer(struct rules *r)
{
	r->layer++;
}

static int compare(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = memcmp(x->path, y->path, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/** What is known of the first @p len bytes of @p path, or NULL. */
static struct seen *find(const struct rules *r, const char *path, size_t len)
{
	struct seen key = { .path = path, .len = len };
	struct seen **node = tfind(&key, &r->tree, compare);

	return node != NULL ? *node : NULL;
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_UNVERIFIED, 0, "%s", why);
}

/** Whether @p s is there to an extractor: no whiteout has taken it, nor a directory above it, in a later layer. */
static bool is_there(const struct rules *r, const struct seen *s)
{
	if (s->type == GONE)
		return false;
	for (const char *slash = strchr(s->path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const struct seen *above = find(r, s->path, (size_t)(slash - s->path));

		if (above != NULL && above->emptied > s->layer)
			return false;
	}
	return true;
}

/** Every directory on the way to @p path must be one: an extractor would follow a link there. */
static int check_way(const struct rules *r, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const struct seen *on_way = find(r, path, (size_t)(slash - path));

		if (on_way != NULL && on_way->type != TAR_DIR && is_there(r, on_way))
			return refuse(err, "the path leads through a link or a file");
	}
	return 0;
}

static struct seen *seen_new(const char *path, size_t len)
{
	struct seen *s = calloc(1, sizeof *s + len + 1);

	if (s == NULL)
		return NULL;
	memcpy(s + 1, path, len);
	s->path = (const char *)(s + 1);
	s->len = len;
	return s;
}

static int insert(struct rules *r, const char *path, size_t len, struct seen **ret, struct err *err)
{
	if (r->entries == OCI_ENTRIES_MAX || len > OCI_PATH_BYTES_MAX - r->path_bytes)
		return err_set(err, ERR_UNVERIFIED, 0, "the layers hold more than %u entries or %u bytes of paths",
			       OCI_ENTRIES_MAX, OCI_PATH_BYTES_MAX);
	auto_free struct seen *s = seen_new(path, len);
	if (s == NULL || tsearch(s, &r->tree, compare) == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "remember the paths of a layer");
	r->entries++;
	r->path_bytes += len;
	*ret = move_ptr(s);
	return 0;
}

/** Remembers what is at @p path from this layer on. */
static int set_type(struct rules *r, const char *path, enum tar_type type, struct err *err)
{
	size_t len = strlen(path);
	struct seen *s = find(r, path, len);

	if (s == NULL && insert(r, path, len, &s, err) < 0)
		return -1;
	s->type = type;
	s->layer = r->layer;
	return 0;
}

/** Remembers @p e, which may replace what a lower layer had there, never what this one has. */
static int remember(struct rules *r, const struct untar_entry *e, struct err *err)
{
	const struct seen *s = find(r, e->path, strlen(e->path));

	if (s != NULL && s->layer == r->layer)
		return refuse(err, "the path comes twice in one layer");
	return set_type(r, e->path, e->type, err);
}

static int check_hard_link(const struct rules *r, const struct untar_entry *e, struct err *err)
{
	const char *why = rules_path(e->link);

	if (why != NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "hard link's target: %s", why);
	const struct seen *to = find(r, e->link, strlen(e->link));
	if (to == NULL || (to->type != TAR_FILE && to->type != TAR_HARDLINK))
		return refuse(err, "hard link to something that is no file before it");
	if (check_way(r, e->link, err) < 0)
		return err_ctx(err, "hard link's target");
	return 0;
}

/** Takes away what the layers below have in @p path, where an opaque whiteout stands; the root has no entry of its own to
 *  note that in, and an image that empties its root has nothing to do with layers below. */
static int empty_directory(struct rules *r, const char *path, size_t len, struct err *err)
{
	if (len == 0)
		return 0;
	struct seen *dir = find(r, path, len);
	if (dir == NULL && insert(r, path, len, &dir, err) < 0)
		return -1;
	if (dir->layer == 0) {
		dir->type = TAR_DIR;
		dir->layer = r->layer;
	}
	dir->emptied = r->layer;
	return 0;
}

/** Takes away what the layers below have at @p path. */
static int take_away(struct rules *r, const char *path, size_t len, struct err *err)
{
	struct seen *s = find(r, path, len);

	/* A directory need not have had an entry of its own for files to lie below it. */
	if (s == NULL && insert(r, path, len, &s, err) < 0)
		return -1;
	s->emptied = r->layer;
	if (s->layer != r->layer)
		s->type = GONE;
	return 0;
}

/** Does what a whiteout says. */
static int apply_mark(struct rules *r, enum rules_mark mark, const struct buf *victim, struct err *err)
{
	if (buf_check(victim, "remember a whiteout", err) < 0)
		return -1;
	return mark == RULES_OPAQUE ? empty_directory(r, victim->data, victim->len, err)
				    : take_away(r, victim->data, victim->len, err);
}

/** A whiteout deletes from the layers below, never from its own. */
static int check_whiteout(struct rules *r, const struct untar_entry *e, struct err *err)
{
	enum rules_mark mark;
	auto_buf victim = { 0 };
	const char *why = rules_whiteout(e->path, e->type == TAR_FILE && e->size == 0, &mark, &victim);

	return why != NULL ? refuse(err, why) : apply_mark(r, mark, &victim, err);
}

static int check_type(struct rules *r, const struct untar_entry *e, struct err *err)
{
	const char *why;

	switch (e->type) {
	case TAR_LINK:
		why = rules_link_target(e->link);
		return why == NULL ? 0 : refuse(err, why);
	case TAR_HARDLINK:
		return check_hard_link(r, e, err);
	default:
		return 0;
	}
}

int rules_check(struct rules *r, const struct untar_entry *e, struct err *err)
{
	bool root = e->path[0] == '\0';
	const char *why = root ? NULL : rules_path(e->path);

	/* A symbolic link has no mode of its own; tools write all sorts there. */
	if (why == NULL && e->type != TAR_LINK)
		why = rules_mode(e->mode);
	if (why == NULL && root && e->type != TAR_DIR)
		why = "the root is not a directory";
	if (why != NULL)
		return refuse(err, why);
	if (check_way(r, e->path, err) < 0 || check_type(r, e, err) < 0)
		return -1;
	if (rules_is_whiteout(e->path) && check_whiteout(r, e, err) < 0)
		return -1;
	return remember(r, e, err);
}

int rules_note(struct rules *r, const struct untar_entry *e, struct err *err)
{
	const char *path = e->path + strspn(e->path, "/");
	const char *why = path[0] == '\0' ? NULL : rules_path(path);
	enum rules_mark mark;
	auto_buf victim = { 0 };

	if (why != NULL)
		return refuse(err, why);
	/* Names such as AUFS's own, which begin as whiteouts do and are none, say nothing of what is there. */
	if (path[0] == '\0' || rules_whiteout(path, true, &mark, &victim) != NULL)
		return 0;
	return mark == RULES_PLAIN ? set_type(r, path, e->type, err) : apply_mark(r, mark, &victim, err);
}

int rules_put(struct rules *r, const char *path, enum tar_type type, struct err *err)
{
	if (type != TAR_LINK && find(r, path, strlen(path)) == NULL)
		return 0;
	return set_type(r, path, type, err);
}

bool rules_is_link(const struct rules *r, const char *path)
{
	const struct seen *s = find(r, path, strlen(path));

	return s != NULL && s->type == TAR_LINK && is_there(r, s);
}
