/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file oci.h
 * oci/: the OCI image formats (image-spec v1.1) and nothing else: deterministic
 * tar layers, config, manifest, index; a writer of image.tar and a reader of it
 * that trusts nothing. The same input gives the same bytes on every machine.
 */
#ifndef GB_OCI_H
#define GB_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* ---- limits, of the writer and of the reader alike --------------------- */

#define OCI_JSON_MAX (4u << 20)            /**< bytes of index, manifest, config, each */
#define OCI_LAYERS_MAX 512                 /**< layers of an image */
#define OCI_MEMBERS_MAX 4096               /**< blobs in an image.tar */
#define OCI_BLOB_MAX 077777777777ull       /**< bytes of a blob: what a ustar header holds, 8 GiB - 1 */
#define OCI_DIFF_MAX (64ull << 30)         /**< bytes of an uncompressed layer */
#define OCI_ENTRIES_MAX 2000000u           /**< entries: writing, of one layer; reading, of all layers together */
#define OCI_PATH_BYTES_MAX (256u << 20)    /**< their paths together, likewise */

/* ---- layers ---------------------------------------------------------- */

/** How a layer is stored (image-spec media types application/vnd.oci.image.layer.v1.tar[+gzip|+zstd]). */
enum oci_compression { OCI_GZIP, OCI_ZSTD, OCI_NONE };

/** What an entry of a layer is; nothing else is ever written. */
enum oci_type { OCI_DIR, OCI_FILE, OCI_LINK };

/** One entry of a layer. Paths are relative, clean, at most 4,095 bytes, any bytes but NUL;
 *  no component begins with ".wh." (a whiteout: it would delete files of the layers below). */
struct oci_entry {
	const char *path;     /**< "usr/bin/cc"; never "." */
	enum oci_type type;
	unsigned mode;        /**< permission bits only, 07777 less setuid and setgid */
	uint64_t uid, gid;
	uint64_t size;        /**< OCI_FILE */
	const struct digest *digest; /**< OCI_FILE: what its content must hash to, or NULL: not asked */
	const char *link;     /**< OCI_LINK: target, not empty, at most 4,095 bytes */
};

/** A finished blob: what a descriptor says of it. */
struct oci_blob {
	struct digest digest;   /**< of the stored bytes */
	uint64_t size;
	struct digest diff_id;  /**< layers: of the uncompressed tar */
	uint64_t diff_size;     /**< and how large that is; 0 where nobody has looked */
};

/** A layer being written: entries in, tar → diff ID → codec → digest → fd out, in at most 60 MiB of memory, whatever goes in. Between begin
 *  and free, threads compress (base/crew.h): no process may be forked nor its ids changed meanwhile.
 *  The tar is ustar, with pax headers only for what ustar cannot hold; its exact form is in oci/tar.h. */
struct oci_layer;

/** Starts a layer into @p out_fd (borrowed, written from its current offset).
 *  @p mtime is every entry's time in seconds since 1970. gzip: libdeflate level 5,
 *  members of 1 MiB of input each (RFC 1952; header without name and time, OS 255). zstd: libzstd level 3, frames of
 *  4 MiB of input each (RFC 8878; content size, no checksum).
 *  A time that is negative or past 8,589,934,591 is ERR_USAGE. */
int oci_layer_begin(int out_fd, enum oci_compression codec, int64_t mtime, struct oci_layer **ret, struct err *err);
/** Adds one entry; parents come before children (the caller's order is the layer's order).
 *  For OCI_FILE exactly @p size bytes are read from @p content_fd's offset on; fewer or more is ERR_INPUT
 *  (-1 will do for an empty file). So is an entry that oci_image_read() would refuse, or one that takes the
 *  layer past a limit. That no path comes twice is the caller's promise: only the reader checks it.
 *  After a failure the layer can only be freed. */
int oci_layer_add(struct oci_layer *layer, const struct oci_entry *entry, int content_fd, struct err *err);
/** Closes the tar (two zero blocks, no more) and the codec. Nothing can be added after it. */
int oci_layer_end(struct oci_layer *layer, struct oci_blob *ret, struct err *err);
void oci_layer_free(struct oci_layer *layer);
static inline void own_oci_layer(struct oci_layer **l)
{
	oci_layer_free(*l);
}
#define auto_oci_layer __attribute__((cleanup(own_oci_layer))) struct oci_layer *

