/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "attest/bundle.h"

/** Longest predicate type. */
#define PREDICATE_TYPE_MAX 4096

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

/** A bundle in its reader. */
struct peeking {
	const char *bundle;
	size_t n;
	const struct digest *image;
};

/** In the child: writes the predicate type. */
static int peek_apart(void *arg, int out, struct err *err)
{
	const struct peeking *p = arg;
	auto_json doc = NULL;
	auto_json statement = NULL;
	auto_bundle b = {0};
	char text[DIGEST_STR_SIZE];

	if (json_parse(p->bundle, p->n, "bundle", ERR_UNVERIFIED, &doc, err) < 0 || bundle_read(doc, &b, err) < 0 ||
	    json_parse(b.payload.data, b.payload.len, "statement", ERR_UNVERIFIED, &statement, err) < 0)
		return -1;
	const char *type = json_str(statement, "predicateType");
	if (type == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "statement: no predicateType");
	if (!names_image(statement, p->image))
		return err_set(err, ERR_UNVERIFIED, 0, "the statement is not about the image %s", digest_str(p->image, text));
	return io_write_all(out, type, strlen(type), err);
}

int attest_peek(const char *bundle, size_t n, const struct digest *image, char **ret_predicate_type, struct err *err)
{
	struct peeking p = { bundle, n, image };
	const struct confine_conf conf = { .what = "the reader of the bundle", .fn = peek_apart, .arg = &p, .kind = ERR_UNVERIFIED };
	auto_buf type = {0};

	if (n > ATTEST_BUNDLE_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: larger than the limit of %u bytes", ATTEST_BUNDLE_MAX);
	if (confine_run(&conf, PREDICATE_TYPE_MAX, &type, err) < 0)
		return -1;
	if (type.data == NULL || strlen(type.data) != type.len || !text_is_utf8(type.data))
		return err_set(err, ERR_UNVERIFIED, 0, "the reader of the bundle says what makes no sense");
	*ret_predicate_type = buf_take(&type);
	return *ret_predicate_type == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "bundle") : 0;
}
