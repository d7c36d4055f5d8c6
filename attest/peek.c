/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "attest/bundle.h"

static bool names_image(const json_t *statement, const struct digest *image)
{
	const json_t *subjects = json_object_get(statement, "subject"), *s;
	char hex[DIGEST_HEX_SIZE];
	size_t i;

	digest_hex(image, hex);
	json_array_foreach(subjects, i, s) {
		const char *have = json_str(json_object_get(s, "digest"), "sha256");

		if (have != NULL && strcmp(have, hex) == 0)
			return true;
	}
	return false;
}

int attest_peek(const char *bundle, size_t n, const struct digest *image, char **ret_predicate_type, struct err *err)
{
	auto_json doc = NULL;
	auto_json statement = NULL;
	auto_bundle b = {0};
	char text[DIGEST_STR_SIZE];

	if (n > ATTEST_BUNDLE_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: larger than the limit of %u bytes", ATTEST_BUNDLE_MAX);
	if (json_parse(bundle, n, "bundle", ERR_UNVERIFIED, &doc, err) < 0 || bundle_read(doc, &b, err) < 0 ||
	    json_parse(b.payload.data, b.payload.len, "statement", ERR_UNVERIFIED, &statement, err) < 0)
		return -1;
	const char *type = json_str(statement, "predicateType");
	if (type == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "statement: no predicateType");
	if (!names_image(statement, image))
		return err_set(err, ERR_UNVERIFIED, 0, "the statement is not about the image %s", digest_str(image, text));
	*ret_predicate_type = strdup(type);
	return *ret_predicate_type == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "bundle") : 0;
}