/** Room for oci_codec_name(). */
#define OCI_CODEC_NAME_SIZE 80

/** Writes the codec as provenance names it, for example "gzip;libdeflate=1.14;level=5;member=1048576"; returns @p out. libzstd's
 *  version is that of the library that runs; libdeflate cannot be asked, so it is that of the header compiled against. */
const char *oci_codec_name(enum oci_compression codec, char out[OCI_CODEC_NAME_SIZE]);

/* ---- image ----------------------------------------------------------- */

/** A name and its value. Borrowed strings. */
struct oci_kv {
	const char *name, *value;
};

/** How to ask whether a container is well: docker's extension of the config. Borrowed. 0: not set. */
struct oci_health {
	const char *const *test; size_t ntest; /**< "CMD", "/bin/ask" or "CMD-SHELL", "ask" */
	uint64_t interval_ns, timeout_ns, start_period_ns, retries;
};

/** What goes into the config and the manifest. All borrowed. Lists end by their count. */
struct oci_config {
	const char *architecture;  /**< "amd64", … (GOARCH names) */
	int64_t created;           /**< seconds since 1970 */
	const char *const *entrypoint; size_t nentrypoint;
	const char *const *cmd; size_t ncmd;
	const struct oci_kv *env; size_t nenv;
	const struct oci_kv *labels; size_t nlabels;
	const char *user;          /**< NULL: absent */
	const char *workdir;       /**< NULL: absent */
	const char *const *ports; size_t nports;     /**< "8080/tcp" */
	const char *const *volumes; size_t nvolumes;
	const char *stop_signal;   /**< NULL: absent */
	const char *author;        /**< NULL: absent */
	const struct oci_health *health; /**< NULL: absent */
	/** The config of a base image (struct oci_base), or NULL. Its layers come first among the image's, and its history before
	 *  theirs. Environment, labels, ports and volumes are added to the base's, one of the same name taking its place; an entrypoint
	 *  takes the place of the base's, and makes an end of its arguments; all else replaces the base's where it is given, and leaves
	 *  it where it is not. OnBuild is dropped. The base must be for the same architecture. */
	const json_t *base;
};

/** One layer to put into an image. */
struct oci_layer_file {
	struct oci_blob blob;
	enum oci_compression codec;
	int fd;                    /**< borrowed: the blob's bytes from offset 0 (read with pread) */
	const char *created_by;    /**< history entry, or NULL */
};

/** GOARCH name of the machine this program was compiled for. */
const char *oci_architecture(void);

/** Writes a whole image.tar to @p out_fd: `oci-layout`, `index.json` (one manifest with its platform, flat, annotation
 *  org.opencontainers.image.ref.name = @p tag when not NULL), `blobs/`, `blobs/sha256/`, `blobs/sha256/…` sorted by name;
 *  ustar members, mode 0644/0755, owner 0:0, mtime 315532800. All JSON is canonical (json_canonical()); `created` stands
 *  in the config and its history alone, the manifest has no annotations. Layers go in the order given; equal ones share a
 *  blob. @p ret_manifest is the manifest digest, the image's name in glovebox.
 *  ERR_USAGE: no layer or too many, a blob over OCI_BLOB_MAX, a tag that image-spec's grammar has not, text that is not
 *  UTF-8, a variable or label given twice. ERR_INPUT: a layer's fd no longer holds the bytes of its digest. */
int oci_image_write(int out_fd, const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    const char *tag, struct digest *ret_manifest, struct err *err);

/** A blob made elsewhere. */
struct oci_member {
	struct digest digest;
	uint64_t size;
	int fd;                    /**< borrowed: its bytes (read with pread), */
	uint64_t offset;           /**< from there on */
};

/** What names an image in a layout: its one manifest. Borrowed. */
struct oci_name {
	const char *media_type;    /**< of the manifest */
	struct digest digest;
	uint64_t size;
	const char *architecture;
	const char *tag;           /**< or NULL */
};

/** The whole content of a layout's file "oci-layout". */
#define OCI_LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

/** Appends a layout's index.json, as oci_image_write() makes it. */
int oci_index(const struct oci_name *name, struct buf *out, struct err *err);

/** Writes an image.tar of blobs made elsewhere, the manifest among them: of what oci_image_write() made, the same bytes again.
 *  ERR_INPUT: a fd does not hold the bytes of its digest. */
