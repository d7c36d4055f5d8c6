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
#define ROOTFS_MTIME GB_EPOCH

/** Limits of archive import. Further ones are TREE_* (paths, depth, entries), IMPORT_NAMES_MAX (import_table.h) and
 *  IMPORT_RATIO_MAX (import_tar.c). */
#define IMPORT_BYTES_MAX (64ull << 30)  /**< all files, hard links as files of their own */
#define IMPORT_FILE_MAX (16ull << 30)   /**< one file */

/**
 * Imports @p path (a directory, or a tar) into the store, lays it out, and names it @p name, in this order: a name means a rootfs
 * that is there and survives a loss of power. @p ret is the tree digest. The same files give the same digest as a directory and as
 * a tar in each dialect and codec. Brackets the reading with ident_read_begin() itself. ERR_INPUT names the entry.
 *
 * Both: modes less setuid and setgid; the root is 0755 0:0; devices, fifos, sockets, xattrs and times are left out; hard links become
 * files of their own; `.pyc` files that are checked by their source's mtime get ROOTFS_MTIME in its place, whatever it was (so one
 * that was stale, with a source of unchanged size, counts as fresh: times are no content).
 * Directories: "/" itself is refused (ERR_USAGE); mounts inside are entered; a file of /proc or /sys is refused by name.
 * Archives: v7, ustar, pax or GNU tar; gzip, bzip2, xz, lzma, lzip, lz4, zstd, compress, never through another program. Nothing is
 * extracted: contents become objects, names become entries. Refused: an absolute path, "..", an entry below anything but a directory,
 * a path that is a directory and something else, a hard link to nothing, to a directory or in a circle, a malformed header, anything
 * over a limit. Else the last entry of a path stands, missing parents are added as 0755 0:0, a hard link is a copy of what its
 * target is at that place in the archive, or at the end where that comes later; content in a hard link's own entry is passed over.
 */
int rootfs_import(struct store *store, const char *name, const char *path, struct digest *ret, struct err *err);

/** Resolves NAME@sha256:…, sha256:…, or a bare NAME to a tree digest in this store. @p pinned (may be NULL) tells whether the
 *  reference itself held a digest. NAME@digest needs no name of that kind to exist, only the tree. ERR_INPUT when the tree is not here, ERR_USAGE for a malformed one. */
int rootfs_resolve(struct store *store, const char *ref, struct digest *ret, bool *pinned, struct err *err);

/** Makes sure rootfs/<hex>/root exists, whole. @p ret_path (free) is relative to the store: "rootfs/<hex>/root". */
int rootfs_ensure(struct store *store, const struct digest *d, char **ret_path, struct err *err);
/** The same, for what is signed: a rootfs that is there already is compared with its manifest, entry by entry (type, mode, owner, size,
 *  target, time, number of names, nothing besides; contents are not read), and laid out afresh where it differs; ERR_INPUT names the
 *  entry when that fails. ERR_HOST: an ordinary user cannot check below a directory whose mode keeps its owner out. Brackets the
 *  reading with ident_read_begin() itself. */
int rootfs_ensure_checked(struct store *store, const struct digest *d, char **ret_path, struct err *err);

/** Lays a tree out below @p dirfd (an existing empty directory), in manifest order, own inodes, contents verified against their
 *  digests while copied, every mtime ROOTFS_MTIME, owner the step user. ENOSPC is told apart ("tmpfs is full: …"). */
int rootfs_materialise(struct store *store, const struct digest *d, int dirfd, struct err *err);

#endif
