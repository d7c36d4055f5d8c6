/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file foreign.h
 * Images that other tools made, for import: OCI image layouts and docker archives, each as a directory or as a tar, and directories of blobs. Tolerant of what
 * is done in more than one way, trusting none of it; which files an image is made of is found here, layers are read by rootfs/.
 * (oci_image_read() is for evidence, and takes only what glovebox wrote.)
 *
 * | what | is |
 * | --- | --- |
 * | a member's name absolute, with "..", or there twice | refused |
 * | a blob in a layout that is a link, or reached through one | refused |
 * | a blob that is no regular file (fifo, device, directory) | refused, and not waited for |
 * | a layer in a docker archive that is a link (docker save writes such) | followed, inside the archive only, OCI_LINKS_MAX times |
 * | a blob of another size or digest than its descriptor's | refused |
 * | a digest of another algorithm than SHA-256 | refused |
 * | JSON with a key twice, a NUL in a string, bytes behind it, over OCI_JSON_MAX | refused |
 * | an index in an index | read, OCI_NESTING_MAX deep; so one that leads back to itself ends there |
 * | an entry that is no image (attestation, artifact, unknown type) | passed over |
 * | as many diff IDs as layers | demanded |
 * | a platform that the index gives and the config denies | refused |
 * | a layer's media type | has to be one of a tar layer; the codec is what the bytes are, and the diff ID proves it |
 * | more than one image, and no reference | refused, with their names |
 */
#ifndef GB_OCI_FOREIGN_H
#define GB_OCI_FOREIGN_H

#include "oci/oci.h"

#define OCI_FILES_MAX 65536          /**< members of an image archive */
#define OCI_FILE_NAMES_MAX (16u << 20) /**< bytes of their names and targets */
#define OCI_LINKS_MAX 4              /**< links on the way to a layer */
#define OCI_NESTING_MAX 4            /**< indexes one in the other, index.json counted */
#define OCI_MANIFESTS_MAX 1024       /**< images in an index, or in all together */
#define OCI_DOCUMENTS_MAX 256        /**< JSON documents read to find one image */
#define OCI_NAMES_SHOWN 20           /**< names that an error lists */

/* ---- files by name ------------------------------------------------------------ */

/** The files of an image, in a directory or in a tar that is not compressed. */
struct oci_files;

/** Where a file's bytes are. oci_part_close() when done. */
struct oci_part {
	int fd;
	bool owned;       /**< the descriptor is this part's own */
	uint64_t offset, size;
};
void oci_part_close(struct oci_part *p);
#define auto_oci_part __attribute__((cleanup(oci_part_close))) struct oci_part
#define OCI_PART_NONE ((struct oci_part){ .fd = -1 })

/** What a directory or an archive is. */
enum oci_shape {
	OCI_SHAPE_NONE,     /**< no image */
	OCI_SHAPE_LAYOUT,   /**< OCI image layout: oci-layout, index.json, blobs/ */
	OCI_SHAPE_DOCKER,   /**< docker archive: manifest.json, which is a list */
	OCI_SHAPE_FLAT,     /**< `podman save --format docker-dir`, `skopeo copy dir:`: version, manifest.json, which is a manifest, and blobs */
};

/** The directory @p dirfd (borrowed). */
int oci_files_open_dir(int dirfd, struct oci_files **ret, struct err *err);
/** The tar in @p fd (borrowed; a regular file). Unless @p sure it is an image, a first member that no image has gives *ret NULL, and 0. */
int oci_files_open_tar(int fd, bool sure, struct oci_files **ret, struct err *err);
void oci_files_free(struct oci_files *f);
static inline void own_oci_files(struct oci_files **f)
{
	oci_files_free(*f);
}
#define auto_oci_files __attribute__((cleanup(own_oci_files))) struct oci_files *

/** Whether @p name may be that of a member of an image archive, by the customs of docker, podman, skopeo, containerd and crane. */
bool oci_is_image_member(const char *name);
/** What the files make. Both kinds of documents there: a layout, whose descriptors have digests. A directory with a manifest.json and files
 *  that no docker archive has is no image. */
enum oci_shape oci_files_shape(const struct oci_files *f);
/** Finds a file by its clean relative name. ERR_INPUT. @p links: may be a link inside. */
int oci_files_find(const struct oci_files *f, const char *name, bool links, struct oci_part *ret, struct err *err);

/* ---- the image ----------------------------------------------------------------- */

/** "linux/arm64/v8". */
struct oci_platform {
	char os[32], architecture[32], variant[32];   /**< "" where nothing is said */
};

/** Parses OS/ARCH[/VARIANT], or ARCH; x86_64 and aarch64 are understood. NULL: this host's. ERR_USAGE. */
int oci_platform_parse(const char *text, struct oci_platform *ret, struct err *err);

/** A layer of a foreign image. */
struct oci_foreign_layer {
	char *file;              /**< its name among the files */
	bool has_digest;         /**< docker archives name no digest of the bytes themselves */
	struct digest digest;
	uint64_t size;           /**< where has_digest */
	struct digest diff_id;
};

/** An image that was chosen; its documents are checked, its layers not yet. */
struct oci_foreign {
	struct oci_platform platform;      /**< as the config says */
	struct digest config_digest;
	json_t *config;                    /**< owned: the whole document, of which the platform and the diff IDs alone are checked */
	struct oci_foreign_layer *layers;
	size_t nlayers;
	bool links;                        /**< layers may be reached by links (docker archive) */
};

/** Finds the image of @p platform called @p ref (a reference name, a tag, a digest of manifest or config; NULL: the only one). ERR_INPUT:
 *  there is none, or more than one (the error lists what there is), or it breaks a rule. */
int oci_foreign_open(const struct oci_files *f, enum oci_shape shape, const char *ref, const struct oci_platform *platform,
		     struct oci_foreign *ret, struct err *err);
void oci_foreign_clear(struct oci_foreign *image);
#define auto_oci_foreign __attribute__((cleanup(oci_foreign_clear))) struct oci_foreign

#endif
