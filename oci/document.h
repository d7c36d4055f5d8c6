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

/** The whole content of the file oci-layout. */
#define DOCUMENT_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

/** What a descriptor says of a blob. */
struct descriptor {
	const char *media_type;
	struct digest digest;
	uint64_t size;
};

/** Media type of a layer. Static. */
const char *document_layer_media(enum oci_compression codec);
/** The codec that @p media_type names. @return whether it names one. */
bool document_layer_codec(const char *media_type, enum oci_compression *ret);

/** Whether @p tag is an org.opencontainers.image.ref.name by image-spec's grammar, at most 255 bytes. */
bool document_is_tag(const char *tag);

/** The config. Text that is not UTF-8, names that cannot be, or one given twice: ERR_USAGE. */
int document_config(const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    struct buf *out, struct err *err);
/** The manifest: no annotations, `created` is in the config. */
int document_manifest(const struct descriptor *config, const struct descriptor *layers, size_t nlayers,
		      struct buf *out, struct err *err);
/** The index: one manifest with its platform, and @p tag unless that is NULL. */
int document_index(const struct descriptor *manifest, const char *architecture, const char *tag,
		   struct buf *out, struct err *err);

#endif
