/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file foreign_json.h
 * The JSON documents of foreign images (OCI image-spec v1.1, docker image manifest v2.2, docker archive), member by member what import needs.
 * Members that are not known change nothing. Private to oci/.
 */
#ifndef GB_OCI_FOREIGN_JSON_H
#define GB_OCI_FOREIGN_JSON_H

#include "oci/foreign.h"

enum foreign_kind { FOREIGN_MANIFEST, FOREIGN_INDEX, FOREIGN_OTHER };

/** A descriptor; strings are borrowed from the document. */
struct foreign_descriptor {
	enum foreign_kind kind;
	struct digest digest;
	uint64_t size;
	bool has_platform;
	struct oci_platform platform;
	const char *names[2];   /**< annotations of reference; NULL where there is none */
};

/** An image as a docker archive's manifest.json has it; borrowed. */
struct foreign_docker {
	const char *config;
	const json_t *tags, *layers;   /**< arrays of strings; tags may be NULL */
};

/** Reads entry @p i of an index. Something that is no image of a known kind is FOREIGN_OTHER, whatever else it says. ERR_INPUT. */
int foreign_entry(const json_t *index, size_t i, struct foreign_descriptor *ret, struct err *err);
/** The number of entries; ERR_INPUT where there is no list of them, or more than OCI_MANIFESTS_MAX. */
int foreign_index(const json_t *index, size_t *ret, struct err *err);
/** The config's descriptor, and that of each layer (@p ret_layers: free). */
int foreign_manifest(const json_t *manifest, struct foreign_descriptor *ret_config, struct foreign_descriptor **ret_layers,
		     size_t *ret_n, struct err *err);
/** The platform, and the diff IDs (@p ret_ids: free), which must be @p n. */
int foreign_config(const json_t *config, size_t n, struct oci_platform *ret, struct digest **ret_ids, struct err *err);
/** The platform alone. */
int foreign_config_platform(const json_t *config, struct oci_platform *ret, struct err *err);
/** Entry @p i of manifest.json. */
int foreign_docker_entry(const json_t *list, size_t i, struct foreign_docker *ret, struct err *err);

#endif
