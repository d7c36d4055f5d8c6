/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include <string.h>

#include "attest/bundle.h"
#include "attest/shape.h"
#include "attest/statement.h"

void attest_verified_clear(struct attest_verified *v)
{
	json_decref(v->statement);
	*v = (struct attest_verified){0};
}

int attest_verify_bundle(const char *bundle, size_t n, const struct attest_policy *policy,
			 struct attest_verified *ret, struct err *err)
{
	auto_json doc = NULL;
	auto_bundle b = {0};
	auto_attest_verified v = {0};

	if (n > ATTEST_BUNDLE_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: larger than the limit of %u bytes", ATTEST_BUNDLE_MAX);
	if (shape_parse_canonical(bundle, n, 1, "bundle", &doc, err) < 0 || bundle_read(doc, &b, err) < 0)
		return -1;
	/* The signature first: no byte of the payload is interpreted before a key vouches for it. */
	if (bundle_check(&b, policy->keys, policy->nkeys, err) < 0 ||
	    statement_parse(b.payload.data, b.payload.len, &v.statement, err) < 0 ||
	    policy_check(v.statement, policy, err) < 0 ||
	    hash_bytes(b.payload.data, b.payload.len, &v.statement_digest, err) < 0)
		return -1;
	memcpy(v.key_id, b.key_id, sizeof v.key_id);
	*ret = v;
	v.statement = NULL;
	return 0;
}

int attest_read_statement(const char *text, size_t n, json_t **ret, struct err *err)
{
	return statement_parse(text, n, ret, err);
}

int attest_check_statement(const json_t *statement, struct err *err)
{
	return statement_check(statement, err);
}

/** The sha256 of a subject. The statement has been checked: it is there, and well formed. */
static struct digest subject_digest(const json_t *subject)
{
	struct digest d = {0};

	(void)digest_parse_hex(json_str(json_object_get(subject, "digest"), "sha256"), &d);
	return d;
}

int attest_image_subjects(const json_t *statement, struct digest *ret_image, struct digest *ret_tar, struct err *err)
{
	const json_t *list = json_object_get(statement, "subject"), *subject;
	const json_t *image = json_array_get(list, 0), *tar = NULL;
	size_t i;

	if (!text_starts(json_str(image, "name"), "oci:"))
		return err_set(err, ERR_UNVERIFIED, 0, "statement: subject[0] is not an image ('oci:NAME')");
	json_array_foreach(list, i, subject)
		if (strcmp(json_str(subject, "name"), ATTEST_TAR_SUBJECT) == 0)
			tar = subject;
	if (tar == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "statement: no subject '" ATTEST_TAR_SUBJECT "'");
	*ret_image = subject_digest(image);
	*ret_tar = subject_digest(tar);
	return 0;
}

static int compare(const char *what, const struct digest *stated, const struct digest *actual, struct err *err)
{
	char s[DIGEST_STR_SIZE], a[DIGEST_STR_SIZE];

	if (digest_eq(stated, actual))
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "%s is %s, but the statement is about %s", what, digest_str(actual, a),
		       digest_str(stated, s));
}

int attest_verify_archive(const struct attest_verified *v, const struct digest *archive, struct err *err)
{
	struct digest image, tar;

	return attest_image_subjects(v->statement, &image, &tar, err) < 0 ? -1 : compare("the image archive", &tar, archive, err);
}

/** Shallow, layers are not hashed: the statement binds manifest and archive to each other, and who signed it had made both. */
static int read_image(int fd, bool deep, const struct oci_base *base, struct oci_image *ret, struct err *err)
{
	return deep ? oci_image_read_on(fd, true, base, ret, err) : oci_image_documents(fd, base, ret, err);
}

int attest_verify_content(const struct attest_verified *v, int image_fd, bool deep, struct oci_image *ret, struct err *err)
{
	struct digest image, tar;
	auto_oci_image read = {0};
	auto_oci_base base = {0};
	bool any;

	if (attest_image_subjects(v->statement, &image, &tar, err) < 0 || attest_base(v->statement, &base, &any, err) < 0 ||
	    read_image(image_fd, deep, any ? &base : NULL, &read, err) < 0 ||
	    compare("the image's manifest", &image, &read.manifest_digest, err) < 0)
		return -1;
	*ret = read;
	read = (struct oci_image){0};
	return 0;
}

/** An image, and the statement about it, in its reader. */
struct content {
	const struct attest_verified *v;
	int fd;
	bool deep;
};

static int read_content(void *arg, int out, struct err *err)
{
	const struct content *c = arg;
	auto_oci_image image = {0};

	return attest_verify_content(c->v, c->fd, c->deep, &image, err) < 0 ? -1 : oci_image_tell(&image, out, err);
}

int attest_verify_image(const struct attest_verified *v, int image_fd, bool deep, struct oci_image *ret, struct err *err)
{
	struct content c = { v, image_fd, deep };
	auto_oci_image read = {0};
	struct digest actual, image, tar;

	/* The cheap question first: bytes that no subject names are not worth parsing. */
	if (hash_file(image_fd, &actual, err) < 0 || attest_verify_archive(v, &actual, err) < 0 ||
	    oci_image_run(read_content, &c, image_fd, &read, err) < 0)
		return -1;
	if (attest_image_subjects(v->statement, &image, &tar, err) < 0 || compare("the image's manifest", &image, &read.manifest_digest, err) < 0)
		return -1;
	*ret = read;
	read = (struct oci_image){0};
	return 0;
}