int oci_image_wrap(int out_fd, const struct oci_name *name, const struct oci_member *blobs, size_t n, struct err *err);

/** Writes an archive of the same form around any index: for more than one image or artifact. Equal blobs are there once. */
int oci_archive_write(int out_fd, const struct buf *index, const struct oci_member *blobs, size_t n, struct err *err);

/** Such an archive, whose form has been checked byte for byte (as oci_image_read() checks an image.tar's); what its documents say has not. */
struct oci_archive;
/** @p fd: a regular file (read with pread), borrowed, outlives the archive. ERR_UNVERIFIED names member and offset. */
int oci_archive_open(int fd, struct oci_archive **ret, struct err *err);
void oci_archive_free(struct oci_archive *archive);
static inline void own_oci_archive(struct oci_archive **a)
{
	oci_archive_free(*a);
}
#define auto_oci_archive __attribute__((cleanup(own_oci_archive))) struct oci_archive *
/** Appends the text of index.json. */
int oci_archive_index(const struct oci_archive *archive, struct buf *out, struct err *err);
/** Where a blob's bytes are, which must hash to its name: ERR_UNVERIFIED, also where there is none. */
int oci_archive_find(const struct oci_archive *archive, const struct digest *digest, struct oci_member *ret, struct err *err);
/** Appends a blob of at most @p max bytes; likewise checked. */
int oci_archive_text(const struct oci_archive *archive, const struct digest *digest, size_t max, struct buf *out, struct err *err);
/** How many blobs it has. */
size_t oci_archive_count(const struct oci_archive *archive);

/* ---- a base image, made by any tool ------------------------------------ */

/** What the manifest and the config of an image say that is to lie below ours. */
struct oci_base {
	struct digest manifest_digest, config_digest;
	uint64_t config_size;
	json_t *config;                   /**< owned; NULL until oci_base_config() */
	struct oci_blob *layers;          /**< owned; nlayers, digest and size; diff_id from the config */
	enum oci_compression *codecs;     /**< owned; how each is stored */
	size_t nlayers;
};
void oci_base_clear(struct oci_base *base);
#define auto_oci_base __attribute__((cleanup(oci_base_clear))) struct oci_base

/** Reads a manifest of one image: OCI's, or docker's (schema 2) with the same layers. An index is refused by name with what to do, so
 *  are foreign layers and codecs that glovebox does not read. ERR_INPUT. The config is asked for next, by its digest. */
int oci_base_manifest(const char *text, size_t n, struct oci_base *ret, struct err *err);
/** The same in this very process: for one that is confined itself, or a text whose signer is trusted. */
int oci_base_manifest_here(const char *text, size_t n, struct oci_base *ret, struct err *err);
/** Reads the config that the manifest names: digest, diff IDs, linux, and the members that oci_image_write() adds to. ERR_INPUT. */
int oci_base_config(struct oci_base *base, const char *text, size_t n, struct err *err);

/** An OCI image layout made by any tool: a directory, or a tar of one that is not compressed. Only blobs are read from it, each by
 *  the digest that somebody pinned: no index is asked what to trust. */
struct oci_layout;
/** @p fd: the directory, or the file (read with pread). Borrowed, and outlives the layout. ERR_INPUT. */
int oci_layout_open(int fd, struct oci_layout **ret, struct err *err);
void oci_layout_free(struct oci_layout *layout);
static inline void own_oci_layout(struct oci_layout **l)
{
	oci_layout_free(*l);
}
#define auto_oci_layout __attribute__((cleanup(own_oci_layout))) struct oci_layout *
/** Copies a blob of at most @p max bytes to @p write, and checks that it has that digest: what came before is void otherwise. ERR_INPUT. */
int oci_layout_blob(struct oci_layout *layout, const struct digest *digest, uint64_t max,
		    int (*write)(void *arg, const void *data, size_t n, struct err *err), void *arg, struct err *err);

/* ---- what lies below a layer -------------------------------------------- */

