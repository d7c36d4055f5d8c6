/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file publication.h
 * An image on its way to a registry, with what is attached to it.
 */
#ifndef GB_RUNNER_PUBLICATION_H
#define GB_RUNNER_PUBLICATION_H

#include "fetch/registry.h"

/** Most artifacts attached, and the largest of them. */
#define PUBLICATION_ARTIFACTS_MAX 64
#define PUBLICATION_ARTIFACT_SIZE_MAX (64u << 20)

/** What will be sent, all of it checked. Opaque, owned. */
struct publication;
void publication_free(struct publication *p);
static inline void own_publication(struct publication **p)
{
	publication_free(*p);
}
#define auto_publication __attribute__((cleanup(own_publication))) struct publication *

/** Reads the image.tar @p image_fd (borrowed, outlives the publication) with oci_image_read(); and with @p dirfd (-1: nothing is attached)
 *  the artifacts in that directory: every NAME.sigstore.json, provenance.sigstore.json among them, sbom.cdx.json, sbom.spdx.json.
 *  ERR_UNVERIFIED: one is not what it says, or a bundle about another image; ERR_INPUT: there is no provenance. */
int publication_read(int image_fd, int dirfd, struct publication **ret, struct err *err);

/** How many artifacts will be attached. */
size_t publication_attached(const struct publication *p);

/** Sends it, once for each reference that it shall have: what has been sent is not sent again. registry_push(). */
int publication_send(const struct publication *p, const struct registry_conf *conf, const struct registry_ref *ref,
		     const char *const *mount_from, size_t nmount_from, struct registry_pushed *ret, struct err *err);

/** Gives what has been sent the tag of @p ref. registry_tag(). */
int publication_tag(const struct publication *p, const struct registry_conf *conf, const struct registry_ref *ref, struct err *err);

#endif
