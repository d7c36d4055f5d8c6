/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "inspect/look.h"
#include "oci/untar.h"

/** A tar being listed. */
struct scan {
	struct listing *listing;
	uint64_t at;
	uint64_t head;           /* where the next entry's header begins, or what extends it */
	uint64_t sum;            /* of the bytes from there on: FNV-1a */
};

static void sum_up(struct scan *s, const unsigned char *data, size_t n)
{
	/* Before that there is padding. */
	size_t from = s->at < s->head ? (size_t)(s->head - s->at) : 0;

	for (size_t i = from; i < n; i++)
		s->sum = (s->sum ^ data[i]) * 1099511628211u;
}

static int scan_read(void *arg, void *data, size_t n, size_t *ret_got, struct err *err)
{
	struct scan *s = arg;

	if (bytes_read(&s->listing->from, s->at, data, n, ret_got, err) < 0)
		return -1;
	sum_up(s, data, *ret_got);
	s->at += *ret_got;
	return 0;
}

static int scan_skip(void *arg, uint64_t n, struct err *err)
{
	struct scan *s = arg;

	if (n > s->listing->from.size - s->at)
		return err_set(err, ERR_INPUT, 0, "the archive ends within its %llu bytes", (unsigned long long)n);
	s->at += n;
	return 0;
}

static int scan_entry(void *arg, const struct untar_entry *e, struct err *err)
{
	struct scan *s = arg;
	struct member m = {
		.path = (char *)(e->path[0] == '\0' ? "." : e->path), .link = (char *)e->link, .mode = e->mode, .uid = e->uid, .gid = e->gid,
		.mtime = e->mtime, .offset = e->offset, .size = e->size,
		.type = e->type == TAR_FILE ? MEMBER_FILE : e->type == TAR_DIR ? MEMBER_DIR : e->type == TAR_LINK ? MEMBER_LINK :
			e->type == TAR_HARDLINK ? MEMBER_HARD : MEMBER_OTHER,
		.head = s->head, .head_size = s->at - s->head, .head_sum = s->sum,
	};

	s->head = s->at + (e->type == TAR_FILE ? e->size + tar_padding(e->size) : 0);
	s->sum = 0;

	snprintf(m.uname, sizeof m.uname, "%s", e->uname);
	snprintf(m.gname, sizeof m.gname, "%s", e->gname);
	return listing_add(s->listing, &m, err);
}

int look_list_tar(struct listing *l, struct err *err)
{
	struct scan s = { .listing = l };
	const struct untar_ops ops = { .read = scan_read, .skip = scan_skip, .entry = scan_entry, .arg = &s, .tolerant = true };

	return untar(&ops, err);
}

int look_tar(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	auto_listing x = LISTING_OF(*a), y = LISTING_OF(*b);

	(void)name;
	if (look_list_tar(&x, err) < 0 || look_list_tar(&y, err) < 0)
		return -1;
	return pair_listings(l, node, &x, &y, depth + 1, err);
}
