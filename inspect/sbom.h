/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sbom.h
 * Bills of materials of an image: CycloneDX 1.6 and SPDX 2.3 (glovebox-sbom(5)). Nothing in them depends on when or where they are written: times are
 * the image's, the serial number follows from its digest.
 */
#ifndef GB_INSPECT_SBOM_H
#define GB_INSPECT_SBOM_H

#include "base/json.h"
#include "inspect/packages.h"

/** Changes where the same image gives other documents. */
#define SBOM_FORM "2"
/** Most files that a document lists; further ones are left out, and it says so. */
#define SBOM_FILES_MAX 100000u

enum sbom_format { SBOM_CYCLONEDX, SBOM_SPDX, SBOM_FORMATS };

/** What the formats are called. */
struct sbom_kind {
	const char *name;            /**< in a spec: "cyclonedx-1.6" */
	const char *file;            /**< in an out directory: "sbom.cdx.json" */
	const char *predicate_type;  /**< of a statement that has the document as its predicate */
	const char *media_type;
};
extern const struct sbom_kind sbom_kinds[SBOM_FORMATS];

/** A layer of the image. Borrowed. */
struct sbom_layer {
	struct digest digest, diff_id;
	const char *media_type;      /**< or NULL */
	const char *created_by;      /**< or NULL */
};

/** What the image was built from. Borrowed; texts are UTF-8. */
struct sbom_material {
	const char *name;
	const char *uri;
	struct digest digest;
	const char *commit;          /**< of git; or NULL */
	bool is_tool;                /**< what it was built with, and no source */
};

/** What a document tells. Borrowed. */
struct sbom {
	const char *name;            /**< the image's: "registry.example.com/shop/checkout" */
	struct digest manifest;      /**< the image's digest */
	const char *architecture;
	int64_t created;             /**< seconds since 1970 */
	const char *supplier;        /**< whoever answers for the image, or NULL: nobody says */
	const char *author;          /**< of the document; NULL: glovebox itself */
	const char *version;         /**< of glovebox */
	const struct sbom_layer *layers; size_t nlayers;
	const struct sbom_material *materials; size_t nmaterials;
	const struct contents *contents; /**< with SHA-1s where SPDX is asked for */
	const struct packages *packages;
};

/** Makes the document: new reference. */
int sbom_make(enum sbom_format format, const struct sbom *s, json_t **ret, struct err *err);

#endif
