/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file helper.h
 * Pairs of bytes, compared in this process, and questions about the node that comes of it.
 */
#ifndef GB_TEST_INSPECT_HELPER_H
#define GB_TEST_INSPECT_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "inspect/look.h"

/** A file in memory. */
static inline struct slice slice_of(const void *data, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct err err = {0};

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, data, n, &err), 0);
	return (struct slice){ .fd = fd, .size = n };
}

/** Compares two byte strings; the node is the caller's. */
static inline json_t *look_at(const char *name, const void *a, size_t na, const void *b, size_t nb)
{
	struct look l = { .scratch = memfd_create("scratch", MFD_CLOEXEC) };
	struct slice x = slice_of(a, na), y = slice_of(b, nb);
	struct err err = {0};
	json_t *node = json_object();
	size_t count = 0;

	if (look_into(&l, node, name, &x, &y, 0, &err) < 0)
		fail_msg("%s", err.msg);
	assert_false(l.failed);
	/* Whatever comes of hostile bytes has to be what the other side of the wall takes. */
	assert_int_equal(node_check(node, 0, &count, &err), 0);
	assert_int_equal(l.end, 0);
	close(l.scratch);
	close(x.fd);
	close(y.fd);
	return node;
}

static inline json_t *look_at_bufs(const char *name, const struct buf *a, const struct buf *b)
{
	return look_at(name, a->data, a->len, b->data, b->len);
}

/** The node in @p node called @p path, or NULL. */
static inline const json_t *inside(const json_t *node, const char *path)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(node, "inside"), i, v) {
		if (strcmp(json_str(v, "path"), path) == 0)
			return v;
	}
	return NULL;
}

/** Appends "cause, cause" of a node and all in it, in the order of the walk. */
static inline void add_causes(const json_t *node, struct buf *out)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(node, "causes"), i, v) {
		buf_addf(out, "%s%s", out->len == 0 ? "" : ", ", json_str(v, "cause"));
	}
	json_array_foreach(json_object_get(node, "inside"), i, v) {
		add_causes(v, out);
	}
}

static inline void assert_causes(const json_t *node, const char *want)
{
	auto_buf got = {0};

	add_causes(node, &got);
	assert_string_equal(got.data == NULL ? "" : got.data, want);
}

/** Field @p field of a node's metadata on side "a" or "b"; NULL: it is not among those that differ. */
static inline const char *metadata(const json_t *node, const char *field, const char *side)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(node, "metadata"), i, v) {
		if (strcmp(json_str(v, "field"), field) == 0)
			return json_str(v, side);
	}
	return NULL;
}

static inline long long offset_of(const json_t *node)
{
	const json_t *content = json_object_get(node, "content");

	return content == NULL ? -1 : json_integer_value(json_object_get(content, "offset"));
}

static inline void add_le(struct buf *b, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addc(b, (char)(v >> (8 * i) & 255));
}

#endif
