/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include <errno.h>

#include "attest/bundle.h"
#include "attest/statement.h"

/** Sets a member where there is a value. Not json_pack()'s "s*": that drops the member when memory is short. */
static int set_optional(json_t *object, const char *name, const char *value)
{
	return value == NULL ? 0 : json_object_set_new(object, name, json_string(value));
}

/** A ResourceDescriptor; NULL when memory is short or a name is not UTF-8. */
static json_t *descriptor(const char *name, const char *uri, const char *kind, const struct digest *digest)
{
	char hex[DIGEST_HEX_SIZE];
	auto_json d = json_pack("{s:{s:s}}", "digest", kind, digest_hex(digest, hex));

	if (set_optional(d, "name", name) < 0 || set_optional(d, "uri", uri) < 0)
		return NULL;
	return move_ptr(d);
}

static json_t *dependency(const struct attest_dependency *from)
{
	auto_json d = descriptor(from->name, from->uri, from->digest_kind, &from->digest);

	if (d == NULL || set_optional(json_object_get(d, "digest"), "gitCommit", from->git_commit) < 0 ||
	    set_optional(d, "mediaType", from->media_type) < 0)
		return NULL;
	return move_ptr(d);
}

json_t *statement_descriptors(const struct attest_dependency *list, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, dependency(&list[i])) < 0)
			return NULL;
	return move_ptr(array);
}

json_t *statement_subjects(const char *image_name, const struct digest *image, const struct digest *tar)
{
	auto_buf name = {0};

	buf_addf(&name, "oci:%s", image_name);
	if (name.failed)
		return NULL;
	/* json_pack takes over what 'o' is given, and fails when that is NULL. */
	return json_pack("[o, o]", descriptor(name.data, NULL, "sha256", image), descriptor(ATTEST_TAR_SUBJECT, NULL, "sha256", tar));
}

/** Those of a build: what it left is one, too. */
static json_t *build_subjects(const struct attest_build *b)
{
	auto_json list = statement_subjects(b->image_name, &b->image_digest, &b->image_tar_digest);
	auto_buf name = {0};

	if (list == NULL || b->output_name == NULL)
		return move_ptr(list);
	buf_addf(&name, ATTEST_OUTPUT_SUBJECT "%s", b->output_name);
	if (name.failed || json_array_append_new(list, descriptor(name.data, NULL, "sha256", &b->output)) < 0)
		return NULL;
	return move_ptr(list);
}

static json_t *build_definition(const struct attest_build *b)
{
	return json_pack("{s:s, s:O, s:O, s:o}", "buildType", ATTEST_BUILD_TYPE, "externalParameters", b->external,
			 "internalParameters", b->internal, "resolvedDependencies", statement_descriptors(b->deps, b->ndeps));
}

static json_t *run_details(const struct attest_build *b)
{
	char started[32], finished[32];

	return json_pack("{s:{s:s, s:{s:s}, s:[o]}, s:{s:s, s:s, s:s}, s:o}",
			 "builder", "id", b->builder_id, "version", "glovebox", b->version,
			 "builderDependencies", descriptor("glovebox", NULL, "sha256", &b->binary),
			 "metadata", "invocationId", b->invocation_id, "startedOn", text_time(b->started, started),
			 "finishedOn", text_time(b->finished, finished),
			 "byproducts", statement_descriptors(b->byproducts, b->nbyproducts));
}

int attest_statement(const struct attest_build *build, struct buf *out, struct err *err)
{
	auto_json j = json_pack("{s:s, s:s, s:o, s:{s:o, s:o}}", "_type", ATTEST_STATEMENT_TYPE,
				"predicateType", ATTEST_PROVENANCE_TYPE, "subject",
				build_subjects(build),
				"predicate", "buildDefinition", build_definition(build), "runDetails", run_details(build));

	if (j == NULL)
		return err_set(err, ERR_INTERNAL, 0, "make the provenance: a text in it is not UTF-8, or memory is short");
	/* Never hand out what our own verifier would refuse. */
	if (statement_check(j, err) < 0) {
		err->kind = ERR_INTERNAL;
		return err_ctx(err, "make the provenance");
	}
	return json_canonical(j, out, err);
}

int attest_sign(const struct key *key, const char *statement, size_t n, struct buf *bundle, struct err *err)
{
	auto_bundle b = {0};
	auto_buf pae = {0};

	buf_add(&b.payload, statement, n);
	bundle_pae(ATTEST_PAYLOAD_TYPE, statement, n, &pae);
	if (buf_check(&b.payload, "statement", err) < 0 || buf_check(&pae, "statement", err) < 0)
		return -1;
	if (signature_make(key, pae.data, pae.len, &b.signature, err) < 0 || key_id(key, b.key_id, err) < 0)
		return -1;
	return bundle_write(&b, bundle, err);
}
