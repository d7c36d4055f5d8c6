/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/outer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/show.h"
#include "oci/tar.h"

/** Time of every member: 1980-01-01, as for all that glovebox makes. */
#define OUTER_MTIME 315532800

/** Room for blobs grows by this many. */
#define BLOBS_STEP 64

char *outer_blob_name(const struct digest *d, char out[OUTER_BLOB_NAME_SIZE])
{
	memcpy(out, OUTER_SHA256 "/", sizeof OUTER_SHA256);
	digest_hex(d, out + sizeof OUTER_SHA256);
	return out;
}

void outer_file_header(const char *name, uint64_t size, struct buf *out)
{
	struct tar_member m = { .type = TAR_FILE, .path = name, .mode = 0644, .size = size, .mtime = OUTER_MTIME };

	tar_add_member(&m, out);
}

void outer_dir_header(const char *name, struct buf *out)
{
	struct tar_member m = { .type = TAR_DIR, .path = name, .mode = 0755, .mtime = OUTER_MTIME };

	tar_add_member(&m, out);
}

void outer_clear(struct outer *o)
{
	free(o->blobs);
	*o = (struct outer){ 0 };
}

/** The scan: where it is. */
struct scan {
	int fd;
	uint64_t at;          /* offset of the next block */
	uint64_t size;        /* of the file */
	struct tar_header h;  /* the header read last, which stood at `at` - TAR_BLOCK */
	struct buf want;      /* the header that would be right there */
	size_t room;          /* blobs allocated */
};

/** Reads exactly @p n bytes of the archive's own structure. */
static int take(struct scan *s, void *data, size_t n, const char *what, struct err *err)
{
	size_t got;

	if (slice_pread(s->fd, data, n, s->at, &got, err) < 0)
		return -1;
	if (got != n)
		return err_set(err, ERR_UNVERIFIED, 0, "%s at offset %llu: the archive ends within it", what,
			       (unsigned long long)s->at);
	s->at += n;
	return 0;
}

/** Refuses the bytes at @p data unless all are zero. */
static int check_zero(const struct scan *s, const char *data, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (data[i] != 0)
			return err_set(err, ERR_UNVERIFIED, 0, "%s: the byte at offset %llu must be zero", what,
				       (unsigned long long)(s->at - n + i));
	return 0;
}

/** Name of the header field that byte @p at lies in. */
static const char *field_of(size_t at)
{
	static const struct { size_t end; const char *name; } fields[] = {
		{ 100, "name" }, { 108, "mode" }, { 116, "uid" }, { 124, "gid" }, { 136, "size" }, { 148, "mtime" },
		{ 156, "checksum" }, { 157, "type" }, { 257, "link name" }, { 263, "magic" }, { 265, "version" },
		{ 297, "uname" }, { 329, "gname" }, { 337, "devmajor" }, { 345, "devminor" }, { 500, "prefix" },
		{ TAR_BLOCK, "unused tail" },
	};
	size_t i = 0;

	while (at >= fields[i].end)
		i++;
	return fields[i].name;
}

/** Compares the header just read with the one that glovebox would have written. */
static int check_header(struct scan *s, const char *name, struct err *err)
{
	const char *have = (const char *)&s->h;

	if (buf_check(&s->want, "read an image archive", err) < 0)
		return -1;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (have[i] != s->want.data[i])
			return err_set(err, ERR_UNVERIFIED, 0,
				       "member %s at offset %llu: its header's %s differs from what glovebox writes (byte %llu)",
				       name, (unsigned long long)(s->at - TAR_BLOCK), field_of(i),
				       (unsigned long long)(s->at - TAR_BLOCK + i));
	return 0;
}

/** The size field, strictly: eleven octal digits and a NUL. A wrong one gives 0 and then another header. */
static uint64_t size_of(const struct tar_header *h)
{
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof h->size - 1; i++) {
		if (h->size[i] < '0' || h->size[i] > '7')
			return 0;
		v = v << 3 | (uint64_t)(h->size[i] - '0');
	}
	return v;
}

/** Takes the file whose header was read last: checks the header, passes over the content, checks the padding. */
static int take_file(struct scan *s, const char *name, struct slice *ret, struct err *err)
{
	char padding[TAR_BLOCK];
	uint64_t size = size_of(&s->h);

	buf_clear(&s->want);
	outer_file_header(name, size, &s->want);
	if (check_header(s, name, err) < 0)
		return -1;
	if (size > s->size - s->at)
		return err_set(err, ERR_UNVERIFIED, 0, "member %s at offset %llu: the archive ends within its %llu bytes",
			       name, (unsigned long long)(s->at - TAR_BLOCK), (unsigned long long)size);
	struct slice content = { .fd = s->fd, .offset = s->at, .size = size };
	s->at += size;
	if (take(s, padding, tar_padding(size), name, err) < 0 ||
	    check_zero(s, padding, tar_padding(size), name, err) < 0)
		return -1;
	*ret = content;
	return 0;
}

