/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file document.h
 * The JSON documents of an image (OCI image-spec v1.1), one canonical form each.
 * The reader makes index and manifest again from what they say and compares
 * bytes, so that nothing can hide in them. Private to oci/.
 */
#ifndef GB_OCI_DOCUMENT_H
#define GB_OCI_DOCUMENT_H

#include "oci/oci.h"

#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_LAYER_TAR "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"

/** What a descriptor says of a blob. */
struct descriptor {
	const char *media_type;
	struct digest digest;
	uint64_t size;
};

/** Reads a descriptor; what else it has is not looked at. @p ret points into @p j. @return whether it is one. */
bool document_descriptor(const json_t *j, struct descriptor *ret);

/** Media type of a layer. Static. */
const char *document_layer_media(enum oci_compression codec);
/** The codec that @p media_type names. @return whether it names one. */
bool document_layer_codec(const char *media_type, enum oci_compression *ret);

/** Whether @p tag is an org.opencontainers.image.ref.name by image-spec's grammar, at most 255 bytes. */
bool document_is_tag(const char *tag);

/** A digest as text: new reference. */
json_t *document_digest(const struct digest *d);
/** Canonical text of @p j, for which NULL stands for short memory; more than OCI_JSON_MAX is ERR_USAGE. */
int document_text(const json_t *j, struct buf *out, struct err *err);

/** How many layers a history speaks of: its entries that are not empty. */
size_t document_history_layers(const json_t *history);
/** How many layers a config speaks of (its diff IDs); 0 for NULL. */
size_t document_base_layers(const json_t *config);

/** The config. Text that is not UTF-8, names that cannot be, or one given twice: ERR_USAGE. Layers that are not
 *  the base's where it has some: ERR_INPUT. (config.c) */
int document_config(const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    struct buf *out, struct err *err);
/** The manifest: no annotations, `created` is in the config. */
int document_manifest(const struct descriptor *config, const struct descriptor *layers, size_t nlayers,
		      struct buf *out, struct err *err);
/** The index: one manifest with its platform, and @p tag unless that is NULL. */
int document_index(const struct descriptor *manifest, const char *architecture, const char *tag,
		   struct buf *out, struct err *err);

#endif
