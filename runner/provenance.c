/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/provenance.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "attest/attest.h"
#include "runner/inputs.h"
#include "runner/work.h"

int provenance_self(struct digest *ret, struct err *err)
{
	auto_fd fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "open the running program to hash it");
	return hash_fd(fd, ret, NULL, err);
}

/** A text and its digest, as a new object. */
static json_t *text_json(const struct buf *text, const struct digest *digest)
{
	char hex[DIGEST_HEX_SIZE];

	return json_pack("{s:{s:s}, s:s%}", "digest", "sha256", digest_hex(digest, hex), "text", text->data, text->len);
}

/** The files that the spec includes, with their texts. */
static json_t *includes_json(const struct spec *spec)
{
	auto_json list = json_array();

	for (size_t i = 0; i < spec->nincludes; i++) {
		const struct spec_include *include = &spec->includes[i];
		struct digest digest;

		if (!digest_parse(include->digest, &digest))
			return NULL;
		json_t *j = text_json(&include->text, &digest);
		if (json_object_set_new(j, "path", json_string(include->path)) < 0 || json_array_append_new(list, j) < 0)
			return NULL;
	}
	return move_ptr(list);
}

/** externalParameters: what the user decided. The text of the spec, and what says what it means (the lock, included files, facts of git),
 *  is all of it; no option changes the result. */
static json_t *external(const struct plan *plan)
{
	auto_json spec = text_json(&plan->text, &plan->text_digest);

	if (json_object_set_new(spec, "fileName", json_string(text_path_name(plan->spec->file))) < 0 ||
	    (plan->lock_text.len > 0 &&
	     json_object_set_new(spec, "lock", text_json(&plan->lock_text, &plan->lock_digest)) < 0) ||
	    (plan->spec->nincludes > 0 && json_object_set_new(spec, "includes", includes_json(plan->spec)) < 0) ||
	    (spec_needs_facts(plan->spec) && json_object_set_new(spec, "facts", plan_facts_json(plan)) < 0))
		return NULL;
	return json_pack("{s:O, s:{}}", "spec", spec, "options");
}

/** The text of the base's manifest: which layers are the base's follows from it, and it from the digest that the spec pins. */
static int add_base(const struct base_image *base, json_t *in)
{
	if (!base->any)
		return 0;
	return json_object_set_new(in, ATTEST_BASE, json_pack("{s:s%}", "manifest", base->manifest.data, base->manifest.len));
}

/** Whether the step saw a directory of the host that nobody has hashed. */
static bool saw_live(const json_t *receipt)
{
	const json_t *mount;
	size_t i;

	json_array_foreach(json_object_get(receipt, "mounts"), i, mount)
		if (json_object_get(mount, "live") != NULL)
			return true;
	return false;
}

/** Which lists of inputs hold all that there is, and how that is known. */
static json_t *completeness_json(const json_t *receipt)
{
	bool live = saw_live(receipt);

	return json_pack("{s:{s:b, s:s}, s:{s:b, s:s}}",
			 "externalParameters", "complete", 1, "because",
			 "spec.text is the whole spec, with what it includes, pins and asks of git beside it; no option of the invocation and "
			 "nothing of its environment changes the result",
			 "resolvedDependencies", "complete", !live, "because",
			 live ? "a directory of the host was mounted that is no copy that was hashed"
			      : "the step had no network but its own, and saw only copies that were hashed as they were made; the receipt lists "
				"all mounts");
}

