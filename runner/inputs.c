/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void inputs_clear(struct inputs *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->uris[i]);
	free(d->uris);
	free(d->v);
	*d = (struct inputs){0};
}

static int add(struct inputs *d, const char *name, const char *prefix, const char *rest, const struct digest *digest,
	       struct err *err)
{
	if (asprintf(&d->uris[d->n], "%s%s", prefix, rest) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the inputs");
	d->v[d->n] = (struct attest_dependency){
		.name = name, .uri = d->uris[d->n], .digest = *digest, .digest_kind = "sha256",
	};
	d->n++;
	return 0;
}

/** A source by what it is: a directory's tree, a file, a commit and its tree. */
static int add_source(struct inputs *d, const struct spec_source *s, const struct plan_source *p, struct err *err)
{
	const char *prefix = s->git_url == NULL ? "file:" : strstr(s->git_url, "://") != NULL ? "git+" : "git+file:";

	if (s->url != NULL)
		return add(d, s->name, "", s->url, &p->file, err);
	if (add(d, s->name, prefix, s->git_url != NULL ? s->git_url : s->path, &p->tree, err) < 0)
		return -1;
	d->v[d->n - 1].git_commit = p->commit;
	return 0;
}

/** The included files, by the digests that the spec pins. */
static int add_includes(struct inputs *d, const struct spec *spec, struct err *err)
{
	struct digest digest;

	for (size_t i = 0; i < spec->nincludes; i++)
		if (!digest_parse(spec->includes[i].digest, &digest) ||
		    add(d, "include", "file:", spec->includes[i].path, &digest, err) < 0)
			return -1;
	return 0;
}

static int fill(const struct plan *plan, struct inputs *d, struct err *err)
{
	const struct spec *spec = plan->spec;

	if (add(d, "spec", "file:", text_path_name(spec->file), &plan->text_digest, err) < 0 ||
	    add(d, "rootfs", "glovebox:rootfs/", plan->rootfs_ref, &plan->rootfs, err) < 0 ||
	    add(d, "profile", INPUT_PROFILE_URI, plan->profile.name, &plan->profile.text, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->nsources; i++)
		if (add_source(d, &spec->sources[i], &plan->sources[i], err) < 0)
			return -1;
	if (plan->base.any && add(d, ATTEST_BASE, "", spec->artifact.base, &plan->base.image.manifest_digest, err) < 0)
		return -1;
	if (plan->rootfs_is_image && add(d, INPUT_ROOTFS_IMAGE, "", plan->rootfs_ref, &plan->rootfs_image, err) < 0)
		return -1;
	if (add_includes(d, spec, err) < 0)
		return -1;
	return plan->lock_text.len == 0 ? 0 : add(d, SPEC_LOCK_NAME, "file:", SPEC_LOCK_NAME, &plan->lock_digest, err);
}

int inputs_of(const struct plan *plan, struct inputs *ret, struct err *err)
{
	size_t n = INPUT_SOURCES + plan->spec->nsources + plan->spec->nincludes + 3;
	struct inputs d = { .v = calloc(n, sizeof *d.v), .uris = calloc(n, sizeof *d.uris) };
	int result = d.v == NULL || d.uris == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "list the inputs")
						   : fill(plan, &d, err);

	if (result < 0)
		inputs_clear(&d);
	else
		*ret = d;
	return result;
}

int inputs_recorded(const json_t *recorded, size_t i, struct digest *ret, struct err *err)
{
	const char *hex = json_str(json_object_get(json_array_get(recorded, i), "digest"), "sha256");

	if (hex == NULL || !digest_parse_hex(hex, ret))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: resolved dependency %zu has no sha256 digest", i + 1);
	return 0;
}

static bool is_same(const struct attest_dependency *mine, const json_t *recorded)
{
	char hex[DIGEST_HEX_SIZE];
	auto_json expected = json_pack("{s:s, s:s, s:{s:s}}", "name", mine->name, "uri", mine->uri, "digest", mine->digest_kind,
				       digest_hex(&mine->digest, hex));

	if (mine->git_commit != NULL &&
	    json_object_set_new(json_object_get(expected, "digest"), "gitCommit", json_string(mine->git_commit)) < 0)
		return false;
	return expected != NULL && json_equal(expected, recorded);
}

int inputs_compare(const struct plan *plan, const json_t *recorded, struct err *err)
{
	auto_inputs mine = {0};

	if (inputs_of(plan, &mine, err) < 0)
		return -1;
	if (json_array_size(recorded) != mine.n)
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: it lists %zu inputs, but its spec has %zu",
			       json_array_size(recorded), mine.n);
	for (size_t i = 0; i < mine.n; i++)
		if (!is_same(&mine.v[i], json_array_get(recorded, i)))
			return err_set(err, ERR_UNVERIFIED, 0,
				       "provenance: resolved dependency %zu is not the input '%s' that its spec names", i + 1,
				       mine.v[i].name);
	return 0;
}
