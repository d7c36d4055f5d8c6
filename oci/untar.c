/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/untar.h"

#include <errno.h>
#include <string.h>

#include "oci/pax.h"
#include "oci/show.h"

/** Content is passed over in pieces of this size. */
#define SKIP_CHUNK (64u << 10)

struct walk {
	const struct untar_ops *ops;
	uint64_t offset;        /* of the next byte to read */
	struct pax_fields more; /* what extended headers said of the next entry */
	struct buf extra;       /* an extended header's content */
	struct buf path, link, uname, gname;  /* of the current entry */
	char *skip;             /* SKIP_CHUNK bytes */
};

static int bad(struct err *err, const char *why)
{
	return err_set(err, ERR_UNVERIFIED, 0, "%s", why);
}

static int take(struct walk *w, void *data, size_t n, struct err *err)
{
	size_t got;

	if (w->ops->read(w->ops->arg, data, n, &got, err) < 0)
		return -1;
	w->offset += got;
	return got == n ? 0 : bad(err, "the tar ends too early");
}

static bool all_zero(const void *data, size_t n)
{
	const char *p = data;

	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int take_padding(struct walk *w, uint64_t size, struct err *err)
{
	char padding[TAR_BLOCK];
	size_t n = tar_padding(size), got;

	if (w->ops->read(w->ops->arg, padding, n, &got, err) < 0)
		return -1;
	w->offset += got;
	/* Who leaves the end of the archive out (umoci insert) leaves the last padding out, too. */
	if (got != n && !w->ops->tolerant)
		return bad(err, "the tar ends too early");
	return all_zero(padding, got) ? 0 : bad(err, "padding that is not zero");
}

static int skip_content(struct walk *w, uint64_t size, struct err *err)
{
	bool skip = w->ops->skip != NULL;

	if (skip && w->ops->skip(w->ops->arg, size, err) < 0)
		return -1;
	w->offset += skip ? size : 0;
	for (uint64_t left = skip ? 0 : size; left > 0; ) {
		size_t part = left < SKIP_CHUNK ? (size_t)left : SKIP_CHUNK;

		if (take(w, w->skip, part, err) < 0)
			return -1;
		left -= part;
	}
	return take_padding(w, size, err);
}

/** GNU's binary form of a number that octal cannot hold: 0x80, then big-endian bytes. */
static bool parse_base256(const char *field, size_t width, uint64_t *ret)
{
	uint64_t v = 0;

	if ((uint8_t)field[0] != 0x80)
		return false;
	for (size_t i = 1; i < width; i++) {
		if (v >> 55 != 0)
			return false;
		v = v << 8 | (uint8_t)field[i];
	}
	*ret = v;
	return true;
}

/** Spaces, octal digits, then NULs and spaces. An empty field is 0, as every tar has it. */
static bool parse_number(const char *field, size_t width, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((uint8_t)field[0] & 0x80)
		return parse_base256(field, width, ret);
	while (i < width && field[i] == ' ')
		i++;
	for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	for (; i < width; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return false;
	*ret = v;
	return true;
}

static bool is_posix(const struct tar_header *h)
{
	return memcmp(h->magic, "ustar\0" "00", 8) == 0;
}

static bool is_gnu(const struct tar_header *h)
{
	return memcmp(h->magic, "ustar  ", 8) == 0;
}

static int check_header(const struct tar_header *h, struct err *err)
{
	uint64_t sum;

	if (!is_posix(h) && !is_gnu(h))
		return bad(err, "a header that is neither ustar nor GNU");
	if (!parse_number(h->chksum, sizeof h->chksum, &sum) || sum != tar_checksum(h))
		return bad(err, "a header with a wrong checksum");
	return 0;
}

static int field(const char *text, size_t width, const char *name, uint64_t *ret, struct err *err)
{
	if (!parse_number(text, width, ret))
		return err_set(err, ERR_UNVERIFIED, 0, "a header whose %s is no number", name);
	return 0;
}

/** Reads the content of an extended header or of a GNU long name. */
static int take_extra(struct walk *w, const struct tar_header *h, struct err *err)
{
	uint64_t size;

	if (field(h->size, sizeof h->size, "size", &size, err) < 0)
		return -1;
	unsigned max = w->ops->tolerant ? UNTAR_EXTRA_TOLERANT_MAX : UNTAR_EXTRA_MAX;
	if (size == 0 || size > max)
		return err_set(err, ERR_UNVERIFIED, 0, "an extended header of %llu bytes (1 to %u are read)",
			       (unsigned long long)size, max);
	buf_clear(&w->extra);
	char *to = buf_room(&w->extra, (size_t)size);
	if (to == NULL)
		return buf_check(&w->extra, "read an extended header", err);
	if (take(w, to, (size_t)size, err) < 0)
		return -1;
	buf_seal(&w->extra, (size_t)size);
	return take_padding(w, size, err);
}

/** Sets @p out to the name in the header, joined with the prefix where there is one. */
static void header_name(const struct tar_header *h, struct buf *out)
{
	size_t prefix = is_posix(h) ? strnlen(h->prefix, sizeof h->prefix) : 0;

	buf_clear(out);
	if (prefix != 0) {
		buf_add(out, h->prefix, prefix);
		buf_addc(out, '/');
	}
	buf_add(out, h->name, strnlen(h->name, sizeof h->name));
}

/** "./a" and "a" are one path, and "./" is the root: tar -C DIR . writes so. */
static void drop_dot(struct buf *path)
{
	size_t drop = strcmp(path->data, ".") == 0 ? 1 : text_starts(path->data, "./") ? 2 : 0;

	memmove(path->data, path->data + drop, path->len - drop);
	buf_seal(path, path->len - drop);
}

static int entry_path(struct walk *w, const struct tar_header *h, enum tar_type type, struct err *err)
{
	if (w->more.has & PAX_PATH) {
		buf_clear(&w->path);
		buf_add(&w->path, w->more.path.data, w->more.path.len);
	} else {
		header_name(h, &w->path);
	}
	if (buf_check(&w->path, "read a tar", err) < 0)
		return -1;
	if (w->path.len == 0)
		return bad(err, "an entry without a name");
	drop_dot(&w->path);
	if (type == TAR_DIR && w->path.len != 0 && w->path.data[w->path.len - 1] == '/')
		buf_seal(&w->path, w->path.len - 1);
	return 0;
}

static int entry_link(struct walk *w, const struct tar_header *h, enum tar_type type, struct err *err)
{
	buf_clear(&w->link);
	if (w->more.has & PAX_LINK)
		buf_add(&w->link, w->more.link.data, w->more.link.len);
	else
		buf_add(&w->link, h->linkname, strnlen(h->linkname, sizeof h->linkname));
	if (buf_check(&w->link, "read a tar", err) < 0)
		return -1;
	bool link = type == TAR_LINK || type == TAR_HARDLINK;
	if (link != (w->link.len != 0))
		return bad(err, link ? "a link without a target" : "a target on something that is no link");
	if (type == TAR_HARDLINK)
		drop_dot(&w->link);
	return 0;
}

static int entry_numbers(const struct walk *w, const struct tar_header *h, struct untar_entry *e, struct err *err)
{
	uint64_t mode;

	if (field(h->mode, sizeof h->mode, "mode", &mode, err) < 0 ||
	    field(h->uid, sizeof h->uid, "uid", &e->uid, err) < 0 ||
	    field(h->gid, sizeof h->gid, "gid", &e->gid, err) < 0 ||
	    field(h->size, sizeof h->size, "size", &e->size, err) < 0)
		return -1;
	e->mode = mode & 07777;
	if (w->more.has & PAX_UID)
		e->uid = w->more.uid;
	if (w->more.has & PAX_GID)
		e->gid = w->more.gid;
	if (w->more.has & PAX_SIZE)
		e->size = w->more.size;
	if (e->type != TAR_FILE && e->size != 0)
		return bad(err, "content on something that is no file");
	return 0;
}

/** An owner's name: of the pax header, else of the header. */
static int entry_owner(struct buf *to, const struct buf *pax, const char field_text[32], const char **ret, struct err *err)
{
	buf_clear(to);
	if (pax != NULL)
		buf_add(to, pax->data, pax->len);
	else
		buf_add(to, field_text, strnlen(field_text, 32));
	if (buf_check(to, "read a tar", err) < 0)
		return -1;
	*ret = to->len != 0 ? to->data : "";
	return 0;
}

/** What images drop, and a comparison does not: nothing about it is an error. */
static int entry_marks(struct walk *w, const struct tar_header *h, struct untar_entry *e, struct err *err)
{
	const struct pax_fields *more = &w->more;
	uint64_t mtime;

	if (more->has & PAX_MTIME)
		e->mtime = more->mtime;
	else if (parse_number(h->mtime, sizeof h->mtime, &mtime) && mtime <= INT64_MAX)
		e->mtime = (int64_t)mtime;
	if (entry_owner(&w->uname, more->has & PAX_UNAME ? &more->uname : NULL, h->uname, &e->uname, err) < 0)
		return -1;
	return entry_owner(&w->gname, more->has & PAX_GNAME ? &more->gname : NULL, h->gname, &e->gname, err);
}

static int entry_type(const struct tar_header *h, bool tolerant, enum tar_type *ret, struct err *err)
{
	if (tolerant && (h->typeflag == '3' || h->typeflag == '4' || h->typeflag == '6')) {
		*ret = TAR_SPECIAL;
		return 0;
	}
	switch (h->typeflag) {
	case '\0':
	case TAR_FILE:
		*ret = TAR_FILE;
		return 0;
	case TAR_HARDLINK:
	case TAR_LINK:
	case TAR_DIR:
		*ret = (enum tar_type)h->typeflag;
		return 0;
	case '3':
	case '4':
		return bad(err, "a device node");
	case '6':
		return bad(err, "a FIFO");
	default:
		return err_set(err, ERR_UNVERIFIED, 0, "a member of type \\%03o, which no layer needs", (uint8_t)h->typeflag);
	}
}

/** Puts the entry's path in front of an error, where it is known. */
static int name_entry(const struct walk *w, struct err *err)
{
	char name[SHOW_SIZE];

	return err_ctx(err, "entry '%s'", show_name(w->path.data, w->path.len, name));
}

static int take_entry(struct walk *w, const struct tar_header *h, struct err *err)
{
	struct untar_entry e = { 0 };

	if (entry_type(h, w->ops->tolerant, &e.type, err) < 0) {
		header_name(h, &w->path);
		return name_entry(w, err);
	}
	if (entry_path(w, h, e.type, err) < 0)
		return -1;
	if (entry_link(w, h, e.type, err) < 0 || entry_numbers(w, h, &e, err) < 0 || entry_marks(w, h, &e, err) < 0)
		return name_entry(w, err);
	e.offset = w->offset;
	e.path = w->path.data;
	e.link = w->link.len != 0 ? w->link.data : NULL;
	pax_clear(&w->more);
	if (w->ops->entry(w->ops->arg, &e, err) < 0 || skip_content(w, e.size, err) < 0)
		return name_entry(w, err);
	return 0;
}

static int take_member(struct walk *w, const struct tar_header *h, struct err *err)
{
	if (check_header(h, err) < 0)
		return -1;
	switch (h->typeflag) {
	case TAR_PAX:
		return take_extra(w, h, err) < 0 ? -1 : pax_parse(&w->more, &w->extra, w->ops->tolerant, err);
	case TAR_PAX_GLOBAL:
		/* What git archive writes, a comment; or defaults, which no reader of layers heeds. */
		return w->ops->tolerant ? take_extra(w, h, err) : take_entry(w, h, err);
	case TAR_GNU_NAME:
		return take_extra(w, h, err) < 0 ? -1 : pax_gnu_name(&w->more, PAX_PATH, &w->extra, err);
	case TAR_GNU_LINK:
		return take_extra(w, h, err) < 0 ? -1 : pax_gnu_name(&w->more, PAX_LINK, &w->extra, err);
	default:
		return take_entry(w, h, err);
	}
}

/** Whatever stands behind a foreign tar's end: those who unpack it don't look either. */
static int pass_over_rest(struct walk *w, struct err *err)
{
	size_t got;

	do {
		if (w->ops->read(w->ops->arg, w->skip, SKIP_CHUNK, &got, err) < 0)
			return -1;
	} while (got != 0);
	return 0;
}

/** After the first zero block: a second one, and as many zeros more as there are. */
static int take_end(struct walk *w, struct err *err)
{
	size_t got;

	if (w->more.has != 0)
		return bad(err, "an extended header without an entry");
	if (w->ops->tolerant)
		return pass_over_rest(w, err);
	if (take(w, w->skip, TAR_BLOCK, err) < 0)
		return -1;
	if (!all_zero(w->skip, TAR_BLOCK))
		return bad(err, "a lone zero block");
	do {
		if (w->ops->read(w->ops->arg, w->skip, SKIP_CHUNK, &got, err) < 0)
			return -1;
		if (!all_zero(w->skip, got))
			return bad(err, "bytes after the end of the tar");
		w->offset += got;
	} while (got != 0);
	return 0;
}

/** Reads the next header. Some tools (umoci insert) leave the zero blocks at the end out: @p ret_end says so. */
static int take_header(struct walk *w, struct tar_header *h, bool *ret_end, struct err *err)
{
	size_t got;

	if (w->ops->read(w->ops->arg, h, sizeof *h, &got, err) < 0)
		return -1;
	w->offset += got;
	*ret_end = got == 0 && w->ops->tolerant && w->offset != 0 && w->more.has == 0;
	return got == sizeof *h || *ret_end ? 0 : bad(err, "the tar ends too early");
}

static int walk_all(struct walk *w, uint64_t *ret_at, struct err *err)
{
	struct tar_header h;
	bool end;

	for (;;) {
		*ret_at = w->offset;
		if (take_header(w, &h, &end, err) < 0)
			return -1;
		if (end)
			return 0;
		if (all_zero(&h, sizeof h))
			return take_end(w, err);
		if (take_member(w, &h, err) < 0)
			return -1;
	}
}

int untar(const struct untar_ops *ops, struct err *err)
{
	auto_free char *skip = malloc(SKIP_CHUNK);
	struct walk w = { .ops = ops, .skip = skip };
	uint64_t at = 0;

	if (skip == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a tar");
	int rc = walk_all(&w, &at, err);
	if (rc < 0)
		err_prefix(err, "tar offset %llu", (unsigned long long)at);
	pax_free(&w.more);
	buf_free(&w.extra);
	buf_free(&w.path);
	buf_free(&w.link);
	buf_free(&w.uname);
	buf_free(&w.gname);
	return rc;
}
