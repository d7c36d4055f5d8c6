/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file internal.h
 * What the files of rootfs/ share among themselves.
 *
 *     resolve.c       references to trees
 *     import.c        a directory, an archive or an image becomes a named rootfs
 *     import_dir.c    a directory, laid out while it is read
 *     import_image.c  an image, layer by layer
 *     import_registry.c an image out of a registry
 *     unpack.c        codecs and tar by libarchive, in a process of its own
 *     wire.h          what that process says
 *     stream.c        such processes, and the bytes between them
 *     import_tar.c    what they say becomes entries and objects, believing nothing
 *     import_source.c an archive becomes a source
 *     import_table.c  an archive's entries until its end: later ones change earlier ones
 *     import_layers.c one layer laid over another
 *     export.c        a tree as a tar or an image
 *     scratch.c       files without names
 *     pyc.c           Python's compiled files that carry their source's time
 *     cursor.c        from path to path, by directory descriptors
 *     materialise.c   a tree laid out
 *     layout.c        what of that can be seen from outside of its files (layout.h)
 *     contents.c      its files filled by several threads (contents.h)
 *     check.c         whether it still is as it was laid out
 *     ensure.c        a rootfs laid out once
 */
#ifndef GB_ROOTFS_INTERNAL_H
#define GB_ROOTFS_INTERNAL_H

#include "oci/foreign.h"
#include "rootfs/rootfs.h"
#include "rootfs/unpack.h"

/** How many bytes of a path an error shows: the reason must still fit behind it. */
#define SHOWN "%.1000s"

/* ---- pyc.c ------------------------------------------------------------ */

/** Bytes that pyc_amend() looks at: magic, flags, mtime, size (PEP 552). */
#define PYC_HEADER 16

/** Gives a compiled Python file that is checked by its source's mtime the mtime that all files have here, so that Python does not
 *  compile anew at every start. By the file's name and its first @p n bytes; files that are checked by hash are left alone. */
void pyc_amend(const char *path, void *head, size_t n);

/* ---- scratch.c -------------------------------------------------------- */

/** A file on the store's file system whose name is gone already. @p ret is the caller's. */
int scratch_file(struct store *store, int *ret, struct err *err);

/* ---- cursor.c --------------------------------------------------------- */

/** How many directories on the way to the one at hand are held open. */
#define CURSOR_HELD 32

/** The directory at hand, most often that of the next path of a manifest too, and the ones on the way to it. Zero-initialise but for root. */
struct cursor {
	int root;                      /**< borrowed */
	unsigned nheld;
	struct {
		int fd;                /**< O_PATH descriptor */
		size_t len;            /**< of its path */
	} held[CURSOR_HELD + 1];       /**< the first ones from the root, and the one at hand where it is deeper */
	char path[TREE_PATH_MAX + 1];  /**< of the last of them */
};

/** Finds the directory of @p path (borrowed, until the next call), through no link, and the name in it. -1 with errno. */
int cursor_at(struct cursor *c, const char *path, int *ret_fd, const char **ret_name);
void cursor_close(struct cursor *c);

/* ---- resolve.c -------------------------------------------------------- */

/** Whether the store knows, and has, what the image that @p pin names for @p platform gave. */
bool image_known(struct store *store, const struct digest *pin, const char *platform, struct rootfs_image *ret);

/* ---- check.c ---------------------------------------------------------- */

/** Whether @p dir/root in the store still is the tree as rootfs_materialise() left it, by a walk that reads no content: each entry with
 *  its type, mode, owner, size, target and time, each file with one name, and nothing else. ERR_INPUT names the first that is not;
 *  ERR_HOST: a directory that its owner may not read. Brackets the walk with ident_read_begin() itself. */
int rootfs_check(struct store *store, const struct digest *d, const char *dir, struct err *err);

/* ---- ensure.c --------------------------------------------------------- */

/** Makes "new/root" in @p scratch, for a rootfs to be laid out in; @p ret_root is the caller's. */
int rootfs_begin(struct store_scratch *scratch, int *ret_root, struct err *err);
/** Puts what is laid out there, the tree @p d, in place, once it survives a loss of power. A rootfs that is in place already stays. */
int rootfs_place(struct store *store, const struct digest *d, struct store_scratch *scratch, struct err *err);

/* ---- import_dir.c ----------------------------------------------------- */

struct import_along;
/** Reads the directory @p fd into @p b, laying it out in @p scratch where that is given; then *@p ret (import_along_free()) is for import_along_place(). */
int import_dir(struct store *store, int fd, struct store_scratch *scratch, struct tree_builder *b, struct import_along **ret, struct err *err);
/** Puts what was laid out in place, as the tree @p d that it was read to be. */
int import_along_place(struct import_along *a, const struct digest *d, struct err *err);
void import_along_free(struct import_along *a);
static inline void own_import_along(struct import_along **a)
{
	import_along_free(*a);
}
#define auto_import_along __attribute__((cleanup(own_import_along))) struct import_along *

/* ---- import_tar.c ----------------------------------------------------- */

struct stream;
struct stream_source;
struct import_table;
struct import_totals;

/** Takes the entries of a tar from @p from (unpack_tar()), by all the rules of archives: contents go through @p writer, entries into
 *  @p table, whose hard links are settled at the end. Contents are changed (pyc_amend()) in @p form TREE_ROOTFS alone. ERR_INPUT by name. */
int import_entries(struct stream *from, struct store_writer *writer, struct import_table *table, struct import_totals *totals,
		   enum tree_form form, struct err *err);
/** Reads a tar in any codec into @p b. */
int import_tar(struct store *store, const struct stream_source *from, struct tree_builder *b, struct err *err);

/* ---- import_image.c --------------------------------------------------- */

struct import_rows;
struct stream_sums;
/** Reads layer number @p number from @p from and lays it over what is in @p below. What it had stands only once the caller has found @p ret_sums to be
 *  right. Contents are changed in @p form TREE_ROOTFS alone. */
int import_layer(struct store_writer *writer, struct import_totals *totals, const struct stream_source *from, enum unpack_codec codec,
		 enum tree_form form, size_t number, struct import_rows *below, struct stream_sums *ret_sums, struct err *err);

/** Reads the image that @p source chooses among @p files into @p b. */
int import_image(struct store *store, const struct oci_files *files, enum oci_shape shape, const struct rootfs_source *source,
		 struct tree_builder *b, struct err *err);
/** Decompresses an archive into a file without a name in the store's scratch. @p ret_fd is the caller's. */
int import_spool(struct store *store, const struct stream_source *from, int *ret_fd, struct err *err);
/** Whether the compressed tar in @p from begins as an image archive does. What cannot be told is none. */
bool import_begins_as_image(const struct stream_source *from);

#endif
