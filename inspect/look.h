/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file look.h
 * Two byte strings that differ: what they are, and where and why they differ. Private to inspect/.
 *
 * All of look_*.c is given hostile bytes. A look that finds a form broken returns ERR_INPUT, and the two are compared as plain bytes.
 */
#ifndef GB_INSPECT_LOOK_H
#define GB_INSPECT_LOOK_H

#include "inspect/listing.h"
#include "inspect/node.h"

/** How deep formats in formats are looked into: a file in a tar in an xz in a .deb is at depth 3. */
#define LOOK_DEPTH_MAX 5
/** Most bytes of the scratch file. */
#define LOOK_SCRATCH_MAX (32ull << 30)

/** Says in @p node where @p a and @p b differ, and the likely causes. @p name is what they are called; of a known format one level inside. */
int look_into(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err);
/** The same in a confined process, which has nothing but the two files and the scratch file. */
int look_apart(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err);

/** A format: how it begins, and who looks into it. */
typedef int look_fn(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err);
look_fn look_tar, look_ar, look_zip, look_codec, look_elf, look_pyc, look_png;

/** Adds the members of the tar that `from` is. ERR_INPUT, ERR_UNVERIFIED: it is damaged. */
int look_list_tar(struct listing *l, struct err *err);

/** Tells of what the headers of two members of one path say besides what members have fields for. */
int look_tar_head(struct look *l, json_t *node, const struct listing *of_a, const struct member *a, const struct listing *of_b, const struct member *b,
		  struct err *err);

/** Bytes of a file's beginning that tell its format. */
#define LOOK_HEAD 512

/** How a codec's stream is begun and ended where it lies without that in another format. */
struct look_wrap {
	const void *before, *after;
	size_t nbefore, nafter;
};
/** A gzip header and trailer for a bare deflate stream. */
extern const struct look_wrap look_deflate;

/** The name of the codec that begins so ("gzip"), or NULL. */
const char *look_codec_name(const unsigned char *head, size_t n);
/** Writes to the end of the scratch file. The caller sets l->end back when done. */
int look_append(struct look *l, const void *data, size_t n, struct err *err);
/** Decompresses into the scratch file. ERR_INPUT: damaged, a bomb, or of no known codec. The caller sets l->end back when done. */
int look_unpack(struct look *l, const struct slice *from, const struct look_wrap *wrap, struct slice *ret, struct err *err);

#endif
