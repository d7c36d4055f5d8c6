/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rootfs.h
 * rootfs/: import, pin and materialise a root filesystem; lay out trees.
 */
#ifndef GB_ROOTFS_H
#define GB_ROOTFS_H

#include "base/base.h"
#include "store/store.h"

/** mtime of everything that glovebox lays out: 1980-01-01T00:00:00Z. */
#define ROOTFS_MTIME 315532800

/** Limits of archive import. */
#define IMPORT_BYTES_MAX (64ull << 30)
#define IMPORT_FILE_MAX (16ull << 30)

/** Imports @p path (a directory, or a tar in any codec of libarchive) into the store, names it @p name, materialises it.
 *  @p ret is the tree digest. Hostile archives: glovebox-tree(5), "IMPORT". ERR_INPUT names the entry. */
int rootfs_import(struct store *store, const char *name, const char *path, struct digest *ret, struct err *err);

/** Resolves NAME@sha256:…, sha256:…, or a bare NAME to a tree digest in this store. @p pinned (may be NULL) tells whether the
 *  reference itself held a digest. NAME@digest needs no name of that kind to exist, only the tree. ERR_INPUT when the tree is not here, ERR_USAGE for a malformed one. */
int rootfs_resolve(struct store *store, const char *ref, struct digest *ret, bool *pinned, struct err *err);

/** Makes sure rootfs/<hex>/root exists, whole. @p ret_path (free) is relative to the store: "rootfs/<hex>/root". */
int rootfs_ensure(struct store *store, const struct digest *d, char **ret_path, struct err *err);

/** Lays a tree out below @p dirfd (an existing empty directory), in manifest order, own inodes, contents verified against their
 *  digests while copied, every mtime ROOTFS_MTIME, owner the step user. ENOSPC is told apart ("tmpfs is full: …"). */
int rootfs_materialise(struct store *store, const struct digest *d, int dirfd, struct err *err);

#endif
