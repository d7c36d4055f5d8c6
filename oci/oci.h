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

/* ---- layers ---------------------------------------------------------- */

enum oci_compression { OCI_GZIP, OCI_NONE };

enum oci_type { OCI_DIR, OCI_FILE, OCI_LINK };

/** One entry of a layer. Paths are relative, clean, any bytes but NUL. */
struct oci_entry {
	const char *path;     /**< "usr/bin/cc"; never "." */
	enum oci_type type;
	unsigned mode;        /**< permission bits only, 07777 less setuid and setgid */
	uint64_t uid, gid;
	uint64_t size;        /**< OCI_FILE */
	const char *link;     /**< OCI_LINK: target */
};

/** A finished blob: what a descriptor says of it. */
struct oci_blob {
	struct digest digest;   /**< of the stored bytes */
	uint64_t size;
	struct digest diff_id;  /**< layers: of the uncompressed tar */
	uint64_t diff_size;
};

/** A layer being written: entries in, tar → diff ID → codec → digest → fd out. */
struct oci_layer;

/** Starts a layer into @p out_fd (borrowed, written from its current offset).
 *  @p mtime is every entry's time in seconds since 1970. gzip: libdeflate level 6,
 *  members of 1 MiB of input each (RFC 1952; header without name and time, OS 255). */
int oci_layer_begin(int out_fd, enum oci_compression codec, int64_t mtime, struct oci_layer **ret, struct err *err);
/** Adds one entry; parents come before children (the caller's order is the layer's order).
 *  For OCI_FILE exactly @p size bytes are read from @p content_fd; fewer or more is ERR_INPUT. */
int oci_layer_add(struct oci_layer *layer, const struct oci_entry *entry, int content_fd, struct err *err);
/** Closes the tar and the codec. */
int oci_layer_end(struct oci_layer *layer, struct oci_blob *ret, struct err *err);
void oci_layer_free(struct oci_layer *layer);
static inline void own_oci_layer(struct oci_layer **l)
{
	oci_layer_free(*l);
}
#define auto_oci_layer __attribute__((cleanup(own_oci_layer))) struct oci_layer *

/** The codec as provenance names it, for example "gzip;libdeflate=1.14;level=6;member=1048576". Static. */
const char *oci_codec_name(enum oci_compression codec);

/* ---- image ----------------------------------------------------------- */

struct oci_kv {
	const char *name, *value;
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
};

/** One layer to put into an image. */
struct oci_layer_file {
	struct oci_blob blob;
	enum oci_compression codec;
	int fd;                    /**< the blob's bytes from offset 0 (read with pread) */
	const char *created_by;    /**< history entry */
};

/** GOARCH name of the machine this program was compiled for. */
const char *oci_architecture(void);

/** Writes a whole image.tar to @p out_fd: `oci-layout`, `index.json` (one manifest, flat, annotation
 *  org.opencontainers.image.ref.name = @p tag when not NULL), `blobs/sha256/…` sorted by name; ustar members, mode 0644/0755,
 *  owner 0:0, mtime 315532800. @p ret_manifest is the manifest digest, the image's name in glovebox. */
int oci_image_write(int out_fd, const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    const char *tag, struct digest *ret_manifest, struct err *err);

/* ---- reading an image.tar, trusting nothing -------------------------- */

/** Limits of the reader. */
#define OCI_JSON_MAX (4u << 20)   /**< index, manifest, config */
#define OCI_LAYERS_MAX 512
#define OCI_MEMBERS_MAX 4096

/** What an image.tar says of itself, all of it checked against the blobs' own bytes:
 *  every blob in the archive hashes to its name, every descriptor's size and digest match,
 *  nothing is missing, duplicated or left over, JSON strict, exactly one manifest. */
struct oci_image {
	struct digest manifest_digest;
	struct digest config_digest;
	json_t *manifest, *config;     /**< owned */
	struct oci_blob *layers;       /**< nlayers; diff_id from the config */
	size_t nlayers;
};

/** Reads an image.tar from @p fd (seekable). With @p deep every layer is decompressed and its diff ID checked
 *  and its entries are checked against the layer rules. Anything wrong is ERR_UNVERIFIED, naming the member. */
int oci_image_read(int fd, bool deep, struct oci_image *ret, struct err *err);
void oci_image_clear(struct oci_image *image);
#define auto_oci_image __attribute__((cleanup(oci_image_clear))) struct oci_image

#endif
