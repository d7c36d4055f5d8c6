/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "inspect/image.h"
#include "inspect/inspect.h"
#include "inspect/report.h"

enum side_kind { SIDE_TREE, SIDE_IMAGE, SIDE_OUT, SIDE_FILE };

/** One of the two. side_close(). */
struct side {
	const char *path;
	enum side_kind kind;
	int fd;
	int image_fd;              /* SIDE_OUT: image.tar in it */
	struct slice bytes;        /* of a file */
	struct oci_files *files;   /* of an image */
};
#define SIDE_NONE ((struct side){ .fd = -1, .image_fd = -1 })

static void side_close(struct side *s)
{
	oci_files_free(s->files);
	own_fd(&s->image_fd);
	own_fd(&s->fd);
}
#define auto_side __attribute__((cleanup(side_close))) struct side

static int open_file(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static bool is_regular(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static int open_directory(struct side *s, struct err *err)
{
	if (is_regular(s->fd, "image.tar") && is_regular(s->fd, "image.digest")) {
		s->kind = SIDE_OUT;
		s->image_fd = open_file(s->fd, "image.tar");
		if (s->image_fd < 0)
			return err_set(err, ERR_INPUT, errno, "open image.tar");
		return oci_files_open_tar(s->image_fd, true, &s->files, err);
	}
	if (oci_files_open_dir(s->fd, &s->files, err) < 0)
		return -1;
	s->kind = oci_files_shape(s->files) == OCI_SHAPE_NONE ? SIDE_TREE : SIDE_IMAGE;
	return 0;
}

/** A file is an image where it is an archive of one; whatever else, it has bytes. */
static int open_bytes(struct side *s, const struct stat *st)
{
	struct err ignored = {0};
	char head[512];

	s->kind = SIDE_FILE;
	s->bytes = (struct slice){ .fd = s->fd, .size = (uint64_t)st->st_size };
	if (pread(s->fd, head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head + 257, "ustar", 5) != 0)
		return 0;
	if (oci_files_open_tar(s->fd, false, &s->files, &ignored) < 0)
		s->files = NULL;
	if (s->files != NULL && oci_files_shape(s->files) != OCI_SHAPE_NONE)
		s->kind = SIDE_IMAGE;
	return 0;
}

static int open_side(const char *path, struct side *s, struct err *err)
{
	struct stat st;

	s->path = path;
	s->fd = open_file(AT_FDCWD, path);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open '%.1000s'", path);
	if (S_ISDIR(st.st_mode))
		return open_directory(s, err) < 0 ? err_ctx(err, "'%.1000s'", path) : 0;
	if (S_ISREG(st.st_mode))
		return open_bytes(s, &st);
	return err_set(err, ERR_USAGE, 0, "'%.1000s' is neither a directory nor a regular file", path);
}

static const char *kind_name(enum side_kind k)
{
	static const char *const names[] = { "directory", "image", "out directory", "file" };

	return names[k];
}

int inspect_scratch(const char *dir, int *ret, struct err *err)
{
	char hex[33];
	auto_buf path = {0};
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* Not every file system has such files. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		if (io_random_hex(hex, err) < 0)
			return -1;
		buf_addf(&path, "%s/.glovebox-%s.tmp", dir, hex);
		if (buf_check(&path, "path", err) < 0)
			return -1;
		fd = open(path.data, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			(void)unlink(path.data);
	}
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a temporary file in '%.1000s' (TMPDIR chooses another place)", dir);
	*ret = fd;
	return 0;
}

/* ---- two of a kind ----------------------------------------------------------------------------------- */

/** Two files: what they are is for the confined reader; whether they are the same is found out here. */
static int compare_files(struct look *l, json_t *root, const char *name, const struct slice *a, const struct slice *b, struct err *err)
{
	uint64_t at;

	if (bytes_differ_at(a, b, &at, err) < 0)
		return -1;
	return at == BYTES_SAME ? 0 : look_apart(l, node_add(l, root, name, "changed"), name, a, b, 0, err);
}

static int compare_trees(struct look *l, json_t *root, const struct side *a, const struct side *b, struct err *err)
{
	auto_listing x = { .dir = a->fd }, y = { .dir = b->fd };

	if (listing_read_dir(&x, err) < 0)
		return err_ctx(err, "'%.1000s'", a->path);
	if (listing_read_dir(&y, err) < 0)
		return err_ctx(err, "'%.1000s'", b->path);
	return pair_listings(l, root, &x, &y, 0, err);
}

static int open_image(const struct side *s, const struct diff_options *opt, struct oci_foreign *ret, struct err *err)
{
	struct oci_platform platform;

	if (oci_platform_parse(opt->platform, &platform, err) < 0 ||
	    oci_foreign_open(s->files, oci_files_shape(s->files), opt->ref, &platform, ret, err) < 0)
		return err_ctx(err, "'%.1000s'", s->path);
	return 0;
}

static int whole(int fd, struct slice *ret, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "stat an image");
	*ret = (struct slice){ .fd = fd, .size = (uint64_t)st.st_size };
	return 0;
}

/** Equal images may still lie in archives that are not. */
static int compare_archives(struct look *l, json_t *root, int a, int b, struct err *err)
{
	struct slice x, y;
	uint64_t at;

	if (whole(a, &x, err) < 0 || whole(b, &y, err) < 0 || bytes_differ_at(&x, &y, &at, err) < 0)
		return -1;
	if (at == BYTES_SAME)
		return 0;
	json_t *node = node_add(l, root, "archive", "changed");
	node_text(l, node, "note", "config and layers are the same; the manifest, the index or the archive around them differs");
	return node_content(l, node, &x, &y, at, err);
}

static int compare_images(struct look *l, json_t *root, const struct side *a, const struct side *b, const struct diff_options *opt,
			  struct err *err)
{
	auto_oci_foreign x = {0}, y = {0};
	int file_a = a->kind == SIDE_OUT ? a->image_fd : a->bytes.size > 0 ? a->fd : -1;
	int file_b = b->kind == SIDE_OUT ? b->image_fd : b->bytes.size > 0 ? b->fd : -1;

	if (open_image(a, opt, &x, err) < 0 || open_image(b, opt, &y, err) < 0 || image_compare(l, root, &x, a->files, &y, b->files, err) < 0)
		return -1;
	if (json_object_get(root, "inside") != NULL || file_a == -1 || file_b == -1)
		return 0;
	return compare_archives(l, root, file_a, file_b, err);
}

/** What else an out directory holds of the artifact. What tells of one run (times, logs) is not compared. */
static int compare_beside(struct look *l, json_t *root, const struct side *a, const struct side *b, struct err *err)
{
	static const char *const names[] = { "sbom.cdx.json", "sbom.spdx.json" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_fd x = open_file(a->fd, names[i]), y = open_file(b->fd, names[i]);
		struct slice p, q;

		if (x == -1 || y == -1) {
			if (x != y)
				(void)node_add(l, root, names[i], x == -1 ? "added" : "removed");
			continue;
		}
		if (whole(x, &p, err) < 0 || whole(y, &q, err) < 0 || compare_files(l, root, names[i], &p, &q, err) < 0)
			return err_ctx(err, "%s", names[i]);
	}
	return 0;
}

static int compare_sides(struct look *l, json_t *root, struct side *a, struct side *b, const struct diff_options *opt, struct err *err)
{
	bool image_a = a->kind == SIDE_IMAGE || a->kind == SIDE_OUT, image_b = b->kind == SIDE_IMAGE || b->kind == SIDE_OUT;
	bool file_a = a->bytes.fd == a->fd && a->bytes.size > 0, file_b = b->bytes.fd == b->fd && b->bytes.size > 0;

	if (image_a && image_b) {
		if (compare_images(l, root, a, b, opt, err) < 0)
			return -1;
		return a->kind == SIDE_OUT && b->kind == SIDE_OUT ? compare_beside(l, root, a, b, err) : 0;
	}
	/* A layer's tar beside an image's: two tars all the same. */
	if ((a->kind == SIDE_FILE || file_a) && (b->kind == SIDE_FILE || file_b)) {
		a->kind = b->kind = SIDE_FILE;
		return compare_files(l, root, text_path_name(a->path), &a->bytes, &b->bytes, err);
	}
	if (a->kind == SIDE_TREE && b->kind == SIDE_TREE)
		return compare_trees(l, root, a, b, err);
	return err_set(err, ERR_USAGE, 0, "'%.500s' is a kind of %s and '%.500s' of %s: give two images, two directories or two files", a->path,
		       kind_name(a->kind), b->path, kind_name(b->kind));
}

static int compare(struct side *a, struct side *b, const struct diff_options *opt, int scratch, json_t **ret, struct err *err)
{
	struct look l = { .scratch = scratch, .apart = true };
	auto_json root = json_object();

	if (root == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare");
	if (compare_sides(&l, root, a, b, opt, err) < 0)
		return -1;
	if (l.failed)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare");
	const struct report_side x = { a->path, kind_name(a->kind) }, y = { b->path, kind_name(b->kind) };
	return report_make(root, &x, &y, ret, err);
}

int diff_paths(const struct diff_options *opt, json_t **ret, struct err *err)
{
	auto_side a = SIDE_NONE, b = SIDE_NONE;
	auto_fd scratch = -1;

	if (open_side(opt->a, &a, err) < 0 || open_side(opt->b, &b, err) < 0 || inspect_scratch(opt->tmp, &scratch, err) < 0)
		return -1;
	return compare(&a, &b, opt, scratch, ret, err);
}

int diff_images(int a, const char *a_name, int b, const char *b_name, int scratch, json_t **ret, struct err *err)
{
	static const struct diff_options opt = {0};
	struct side x = { .path = a_name, .kind = SIDE_IMAGE, .fd = a, .image_fd = -1 };
	struct side y = { .path = b_name, .kind = SIDE_IMAGE, .fd = b, .image_fd = -1 };
	int result = -1;

	if (whole(a, &x.bytes, err) == 0 && whole(b, &y.bytes, err) == 0 && oci_files_open_tar(a, true, &x.files, err) == 0 &&
	    oci_files_open_tar(b, true, &y.files, err) == 0)
		result = compare(&x, &y, &opt, scratch, ret, err);
	oci_files_free(x.files);
	oci_files_free(y.files);
	return result;
}
