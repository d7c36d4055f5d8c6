/* SPDX-License-Identifier: Apache-2.0 */
/* The base of an image, as its statement vouches for it. */
#include <string.h>

#include "attest/shape.h"
#include "attest/statement.h"

/** Whether a resolved dependency is the image with that manifest digest, taken as the base. A source may be called so too, but none has
 *  such a URI; and only glovebox writes this list. */
static bool is_base(const json_t *dep, const struct digest *manifest)
{
	const char *name = json_str(dep, "name"), *uri = json_str(dep, "uri");
	const char *hex = json_str(json_object_get(dep, "digest"), "sha256");
	struct digest d;

	return name != NULL && strcmp(name, ATTEST_BASE) == 0 && uri != NULL && text_starts(uri, "oci:") && hex != NULL &&
	       digest_parse_hex(hex, &d) && digest_eq(&d, manifest);
}

static int check_pinned(const json_t *definition, const struct digest *manifest, struct err *err)
{
	const json_t *dep, *deps = json_object_get(definition, "resolvedDependencies");
	size_t i;

	json_array_foreach(deps, i, dep)
		if (is_base(dep, manifest))
			return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "internalParameters.base: its manifest is no resolved dependency '" ATTEST_BASE "'");
}

int attest_base(const json_t *statement, struct oci_base *ret, bool *ret_any, struct err *err)
{
	static const char where[] = "internalParameters.base";
	const json_t *definition = statement_definition(statement), *base;
	auto_oci_base b = {0};
	const char *manifest;

	if (shape_optional(json_object_get(definition, "internalParameters"), ATTEST_BASE, JSON_OBJECT, "internalParameters", &base,
			   err) < 0)
		return -1;
	if (base == NULL) {
		*ret_any = false;
		return 0;
	}
	if (shape_string(base, "manifest", where, &manifest, err) < 0)
		return -1;
	if (oci_base_manifest_here(manifest, strlen(manifest), &b, err) < 0) {
		if (err->kind == ERR_INPUT)
			err->kind = ERR_UNVERIFIED;
		return err_ctx(err, "%s", where);
	}
	if (check_pinned(definition, &b.manifest_digest, err) < 0)
		return -1;
	*ret = b;
	b = (struct oci_base){0};
	*ret_any = true;
	return 0;
}
