/* SPDX-License-Identifier: Apache-2.0 */
/** @file helper.h Small images, and archives put together by hand, for the tests of oci/. */
#ifndef GB_TEST_OCI_HELPER_H
#define GB_TEST_OCI_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "oci/document.h"
#include "oci/oci.h"
#include "oci/outer.h"
#include "oci/tar.h"

/** Asserts success and shows the message otherwise. */
#define must(call)                                                   \
	do {                                                         \
		struct err *e_ = &err;                               \
		if ((call) < 0)                                      \
			fail_msg("%s: kind %d: %s", #call, e_->kind, e_->msg); \
	} while (0)

/** Asserts failure of that kind, and that the message says @p text. */
#define must_fail(call, want_kind, text)                                      \
	do {                                                                  \
		err = (struct err){ 0 };                                      \
		if ((call) == 0)                                              \
			fail_msg("%s: passed, expected \"%s\"", #call, text); \
		if (strstr(err.msg, text) == NULL)                            \
			fail_msg("%s: said \"%s\", expected \"%s\"", #call, err.msg, text); \
		assert_int_equal(err.kind, want_kind);                        \
	} while (0)

/** A file in memory that holds these bytes, at offset 0. */
static inline int mem_file(const void *data, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/** All bytes of a file, whatever its offset; free() them. */
static inline uint8_t *slurp(int fd, size_t *ret_n)
{
	off_t n = lseek(fd, 0, SEEK_END);
	uint8_t *data = malloc((size_t)n + 1);

	assert_non_null(data);
	assert_int_equal(pread(fd, data, (size_t)n, 0), n);
	*ret_n = (size_t)n;
	return data;
}

/** Adds one entry, a file with @p content. */
static inline void add_file(struct oci_layer *layer, const char *path, unsigned mode, const char *content)
{
	struct err err = { 0 };
	struct oci_entry e = { .path = path, .type = OCI_FILE, .mode = mode, .size = strlen(content) };
	auto_fd fd = mem_file(content, strlen(content));

	must(oci_layer_add(layer, &e, fd, &err));
}

static inline void add_dir(struct oci_layer *layer, const char *path)
{
	struct err err = { 0 };
	struct oci_entry e = { .path = path, .type = OCI_DIR, .mode = 0755 };

	must(oci_layer_add(layer, &e, -1, &err));
}

static inline void add_link(struct oci_layer *layer, const char *path, const char *target)
{
	struct err err = { 0 };
	struct oci_entry e = { .path = path, .type = OCI_LINK, .mode = 0777, .link = target };

	must(oci_layer_add(layer, &e, -1, &err));
}

/** A layer with one of everything; @p salt is in a file's content. The caller closes file->fd. */
static inline void small_layer(enum oci_compression codec, const char *salt, struct oci_layer_file *file)
{
	struct err err = { 0 };
	auto_oci_layer layer = NULL;
	char deep[260];

	memset(deep, 'd', 120);
	deep[120] = '\0';
	*file = (struct oci_layer_file){ .codec = codec, .fd = mem_file("", 0), .created_by = "glovebox step:build" };
	must(oci_layer_begin(file->fd, codec, 315532800, &layer, &err));
	add_dir(layer, "bin");
	add_file(layer, "bin/hello", 0755, salt);
	add_link(layer, "bin/hi", "hello");
	add_dir(layer, deep);
	memset(deep + 120, '/', 1);
	memset(deep + 121, 'e', 130);
	deep[251] = '\0';
	add_file(layer, deep, 0644, "a long name");
	add_file(layer, "empty", 0644, "");
	add_file(layer, "raw\377name", 0644, "not UTF-8");
	must(oci_layer_end(layer, &file->blob, &err));
}

/** The config of the small image. */
static inline struct oci_config small_config(void)
{
	static const char *const entrypoint[] = { "/bin/hello" };
	static const char *const cmd[] = { "--who", "w\303\266rld" };
	static const struct oci_kv env[] = { { "PATH", "/bin" }, { "A", "b=c" } };
	static const struct oci_kv labels[] = { { "org.opencontainers.image.title", "hello" } };

	return (struct oci_config){
		.architecture = "amd64", .created = 315532800,
		.entrypoint = entrypoint, .nentrypoint = 1, .cmd = cmd, .ncmd = 2,
		.env = env, .nenv = 2, .labels = labels, .nlabels = 1, .user = "1000:1000", .workdir = "/",
	};
}

/** image.tar of one small layer, in memory. */
static inline int small_image(enum oci_compression codec, const char *tag, struct digest *ret)
{
	struct err err = { 0 };
	struct oci_layer_file file;
	struct oci_config config = small_config();
	int fd = mem_file("", 0);

	small_layer(codec, "hello\n", &file);
	must(oci_image_write(fd, &config, &file, 1, tag, ret, &err));
	close(file.fd);
	return fd;
}

/** Reads an image and throws the result away. */
static inline int try_read(int fd, bool deep, struct err *err)
{
	auto_oci_image image = { 0 };

	return oci_image_read(fd, deep, &image, err);
}

/* ---- tars by hand ------------------------------------------------------ */

static inline void raw_field(char *field, size_t width, const char *text)
{
	size_t n = strlen(text);

	memcpy(field, text, n < width ? n : width);
}

/** Appends a header block of any content, with the right checksum. */
static inline void raw_header(struct buf *out, const char *name, char type, const char *mode, const char *size,
			      const char *link)
{
	struct tar_header h = { .typeflag = type, .magic = "ustar", .version = { '0', '0' } };

	raw_field(h.name, sizeof h.name, name);
	raw_field(h.mode, sizeof h.mode, mode);
	memcpy(h.uid, "0000000", 8);
	memcpy(h.gid, "0000000", 8);
	raw_field(h.size, sizeof h.size, size);
	memcpy(h.mtime, "00000000000", 12);
	raw_field(h.linkname, sizeof h.linkname, link);
	snprintf(h.chksum, sizeof h.chksum, "%06o", tar_checksum(&h));
	buf_add(out, &h, sizeof h);
}

/** Appends content with its padding. */
static inline void raw_content(struct buf *out, const char *data, size_t n)
{
	static const char zeros[TAR_BLOCK];

	buf_add(out, data, n);
	buf_add(out, zeros, tar_padding(n));
}

static inline void raw_zeros(struct buf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addc(out, '\0');
}

/* ---- images by hand ---------------------------------------------------- */

/** Parts of an archive that need not fit together. */
struct parts {
	const char *layout;        /* NULL: the right one */
	struct buf index;
	struct { struct digest digest; struct buf data; } blobs[8];
	size_t nblobs;
};

/** Adds a blob under its digest. */
static inline struct digest parts_add(struct parts *p, const void *data, size_t n)
{
	struct err err = { 0 };
	struct digest d;

	must(hash_bytes(data, n, &d, &err));
	for (size_t i = 0; i < p->nblobs; i++)
		if (digest_eq(&p->blobs[i].digest, &d))
			return d;
	p->blobs[p->nblobs].digest = d;
	buf_add(&p->blobs[p->nblobs].data, data, n);
	p->nblobs++;
	return d;
}

/** The archive, in order; frees the parts. */
static inline int parts_file(struct parts *p)
{
	auto_buf out = { 0 };
	const char *layout = p->layout != NULL ? p->layout : OCI_LAYOUT_TEXT;

	outer_file_header(OUTER_LAYOUT, strlen(layout), &out);
	raw_content(&out, layout, strlen(layout));
	outer_file_header(OUTER_INDEX, p->index.len, &out);
	raw_content(&out, p->index.data, p->index.len);
	outer_dir_header(OUTER_BLOBS, &out);
	outer_dir_header(OUTER_SHA256, &out);
	for (size_t done = 0; done < p->nblobs; done++) {
		size_t next = p->nblobs;
		char name[OUTER_BLOB_NAME_SIZE];

		for (size_t i = 0; i < p->nblobs; i++)
			if (p->blobs[i].data.cap != SIZE_MAX &&
			    (next == p->nblobs || memcmp(&p->blobs[i].digest, &p->blobs[next].digest, DIGEST_LEN) < 0))
				next = i;
		outer_file_header(outer_blob_name(&p->blobs[next].digest, name), p->blobs[next].data.len, &out);
		raw_content(&out, p->blobs[next].data.data, p->blobs[next].data.len);
		buf_free(&p->blobs[next].data);
		p->blobs[next].data.cap = SIZE_MAX;  /* written */
	}
	buf_free(&p->index);
	raw_zeros(&out, TAR_END);
	return mem_file(out.data, out.len);
}

#endif
