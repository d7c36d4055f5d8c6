/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rootfs.h
 * rootfs/: import, pin and materialise a root filesystem; lay out trees.
 */
#ifndef GB_ROOTFS_H
#define GB_ROOTFS_H

#include "base/base.h"
#include "fetch/registry.h"
#include "store/store.h"

/** mtime of everything that glovebox lays out: 1980-01-01T00:00:00Z. */
#define ROOTFS_MTIME GB_EPOCH

/** Limits of archive import, of all layers of an image together. Further ones are TREE_* (paths, depth, entries), IMPORT_NAMES_MAX
 *  (import_table.h), STREAM_RATIO_MAX (stream.h), and for images OCI_* (oci/foreign.h). */
#define IMPORT_BYTES_MAX (64ull << 30)  /**< all files, hard links as files of their own */
#define IMPORT_FILE_MAX (16ull << 30)   /**< one file */

/** What to import. Borrowed strings. */
struct rootfs_source {
	/** A path, or PREFIX:PATH, where PREFIX says what it is: "dir", "tar", "oci" (an image layout), "oci-archive" (a tar of one), or
	 *  "docker-archive" (a tar as of `docker save`, or the directory that it unpacks to), "docker-dir" (as of `skopeo copy dir:`).
	 *  Without: what it looks like. Or an image in a registry, as for rootfs_fetch(). */
	const char *text;
	const char *ref;       /**< images: which one, by reference name, tag or digest; NULL: the only one */
	const char *platform;  /**< images: OS/ARCH[/VARIANT]; NULL: this host's */
	const struct registry_conf *registry; /**< images in registries: how to reach them; NULL: not at all */
};

/**
 * Imports @p source into the store, lays it out, and names it @p name, in this order: a name means a rootfs that is there and survives
 * a loss of power. @p ret is the tree digest. The same files give the same digest as a directory, as a tar in each dialect and codec,
 * and as an image, in however many layers. Brackets the reading with ident_read_begin() itself. ERR_INPUT names the entry.
 *
 * All: modes less setuid and setgid; the root is 0755 0:0; devices, fifos, sockets, xattrs and times are left out; hard links become
 * files of their own; `.pyc` files that are checked by their source's mtime get ROOTFS_MTIME in its place, whatever it was (so one
 * that was stale, with a source of unchanged size, counts as fresh: times are no content).
 * Directories: "/" itself is refused (ERR_USAGE); mounts inside are entered; a file of /proc or /sys is refused by name.
 * Archives: v7, ustar, pax or GNU tar; gzip, bzip2, xz, lzma, lzip, lz4, zstd, compress, never through another program, and read in confined
 * processes (stream.h). Nothing is extracted: contents become objects, names become entries. Refused: an absolute path, "..", an entry
 * below anything but a directory, a path that is a directory and something else, a hard link to nothing, to a directory or in a circle,
 * a malformed header, anything over a limit. Else the last entry of a path stands, missing parents are added as 0755 0:0, a hard link is a
 * copy of what its target is at that place in the archive, or at the end where that comes later; content in a hard link's own
 * entry is passed over.
 * Images: which one, and its documents, by oci/foreign.h; each layer by the rules of archives, its digest and diff ID checked, laid over the
 * ones below: whiteouts (oci/rules.h) and opaque directories remove what is below and nothing of their own layer, in whatever
 * order they come; another kind of entry replaces what was there, a directory keeps what was in it.
 */
int rootfs_import_from(struct store *store, const char *name, const struct rootfs_source *source, struct digest *ret, struct err *err);
/** The same with nothing to choose. */
int rootfs_import(struct store *store, const char *name, const char *text, struct digest *ret, struct err *err);

/** What an image of a registry is here. */
struct rootfs_image {
	struct digest tree;
	struct digest manifest;  /**< the image's own; the reference's digest may be that of an index */
};

/** Brings the image "oci:HOST/PATH@sha256:…" for @p platform (NULL: this host's) into the store as a tree, unless the store knows what it gave, and
 *  has that: then nobody is asked. Documents, blobs, and what they decompress to are checked against their digests; what does not match is
 *  ERR_INPUT, and no tree is kept. @p conf as in registry_fetch(). */
int rootfs_fetch(struct store *store, const struct registry_conf *conf, const char *ref, const char *platform, struct rootfs_image *ret,
		 struct err *err);

