/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pack.h
 * Trees, one a layer, and what lies below them, to an image.tar. Private to runner/.
 */
#ifndef GB_RUNNER_PACK_H
#define GB_RUNNER_PACK_H

#include "runner/base.h"
#include "runner/runner.h"

/** What was made. */
struct built_image {
	struct digest manifest;
	struct digest tar;       /**< SHA-256 of image.tar */
	uint64_t tar_size;
};

/** One layer: a tree and its place. */
struct pack_layer {
	struct digest tree;
	const int *dirfd;        /**< read this directory in place of a tree, once, in sources' normal form; nothing of it is stored. Or NULL */
	const char *to;          /**< absolute clean path; directories on the way to it are made: 0755, 0:0 */
	bool keep_ids;           /**< owners as in the tree; else uid and gid */
	uint32_t uid, gid;
	int mode;                /**< of all files; directories get it with x where it has r. -1: as in the tree */
	const char *created_by;  /**< history */
};

struct packing {
	struct store *store;
	int scratch_fd;          /**< where layers are built, under names that begin with "layer." */
	int cancel_fd;
	enum oci_compression codec;
	const struct base_image *base; /**< its layers come first; or NULL */
	const struct pack_layer *layers;
	size_t nlayers;
	struct oci_config config; /**< but for its base */
	const char *tag;         /**< reference name in index.json; NULL: "latest" */
};

/** Packs the image into @p image_fd (empty, readable and writable). ERR_INPUT: a layer that the ones below it do not bear. */
int pack_image(const struct packing *p, int image_fd, struct built_image *ret, struct err *err);

/** Builds the @p i-th layer alone, on nothing, in a scratch file; ret->fd is the caller's. */
int pack_layer(const struct packing *p, size_t i, struct oci_layer_file *ret, struct err *err);

#endif
