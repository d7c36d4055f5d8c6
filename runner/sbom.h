/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sbom.h
 * The bills of materials of a run's image. Private to runner/.
 */
#ifndef GB_RUNNER_SBOM_H
#define GB_RUNNER_SBOM_H

#include "inspect/sbom.h"
#include "runner/pack.h"
#include "runner/plan.h"

/** Largest document: a bundle holds it in base64. */
#define RUN_SBOM_MAX (46u << 20)

/** What a bundle's name has behind that of its document. */
#define RUN_BUNDLE_SUFFIX ".sigstore.json"

/** Those that a spec asks for. */
struct run_sboms {
	struct buf text[SBOM_FORMATS];       /**< canonical JSON and a newline; empty: not asked for */
	struct digest digest[SBOM_FORMATS];  /**< of that */
};
void run_sboms_clear(struct run_sboms *s);
#define auto_run_sboms __attribute__((cleanup(run_sboms_clear))) struct run_sboms

/** What they are made of. Borrowed. */
struct run_sbom_facts {
	struct store *store;
	const struct plan *plan;
	struct digest output;                /**< tree of what the build left */
	const char *output_path;
	int image_fd;                        /**< image.tar */
	const struct built_image *image;
	bool cached;                         /**< earlier ones of the same image are taken from the store */
};

/** Makes those that the plan asks for. */
int run_sboms_make(const struct run_sbom_facts *facts, struct run_sboms *ret, struct err *err);

/** Adds what result.json says of them: [{format, path, digest, bundle}]. */
int run_sboms_json(const struct run_sboms *s, bool is_signed, json_t *result, struct err *err);

/** The digest that a provenance, which has been checked, names of a document. @return whether it does. */
bool run_sbom_recorded(const json_t *statement, enum sbom_format format, struct digest *ret);
/** Makes them again, and appends the names of those that are recorded and have become others, ", " between them. None where another version of glovebox
 *  recorded them: it may have told of other things. */
int run_sboms_compare(const struct run_sbom_facts *facts, const json_t *statement, struct buf *ret, struct err *err);

/** Appends the statement about a document, to be signed. */
int run_sbom_statement(const struct plan *plan, const struct built_image *image, const struct run_sboms *s, enum sbom_format format,
		       struct buf *out, struct err *err);

#endif