/** Reads a tree back from the tar that it was packed to, @p size bytes of @p fd from @p offset on, in any codec: by the rules of archives, but
 *  nothing is amended. Contents and manifest go into @p store; NULL: only the digest is wanted. ERR_INPUT. The caller compares the
 *  digest, and brackets this with ident_read_begin() where the file needs that. */
int rootfs_unpack_tree(struct store *store, int fd, uint64_t offset, uint64_t size, struct digest *ret, struct err *err);

/** Resolves NAME@sha256:…, sha256:…, a bare NAME, or oci:…@sha256:… that rootfs_fetch() has brought, to a tree digest in this store. @p pinned (may be NULL) tells whether the
 *  reference itself held a digest. NAME@digest needs no name of that kind to exist, only the tree. ERR_INPUT when the tree is not here, ERR_USAGE for a malformed one. */
int rootfs_resolve(struct store *store, const char *ref, struct digest *ret, bool *pinned, struct err *err);

/** The tree of what an archive holds, in the sources' normal form: object @p file of the store, whose bytes were checked when it came, a tar in any
 *  codec or a zip. All by the rules of archives above, in confined processes; but contents stay as they are, and devices, fifos and
 *  sockets are refused by name, as in other sources. Of a zip the central directory says which entries there are, each by its own header; names that are
 *  said to be UTF-8 have to be ASCII.
 *  The store remembers the tree. @p ret_stats may be NULL. ERR_INPUT names the entry. */
int rootfs_unpack(struct store *store, const struct digest *file, struct digest *ret, struct snapshot_stats *ret_stats, struct err *err);

/** Makes sure rootfs/<hex>/root exists, whole. @p ret_path (free) is relative to the store: "rootfs/<hex>/root". */
int rootfs_ensure(struct store *store, const struct digest *d, char **ret_path, struct err *err);
/** The same, for what is signed: a rootfs that is there already is compared with its manifest, entry by entry (type, mode, owner, size,
 *  target, time, number of names, nothing besides; contents are not read), and laid out afresh where it differs; ERR_INPUT names the
 *  entry when that fails. ERR_HOST: an ordinary user cannot check below a directory whose mode keeps its owner out. Brackets the
 *  reading with ident_read_begin() itself. */
int rootfs_ensure_checked(struct store *store, const struct digest *d, char **ret_path, struct err *err);

/** What of each layer of an image can be seen in the whole, as a tree: the files and links of layer i that no later one replaces or removes, with the
 *  directories on the way. By the rules of archives and images above, but no content is amended, and modes are those of sources. The layers' blobs are
 *  in @p store, and are checked against their digests and diff IDs. @p ret: one digest a layer, the caller's to free(). The store remembers them. */
int rootfs_layer_trees(struct store *store, const struct oci_base *image, struct digest **ret, struct err *err);

/** How a tree is exported. Borrowed strings. */
struct rootfs_export {
	bool oci;                   /**< as an image.tar of one uncompressed layer (oci_image_write()); else as a plain tar */
	const char *architecture;   /**< images: for which machine (GOARCH names); NULL: this host's */
	const char *ref;            /**< images: the reference name in the index; NULL: none */
};

/** Writes a tree to the file @p path, which appears whole, belongs to the caller, and replaces an older one. The bytes depend on the tree and
 *  @p how alone: the order of the manifest, ROOTFS_MTIME, the form of oci/tar.h. What a layer cannot hold (a name that begins with
 *  ".wh.") is ERR_INPUT. Uses ident_caller_begin() itself. */
int rootfs_export(struct store *store, const struct digest *d, const struct rootfs_export *how, const char *path, struct err *err);

/** Appends an entry of a tree to a layer, a file's content from the store, where it is checked while it is copied. */
int rootfs_layer_add(struct store *store, struct oci_layer *layer, const struct tree_entry *e, struct err *err);
/** The same with a file's content out of @p fd (borrowed), of exactly e->size bytes; @p hashed: and of e->digest. */
int rootfs_layer_add_fd(struct oci_layer *layer, const struct tree_entry *e, int fd, bool hashed, struct err *err);

/** Lays a tree out below @p dirfd (an existing empty directory), in manifest order, own inodes, contents verified against their
 *  digests while copied, every mtime ROOTFS_MTIME, owner the step user. ENOSPC is told apart ("tmpfs is full: …"). */
int rootfs_materialise(struct store *store, const struct digest *d, int dirfd, struct err *err);

#endif