/** The paths in the layers below that a layer put on top must know. */
struct oci_below;
int oci_below_new(struct oci_below **ret, struct err *err);
void oci_below_free(struct oci_below *below);
static inline void own_oci_below(struct oci_below **b)
{
	oci_below_free(*b);
}
#define auto_oci_below __attribute__((cleanup(own_oci_below))) struct oci_below *
/** Has a confined process (base/confine.h) read a base's layer from @p fd (with pread), and checks that it is what @p blob says: size, digest,
 *  diff ID. Its entries may be what other tools make: setuid files, devices, extended attributes, any pax keyword. ERR_INPUT. */
int oci_below_read(struct oci_below *below, int fd, enum oci_compression codec, const struct oci_blob *blob, struct err *err);
/** Puts @p layer on top of that (borrowed, must outlive the layer): an entry that would make a directory of what is a link there is
 *  ERR_INPUT from then on (a layer with bin/ on a base whose bin is a link to usr/bin hides all of the base's programs). The layer's own
 *  links are added to @p below. */
void oci_layer_on(struct oci_layer *layer, struct oci_below *below);

/* ---- reading an image.tar, trusting nothing -------------------------- */

/** What an image.tar says of itself, all of it checked against the blobs' own bytes:
 *  every blob in the archive hashes to its name, every descriptor's size and digest match,
 *  nothing is missing, duplicated or left over, JSON strict, exactly one manifest.
 *  Of the config these are checked and may be relied on: architecture (string), os "linux",
 *  rootfs.diff_ids; the types of all else are the user's to check. */
struct oci_image {
	struct digest manifest_digest;
	struct digest config_digest;
	json_t *manifest, *config;     /**< owned */
	struct oci_blob *layers;       /**< nlayers; diff_id from the config */
	size_t nlayers;
};

/** Reads an image.tar from @p fd (a regular file, read with pread). It must be, byte for byte, an archive that
 *  oci_image_write() could have written: other tools' archives are for import, not evidence. Headers, padding, order, index,
 *  manifest and end are compared with the one right form, blobs with their digests; so a changed byte anywhere is refused,
 *  but for the tag's own letters in index.json, which are no part of the result (the digest of image.tar covers them).
 *  With @p deep every layer, also one from another tool, is decompressed, its diff ID checked, and its entries checked
 *  against the layer rules (oci/rules.h: clean relative paths, none twice, none through links; files, directories, links
 *  and hard links alone; no setuid or setgid; whiteouts in form; oci/untar.h: the tar itself).
 *  Anything wrong is ERR_UNVERIFIED, naming the member and the offset; short memory and read errors are ERR_INTERNAL. */
int oci_image_read(int fd, bool deep, struct oci_image *ret, struct err *err);
/** Where in an image.tar that oci_image_read() has passed a blob is. What is read there later is whatever is there then. */
int oci_image_find(int fd, const struct digest *digest, uint64_t *ret_offset, uint64_t *ret_size, struct err *err);
/** The same for an image whose first layers must be just those of @p base (NULL: none), whose manifest somebody has vouched for: they are
 *  another tool's, so that their entries may be what oci_below_read() takes. All else holds for them too. */
int oci_image_read_on(int fd, bool deep, const struct oci_base *base, struct oci_image *ret, struct err *err);
/** That without any layer's bytes: form and documents, of layers only that each is there and as large as the manifest says. For who
 *  compares the digest of all the archive's bytes with one by somebody who has seen that the layers in it are those. */
int oci_image_documents(int fd, const struct oci_base *base, struct oci_image *ret, struct err *err);
/** The same, not deep, by a confined process (base/confine.h): for an archive from outside. */
int oci_image_read_apart(int fd, const struct oci_base *base, struct oci_image *ret, struct err *err);

/** Runs @p fn confined, with @p fd: it reads an image in its own way and tells of it. ERR_UNVERIFIED. */
int oci_image_run(confine_fn *fn, void *arg, int fd, struct oci_image *ret, struct err *err);
/** In there: says all of @p image. */
int oci_image_tell(const struct oci_image *image, int out, struct err *err);
/** What oci_image_run() takes of that: an image whose documents and layers agree, or ERR_UNVERIFIED. */
int oci_image_told(const char *data, size_t n, struct oci_image *ret, struct err *err);

void oci_image_clear(struct oci_image *image);
#define auto_oci_image __attribute__((cleanup(oci_image_clear))) struct oci_image

/** The next entry of a configuration's history (or NULL) that stands for a layer, from @p at on, which moves behind it; NULL: there is none. */
const json_t *oci_history_next(const json_t *history, size_t *at);

#endif
