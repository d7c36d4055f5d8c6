/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file base.h
 * An OCI image as base: named by a pinned reference, taken into the store blob by
 * blob, and read back from there. Private to runner/.
 */
#ifndef GB_RUNNER_BASE_H
#define GB_RUNNER_BASE_H

#include "fetch/registry.h"
#include "oci/oci.h"
#include "store/store.h"

/** A base image whose blobs are in the store. */
struct base_image {
	bool any;                    /**< false: the base is the rootfs, or nothing */
	struct oci_base image;
	struct buf manifest;         /**< its manifest's text */
};
void base_clear(struct base_image *base);
#define auto_base __attribute__((cleanup(base_clear))) struct base_image

/** Whether @p ref names an OCI image: "oci:…". */
bool base_is_image(const char *ref);

/** Takes the image `oci:PATH@sha256:…` into the store: manifest, config and every layer, each checked against its digest. PATH begins with
 *  '/' or '.', is relative to @p dirfd, and where @p beneath is set stays within it. ERR_USAGE: no such reference, a registry's, or one for
 *  another machine; ERR_INPUT: it is not there, or not what the digest says. The caller brackets this with ident_read_begin(). */
int base_import(struct store *store, int dirfd, bool beneath, const char *ref, struct base_image *ret, struct err *err);

/** The same for `oci:HOST/PATH@sha256:…`, an image in a registry (registry_is_image()): where the store has all of it, nobody is asked. The digest
 *  may be that of an index, which says what the image for this machine is. @p registry as in registry_fetch(). */
int base_fetch(struct store *store, const struct registry_conf *registry, const char *ref, struct base_image *ret, struct err *err);

/** Reads either back from the store. ERR_INPUT where a blob is missing. */
int base_load(struct store *store, const char *ref, struct base_image *ret, struct err *err);

/** base_load() where it is known from elsewhere what the image's manifest is, which @p ref may name by an index. */
int base_load_manifest(struct store *store, const char *ref, const struct digest *manifest, struct base_image *ret, struct err *err);

#endif
