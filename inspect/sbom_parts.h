/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sbom_parts.h
 * What both forms of a bill of materials say in the same way. Private to inspect/.
 */
#ifndef GB_INSPECT_SBOM_PARTS_H
#define GB_INSPECT_SBOM_PARTS_H

#include "inspect/sbom.h"

/** What both say where nobody has told. */
#define SBOM_UNKNOWN "NOASSERTION"
/** Room for sbom_ref() and a UUID's text. */
#define SBOM_REF_SIZE 48

/** Writes PREFIX and a number; returns @p out. */
char *sbom_ref(const char *prefix, size_t n, char out[SBOM_REF_SIZE]);
/** Writes a UUID of version 5 (RFC 9562) that follows from the image's digest and glovebox's version. */
int sbom_uuid(const struct sbom *s, char out[SBOM_REF_SIZE], struct err *err);
/** Appends the image's package URL. */
void sbom_image_purl(const struct sbom *s, struct buf *out);
/** Appends that of the distribution, which has a name. */
void sbom_os_purl(const struct packages *p, struct buf *out);
/** Who supplied a package: its own word, or for one of a distribution that; else SBOM_UNKNOWN. Borrowed. */
const char *sbom_supplier(const struct sbom *s, const struct package *p);

/** Why a document is not complete, one text each: new reference to a list of strings, empty where it is. */
json_t *sbom_notes(const struct sbom *s);

/** Files in the order of who has them: of package 0, 1, …, then of layer 0, 1, … those that no package owns. Regular files alone. */
struct sbom_files {
	size_t *v;               /**< places in the contents */
	size_t *start;           /**< start[i] to start[i + 1]: of package i; behind the packages, of the layers */
	bool cut;                /**< there are more than SBOM_FILES_MAX */
};
int sbom_files_of(const struct sbom *s, struct sbom_files *ret, struct err *err);
void sbom_files_clear(struct sbom_files *f);
#define auto_sbom_files __attribute__((cleanup(sbom_files_clear))) struct sbom_files

/** A string of any bytes: new reference. */
json_t *sbom_text(const char *s);
/** Sets a member, which it takes over. @return false: memory is short. */
bool sbom_set(json_t *object, const char *name, json_t *value);
/** Appends an element, which it takes over. */
bool sbom_add(json_t *array, json_t *value);

json_t *sbom_cyclonedx(const struct sbom *s, const struct sbom_files *files, const char *uuid, const json_t *notes);
json_t *sbom_spdx(const struct sbom *s, const struct sbom_files *files, const char *uuid, const json_t *notes);

#endif
