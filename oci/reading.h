/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file reading.h
 * An image.tar being read: first its form (outer.h), then its documents, each of
 * which names the next, then its layers. Private to oci/.
 */
#ifndef GB_OCI_READING_H
#define GB_OCI_READING_H

#include "oci/oci.h"
#include "oci/outer.h"

/** A layer as the manifest names it. */
struct reading_layer {
	enum oci_compression codec;
	struct slice content;
};

/** Zero-initialise; reading_clear(). */
struct reading {
	struct outer outer;
	struct buf index_text, manifest_text, config_text;
	struct oci_image image;
	struct reading_layer *layers;   /**< image.nlayers */
};

void reading_clear(struct reading *r);

/** Reads and checks layout, index, manifest and config of `outer`, and fills all else; a blob that none of them
 *  names is refused too. Layers' bytes are not read. ERR_UNVERIFIED names member and offset. */
int reading_documents(struct reading *r, struct err *err);

/** ERR_UNVERIFIED "member NAME at offset N: …". */
int reading_refuse(struct err *err, const char *name, const struct slice *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

#endif
