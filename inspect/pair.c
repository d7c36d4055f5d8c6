/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "inspect/look.h"

/** Candidates that one file is compared with to see whether it moved. */
#define MOVES_TRIED 64

/** Two listings being paired. */
struct pairing {
	struct look *look;
	json_t *node;
	struct listing *a, *b;
	int depth;
	const struct member **only_a, **only_b;
	size_t n_a, n_b;
	struct slot *by_size;   /* of only_b */
};

/** Where in only_b a file of that size is. */
struct slot {
	uint64_t size;
	size_t at;
};

/** A member's content, open. content_close(). */
struct content {
	struct slice bytes;
	int fd;              /* its own, or -1 */
};
static void content_close(struct content *c)
{
	own_fd(&c->fd);
}
#define auto_content __attribute__((cleanup(content_close))) struct content

static int open_below(int dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/** Opens what is stored; of a packed member what is packed. */
static int content_open(const struct listing *l, const struct member *m, struct content *ret, struct err *err)
{
	if (l->dir == -1)
		return bytes_part(&l->from, m->offset, m->packed ? m->stored : m->size, "content", &ret->bytes, err);
	ret->fd = open_below(l->dir, m->path);
	if (ret->fd < 0)
		return err_set(err, ERR_INPUT, errno, "open '%.1000s'", m->path);
	ret->bytes = (struct slice){ .fd = ret->fd, .size = m->size };
	return 0;
}

/** Unpacks a packed member; the others are what they are. */
static int unpack(struct look *l, const struct member *m, struct slice *s, struct err *err)
{
	const struct slice packed = *s;

	if (!m->packed)
		return 0;
	if (m->method != 8)
		return err_set(err, ERR_INPUT, 0, "'%.200s' is packed by method %u, which is not read", m->path, m->method);
	return look_unpack(l, &packed, &look_deflate, s, err);
}

/* ---- metadata ------------------------------------------------------------------------------ */

static const char *type_name(enum member_type t)
{
	static const char *const names[] = { "file", "directory", "link", "hard link", "other" };

	return names[t];
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/** Whether all is the same that there are fields for. */
static bool same_fields(const struct member *a, const struct member *b)
{
	return a->type == b->type && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->mtime == b->mtime &&
	       strcmp(a->uname, b->uname) == 0 && strcmp(a->gname, b->gname) == 0 && same_text(a->link, b->link) && a->method == b->method &&
	       a->made_by == b->made_by;
}

static bool same_metadata(const struct member *a, const struct member *b)
{
	return same_fields(a, b) && a->head_sum == b->head_sum;
}

static void tell_link(struct look *l, json_t *node, const struct member *a, const struct member *b)
{
	const char *x = a->link != NULL ? a->link : "", *y = b->link != NULL ? b->link : "";

	if (!same_text(a->link, b->link))
		node_field_words(l, node, "link", x, y);
}

static void tell_metadata(struct look *l, json_t *node, const struct member *a, const struct member *b)
{
	char x[8], y[8];

	if (a->type != b->type)
		node_field(l, node, "type", type_name(a->type), type_name(b->type), CAUSE_NONE);
	snprintf(x, sizeof x, "%04o", a->mode & 07777);
	snprintf(y, sizeof y, "%04o", b->mode & 07777);
	/* A link's is nobody's. */
	if (a->mode != b->mode && a->type != MEMBER_LINK && b->type != MEMBER_LINK)
		node_field(l, node, "mode", x, y, CAUSE_NONE);
	if (a->uid != b->uid)
		node_field_number(l, node, "uid", a->uid, b->uid, CAUSE_OWNER);
	if (a->gid != b->gid)
		node_field_number(l, node, "gid", a->gid, b->gid, CAUSE_OWNER);
	if (strcmp(a->uname, b->uname) != 0)
		node_field(l, node, "uname", a->uname, b->uname, CAUSE_OWNER);
	if (strcmp(a->gname, b->gname) != 0)
		node_field(l, node, "gname", a->gname, b->gname, CAUSE_OWNER);
	if (a->mtime != b->mtime)
		node_field_time(l, node, "mtime", a->mtime, b->mtime);
	if (a->method != b->method)
		node_field_number(l, node, "compression method", a->method, b->method, CAUSE_COMPRESSOR);
	if (a->made_by != b->made_by)
		node_field_number(l, node, "made by", a->made_by, b->made_by, CAUSE_NONE);
	tell_link(l, node, a, b);
}

/* ---- two members of one path ------------------------------------------------------------------ */

/** Whether what is stored is the same; @p ret_unpacked: whether what that unpacks to is. */
static int compare(const struct pairing *p, const struct member *a, const struct member *b, bool *ret_same, bool *ret_unpacked, struct err *err)
{
	auto_content x = { .fd = -1 }, y = { .fd = -1 };
	uint64_t at = BYTES_SAME;

	if (a->type != MEMBER_FILE || b->type != MEMBER_FILE) {
		*ret_same = *ret_unpacked = true;
		return 0;
	}
	bool maybe = a->size == b->size && a->stored == b->stored && a->packed == b->packed;
	if (maybe && a->size > 0 && (content_open(p->a, a, &x, err) < 0 || content_open(p->b, b, &y, err) < 0 ||
				     bytes_differ_at(&x.bytes, &y.bytes, &at, err) < 0))
		return -1;
	*ret_same = maybe && at == BYTES_SAME;
	*ret_unpacked = *ret_same || ((a->packed || b->packed) && a->size == b->size && a->crc == b->crc);
	return 0;
}

static int look_at_content(const struct pairing *p, json_t *node, const struct member *a, const struct member *b, struct err *err)
{
	auto_content x = { .fd = -1 }, y = { .fd = -1 };
	struct look *l = p->look;
	uint64_t end = l->end;

	if (content_open(p->a, a, &x, err) < 0 || content_open(p->b, b, &y, err) < 0 || unpack(l, a, &x.bytes, err) < 0 ||
	    unpack(l, b, &y.bytes, err) < 0)
		return -1;
	int result = (l->apart ? look_apart : look_into)(l, node, a->path, &x.bytes, &y.bytes, p->depth, err);
	l->end = end;
	return result;
}

/** Looks at one pair; what cannot be read inside an archive is told of, and the rest goes on. */
static int tell_content(const struct pairing *p, json_t *node, const struct member *a, const struct member *b, struct err *err)
{
	struct err why = {0};

	if (node == NULL || look_at_content(p, node, a, b, &why) == 0)
		return 0;
	if (why.kind != ERR_INPUT || p->a->dir != -1) {
		*err = why;
		return err_ctx(err, "'%.1000s'", a->path);
	}
	node_text(p->look, node, "note", why.msg);
	return 0;
}

/** Tells of what else two headers in archives say. */
static int tell_head(const struct pairing *p, json_t *node, const struct member *a, const struct member *b, struct err *err)
{
	if (a->head_sum == b->head_sum)
		return 0;
	if (look_tar_head(p->look, node, p->a, a, p->b, b, err) < 0)
		return -1;
	if (node != NULL && node_is_empty(node) && same_fields(a, b) && a->size == b->size)
		node_text(p->look, node, "note", "its header is written in another way");
	return 0;
}

static int pair_one(const struct pairing *p, const struct member *a, const struct member *b, struct err *err)
{
	bool same, unpacked;

	if (compare(p, a, b, &same, &unpacked, err) < 0)
		return err_ctx(err, "'%.1000s'", a->path);
	if (same && same_metadata(a, b))
		return 0;
	json_t *node = node_add(p->look, p->node, a->path, "changed");
	tell_metadata(p->look, node, a, b);
	if (tell_head(p, node, a, b, err) < 0)
		return err_ctx(err, "'%.1000s'", a->path);
	if (same)
		return 0;
	if (unpacked) {
		if (a->method == b->method)
			node_cause(p->look, node, CAUSE_COMPRESSOR, "the same content, packed differently");
		return 0;
	}
	return tell_content(p, node, a, b, err);
}

/* ---- by path ----------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static void sort(struct listing *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof *l->v, by_path);
}

/** Pairs by path. place[i]: where the member with index i in B is in A, where all have a partner. */
static int pair_by_path(struct pairing *p, size_t *place, struct err *err)
{
	size_t i = 0, j = 0;

	while (i < p->a->n || j < p->b->n) {
		const struct member *x = &p->a->v[i], *y = &p->b->v[j];
		int order = i == p->a->n ? 1 : j == p->b->n ? -1 : strcmp(x->path, y->path);

		if (order < 0) {
			p->only_a[p->n_a++] = x;
			i++;
		} else if (order > 0) {
			p->only_b[p->n_b++] = y;
			j++;
		} else {
			place[y->index] = x->index;
			if (pair_one(p, x, y, err) < 0)
				return -1;
			i++;
			j++;
		}
	}
	return 0;
}

/** All members have partners, and in an archive they have an order, too. */
static void tell_order(const struct pairing *p, const size_t *place)
{
	size_t n = p->b->n, i = 0;
	auto_buf evidence = {0};

	while (i < n && place[i] == i)
		i++;
	if (i == n || p->a->dir != -1)
		return;
	const char *path = "";
	for (size_t k = 0; k < n; k++)
		if (p->b->v[k].index == i)
			path = p->b->v[k].path;
	buf_addf(&evidence, "the same %zu members in another order: '", n);
	text_brief(&evidence, path, strlen(path), NODE_STRING_BYTES);
	buf_addf(&evidence, "' is number %zu in A, %zu in B", place[i] + 1, i + 1);
	if (evidence.failed)
		p->look->failed = true;
	else
		node_cause(p->look, p->node, cause_of_places(place, n), evidence.data);
}

/* ---- by content -------------------------------------------------------------------------------- */

/** Whether a member that only A has is one that only B has under another name. */
static int has_moved(const struct pairing *p, const struct member *a, const struct member *b, bool *ret, struct err *err)
{
	bool unpacked;

	*ret = false;
	if (a->type != MEMBER_FILE || b->type != MEMBER_FILE || a->size != b->size || a->size == 0)
		return 0;
	return compare(p, a, b, &unpacked, ret, err);
}

/** The part of two paths that differs first: a name between slashes. */
static cause_set cause_of_paths(const char *a, const char *b)
{
	size_t same = 0;

	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '/')
			same = i + 1;
	return cause_of_words((struct words){ a + same, strcspn(a + same, "/") }, (struct words){ b + same, strcspn(b + same, "/") });
}

static void tell_name(const struct pairing *p, json_t *node, const char *a, const char *b)
{
	node_causes(p->look, node, cause_of_paths(a, b), "name ", (struct words){ a, strlen(a) }, (struct words){ b, strlen(b) });
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static void sort_slots(struct pairing *p)
{
	for (size_t i = 0; i < p->n_b; i++)
		p->by_size[i] = (struct slot){ p->only_b[i]->size, i };
	if (p->n_b > 0)
		qsort(p->by_size, p->n_b, sizeof *p->by_size, compare_slots);
}

/** The first slot of that size, or past the end. */
static size_t find_slot(const struct pairing *p, uint64_t size)
{
	size_t low = 0, high = p->n_b;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->by_size[middle].size < size)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void tell_moved(struct pairing *p, const struct member *a, const struct member *b)
{
	json_t *node = node_add(p->look, p->node, a->path, "moved");

	node_text(p->look, node, "to", b->path);
	tell_metadata(p->look, node, a, b);
	tell_name(p, node, a->path, b->path);
}

static int find_moved(struct pairing *p, size_t i, struct err *err)
{
	const struct member *a = p->only_a[i];
	size_t first = find_slot(p, a->size);

	for (size_t k = first; k < p->n_b && k - first < MOVES_TRIED && p->by_size[k].size == a->size; k++) {
		const struct member **b = &p->only_b[p->by_size[k].at];
		bool moved = false;

		if (*b != NULL && has_moved(p, a, *b, &moved, err) < 0)
			return -1;
		if (!moved)
			continue;
		tell_moved(p, a, *b);
		p->only_a[i] = *b = NULL;
		return 0;
	}
	return 0;
}

/** What is left has no partner. As many on one side as on the other: maybe their names tell why. */
static void tell_unpaired(struct pairing *p)
{
	const struct member **v[] = { p->only_a, p->only_b };
	size_t n[] = { p->n_a, p->n_b };
	static const char *const kinds[] = { "removed", "added" };

	for (size_t side = 0; side < 2; side++) {
		size_t kept = 0;

		for (size_t i = 0; i < n[side]; i++)
			if (v[side][i] != NULL)
				v[side][kept++] = v[side][i];
		n[side] = kept;
		for (size_t i = 0; i < kept; i++)
			(void)node_add(p->look, p->node, v[side][i]->path, kinds[side]);
	}
	for (size_t i = 0; n[0] == n[1] && i < n[0]; i++)
		tell_name(p, p->node, p->only_a[i]->path, p->only_b[i]->path);
}

static int pair_all(struct pairing *p, size_t *place, struct err *err)
{
	sort(p->a);
	sort(p->b);
	if (pair_by_path(p, place, err) < 0)
		return -1;
	if (p->n_a + p->n_b == 0)
		tell_order(p, place);
	sort_slots(p);
	for (size_t i = 0; i < p->n_a; i++)
		if (find_moved(p, i, err) < 0)
			return -1;
	tell_unpaired(p);
	return 0;
}

int pair_listings(struct look *l, json_t *node, struct listing *a, struct listing *b, int depth, struct err *err)
{
	auto_free const struct member **only_a = calloc(a->n + 1, sizeof(struct member *));
	auto_free const struct member **only_b = calloc(b->n + 1, sizeof(struct member *));
	auto_free size_t *place = calloc(b->n + 1, sizeof *place);
	auto_free struct slot *by_size = calloc(b->n + 1, sizeof *by_size);
	struct pairing p = {
		.look = l, .node = node, .a = a, .b = b, .depth = depth, .only_a = only_a, .only_b = only_b, .by_size = by_size,
	};

	if (only_a == NULL || only_b == NULL || place == NULL || by_size == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "pair members");
	return pair_all(&p, place, err);
}
