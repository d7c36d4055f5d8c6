/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI image layout from any tool: where its blobs lie. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/outer.h"
#include "oci/untar.h"

/** Room for members grows by this many. */
#define MEMBERS_STEP 64

/** A blob in a tar. */
struct member {
	struct digest digest;
	struct slice content;
};

struct oci_layout {
	int fd;                  /* borrowed */
	bool is_dir;
	struct member *members;  /* of a tar: in its order */
	size_t nmembers;
	uint64_t at, size;       /* while the tar is walked */
};

void oci_layout_free(struct oci_layout *layout)
{
	if (layout == NULL)
		return;
	free(layout->members);
	free(layout);
}

static int read_tar(void *arg, void *data, size_t n, size_t *ret_got, struct err *err)
{
	struct oci_layout *l = arg;

	if (slice_pread(l->fd, data, n, l->at, ret_got, err) < 0)
		return -1;
	l->at += *ret_got;
	return 0;
}

static int take_entry(void *arg, const struct untar_entry *e, struct err *err)
{
	struct oci_layout *l = arg;
	struct digest d;

	if (e->type != TAR_FILE || !text_starts(e->path, OUTER_SHA256 "/") || !digest_parse_hex(e->path + sizeof OUTER_SHA256, &d))
		return 0;
	if (l->nmembers == OCI_MEMBERS_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %d blobs", OCI_MEMBERS_MAX);
	if (l->nmembers % MEMBERS_STEP == 0) {
		struct member *grown = reallocarray(l->members, l->nmembers + MEMBERS_STEP, sizeof *grown);

		if (grown == NULL)
			return err_set(err, ERR_INTERNAL, ENOMEM, "read an image layout");
		l->members = grown;
	}
	l->members[l->nmembers++] = (struct member){ d, { l->fd, e->offset, e->size } };
	return 0;
}

/** Finds the blobs in a tar. */
static int walk_tar(struct oci_layout *l, struct err *err)
{
	struct untar_ops ops = { .read = read_tar, .entry = take_entry, .arg = l, .tolerant = true };

	if (untar(&ops, err) == 0)
		return 0;
	if (err->kind == ERR_UNVERIFIED)
		err->kind = ERR_INPUT;
	return err_ctx(err, "not a tar of an image layout (a compressed one has to be decompressed first)");
}

int oci_layout_open(int fd, struct oci_layout **ret, struct err *err)
{
	auto_oci_layout l = calloc(1, sizeof *l);
	struct stat st;

	if (l == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image layout");
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "stat an image layout");
	l->fd = fd;
	l->is_dir = S_ISDIR(st.st_mode);
	if (!l->is_dir && !S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "neither a directory nor a regular file");
	if (!l->is_dir && walk_tar(l, err) < 0)
		return -1;
	*ret = move_ptr(l);
	return 0;
}

/** Opens the blob in a directory; closed by the caller. */
static int open_file(const struct oci_layout *l, const char *name, int *ret_fd, struct slice *ret, struct err *err)
{
	auto_fd fd = openat(l->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open %s", name);
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "stat %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "%s: not a regular file", name);
	*ret_fd = move_fd(&fd);
	*ret = (struct slice){ *ret_fd, 0, (uint64_t)st.st_size };
	return 0;
}

static int find_blob(const struct oci_layout *l, const struct digest *d, int *ret_fd, struct slice *ret, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];

	outer_blob_name(d, name);
	if (l->is_dir)
		return open_file(l, name, ret_fd, ret, err);
	for (size_t i = 0; i < l->nmembers; i++)
		if (digest_eq(&l->members[i].digest, d)) {
			*ret = l->members[i].content;
			return 0;
		}
	return err_set(err, ERR_INPUT, 0, "there is no %s in it", name);
}

int oci_layout_blob(struct oci_layout *layout, const struct digest *digest, uint64_t max,
		    int (*write)(void *arg, const void *data, size_t n, struct err *err), void *arg, struct err *err)
{
	auto_fd fd = -1;
	auto_hasher h = hasher_new();
	auto_free char *chunk = io_chunk(SLICE_CHUNK);
	char text[DIGEST_STR_SIZE];
	struct slice s;
	struct digest actual;
	size_t got;

	if (h == NULL || chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a blob");
	if (find_blob(layout, digest, &fd, &s, err) < 0)
		return -1;
	if (s.size > max)
		return err_set(err, ERR_INPUT, 0, "blob %s has %llu bytes, and %llu is the most", digest_str(digest, text),
			       (unsigned long long)s.size, (unsigned long long)max);
	do {
		if (slice_take(&s, chunk, SLICE_CHUNK, ERR_INPUT, &got, err) < 0)
			return -1;
		hasher_add(h, chunk, got);
		if (got != 0 && write(arg, chunk, got, err) < 0)
			return -1;
	} while (got != 0);
	if (hasher_final(h, &actual, err) < 0)
		return -1;
	if (!digest_eq(&actual, digest))
		return err_set(err, ERR_INPUT, 0, "blob %s: its bytes have another digest", digest_str(digest, text));
	return 0;
}