/** internalParameters: what glovebox decided and found. */
static json_t *internal(const struct run_facts *f)
{
	char filter[DIGEST_STR_SIZE], output[DIGEST_STR_SIZE], codec[OCI_CODEC_NAME_SIZE];
	const struct plan *plan = f->plan;

	auto_json in = json_pack("{s:s, s:o, s:I, s:s, s:s, s:{s:s, s:s}, s:O}",
			 "codec", oci_codec_name(image_codec(plan), codec),
			 "layers", image_layers_json(plan, &f->output),
			 "sourceDateEpoch", (json_int_t)plan->spec->source_date_epoch,
			 "platform", "linux",
			 "outputTree", digest_str(&f->output, output),
			 "seccomp", "profile", plan->profile.name, "filter", digest_str(&plan->profile.bpf, filter),
			 "receipt", f->receipt);
	/* What a step has a say in, and in nothing else: whoever reads the rest reads glovebox's own words. */
	static const char *const produced[] = { "internalParameters.layers", "internalParameters.outputTree", "runDetails.byproducts", "subject" };
	if (json_object_set_new(in, ATTEST_COMPLETENESS, completeness_json(f->receipt)) < 0 ||
	    json_object_set_new(in, ATTEST_STEP_PRODUCED, json_strings(produced, ARRAY_LEN(produced))) < 0 || add_base(&plan->base, in) < 0 ||
	    (json_array_size(f->cached) > 0 && json_object_set(in, "cachedSteps", (json_t *)f->cached) < 0))
		return NULL;
	return move_ptr(in);
}

static struct attest_dependency byproduct(const char *name, const struct digest *digest, const char *media_type)
{
	return (struct attest_dependency){ .name = name, .digest = *digest, .digest_kind = "sha256", .media_type = media_type };
}

/** What lies beside the image: who compares has the signed digests of all. @p ret has room. */
static int list_byproducts(const struct run_facts *f, struct attest_dependency *ret, size_t *ret_n, struct err *err)
{
	struct digest tests;
	size_t n = 0;

	for (size_t i = 0; i < f->nlogs; i++)
		ret[n++] = byproduct(f->logs[i].path, &f->logs[i].digest, NULL);
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++)
		if (f->sboms->text[i].len > 0)
			ret[n++] = byproduct(sbom_kinds[i].file, &f->sboms->digest[i], sbom_kinds[i].media_type);
	for (size_t i = 0; i < f->manifests->n; i++)
		ret[n++] = byproduct(f->manifests->v[i].name, &f->manifests->v[i].tree, ATTEST_TREE_MEDIA_TYPE);
	if (f->tests->len > 0 && hash_bytes(f->tests->data, f->tests->len, &tests, err) < 0)
		return -1;
	if (f->tests->len > 0)
		ret[n++] = byproduct(ATTEST_TESTS_BYPRODUCT, &tests, ATTEST_PAYLOAD_TYPE);
	*ret_n = n;
	return 0;
}

int provenance_statement(const struct run_facts *f, struct buf *out, struct err *err)
{
	auto_inputs inputs = {0};
	size_t nbyproducts;
	auto_free struct attest_dependency *made = calloc(f->nlogs + SBOM_FORMATS + f->manifests->n + 1, sizeof *made);
	auto_json ext = external(f->plan);
	auto_json in = internal(f);
	char uuid[37], urn[48];

	if (made == NULL || ext == NULL || in == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write the provenance");
	if (list_byproducts(f, made, &nbyproducts, err) < 0 || inputs_of(f->plan, &inputs, err) < 0 || io_uuid(uuid, err) < 0)
		return -1;
	snprintf(urn, sizeof urn, "urn:uuid:%s", uuid);
	struct attest_build build = {
		.image_name = plan_image_name(f->plan),
		.image_digest = f->image->manifest,
		.image_tar_digest = f->image->tar,
		.output_name = f->plan->sources[work_build_source(f->plan)].name, .output = f->output,
		.external = ext,
		.internal = in,
		.deps = inputs.v, .ndeps = inputs.n,
		.builder_id = f->builder_id,
		.version = GB_VERSION,
		.invocation_id = urn,
		.started = f->started, .finished = f->finished,
		.byproducts = made, .nbyproducts = nbyproducts,
	};
	if (provenance_self(&build.binary, err) < 0)
		return -1;
	return attest_statement(&build, out, err);
}