static int take_header(struct scan *s, const char *what, struct err *err)
{
	return take(s, &s->h, sizeof s->h, what, err);
}

/** The members that every archive begins with. */
static int take_front(struct scan *s, struct outer *o, struct err *err)
{
	static const char *const dirs[] = { OUTER_BLOBS, OUTER_SHA256 };

	if (take_header(s, OUTER_LAYOUT, err) < 0 || take_file(s, OUTER_LAYOUT, &o->layout, err) < 0 ||
	    take_header(s, OUTER_INDEX, err) < 0 || take_file(s, OUTER_INDEX, &o->index, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (take_header(s, dirs[i], err) < 0)
			return -1;
		buf_clear(&s->want);
		outer_dir_header(dirs[i], &s->want);
		if (check_header(s, dirs[i], err) < 0)
			return -1;
	}
	return 0;
}

static int make_room(struct scan *s, struct outer *o, struct err *err)
{
	if (o->nblobs < s->room)
		return 0;
	if (o->nblobs >= OCI_MEMBERS_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "more than %d blobs", OCI_MEMBERS_MAX);
	struct outer_blob *grown = reallocarray(o->blobs, s->room + BLOBS_STEP, sizeof *grown);
	if (grown == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image archive");
	o->blobs = grown;
	s->room += BLOBS_STEP;
	return 0;
}

/** The digest that a header's name gives, or an error that shows the name. */
static int blob_digest(const struct scan *s, struct digest *ret, struct err *err)
{
	char name[sizeof s->h.name + 1];
	char shown[SHOW_SIZE];

	memcpy(name, s->h.name, sizeof s->h.name);
	name[sizeof s->h.name] = '\0';
	if (text_starts(name, OUTER_SHA256 "/") && digest_parse_hex(name + sizeof OUTER_SHA256, ret))
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "member '%s' at offset %llu: not one that an image of glovebox has",
		       show_name(name, strlen(name), shown), (unsigned long long)(s->at - TAR_BLOCK));
}

static int take_blob(struct scan *s, struct outer *o, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];
	struct outer_blob blob = { 0 };

	if (blob_digest(s, &blob.digest, err) < 0 || make_room(s, o, err) < 0)
		return -1;
	outer_blob_name(&blob.digest, name);
	if (o->nblobs > 0 && memcmp(o->blobs[o->nblobs - 1].digest.b, blob.digest.b, DIGEST_LEN) >= 0)
		return err_set(err, ERR_UNVERIFIED, 0, "member %s at offset %llu: a duplicate, or out of order", name,
			       (unsigned long long)(s->at - TAR_BLOCK));
	if (take_file(s, name, &blob.content, err) < 0)
		return -1;
	o->blobs[o->nblobs++] = blob;
	return 0;
}

/** After a first zero block: the second, and the end of the file. */
static int take_end(struct scan *s, struct err *err)
{
	if (take_header(s, "the end of the archive", err) < 0 ||
	    check_zero(s, (const char *)&s->h, sizeof s->h, "the end of the archive", err) < 0)
		return -1;
	if (s->at != s->size)
		return err_set(err, ERR_UNVERIFIED, 0, "%llu bytes follow the end of the archive at offset %llu",
			       (unsigned long long)(s->size - s->at), (unsigned long long)s->at);
	return 0;
}

static int scan_all(struct scan *s, struct outer *o, struct err *err)
{
	if (take_front(s, o, err) < 0)
		return -1;
	for (;;) {
		if (take_header(s, "a member", err) < 0)
			return -1;
		if (s->h.name[0] == '\0')
			break;
		if (take_blob(s, o, err) < 0)
			return -1;
	}
	if (check_zero(s, (const char *)&s->h, sizeof s->h, "the end of the archive", err) < 0)
		return -1;
	return take_end(s, err);
}

int outer_scan(int fd, struct outer *ret, struct err *err)
{
	struct scan s = { .fd = fd };
	auto_outer o = { 0 };
	struct stat st;

	if (io_fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "stat an image archive");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_UNVERIFIED, 0, "not a regular file");
	s.size = (uint64_t)st.st_size;
	int rc = scan_all(&s, &o, err);
	buf_free(&s.want);
	if (rc < 0)
		return -1;
	*ret = o;
	o = (struct outer){ 0 };
	return 0;
}

struct outer_blob *outer_find(const struct outer *o, const struct digest *d)
{
	size_t lo = 0, hi = o->nblobs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = memcmp(o->blobs[mid].digest.b, d->b, DIGEST_LEN);

		if (order == 0)
			return &o->blobs[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
