/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void evidence_clear(struct evidence *e)
{
	attest_verified_clear(&e->provenance);
	oci_image_clear(&e->image);
	*e = (struct evidence){0};
}

static int subject_digest(const json_t *statement, size_t i, struct digest *ret, struct err *err)
{
	const json_t *subject = json_array_get(json_object_get(statement, "subject"), i);
	const char *hex = json_str(json_object_get(subject, "digest"), "sha256");

	if (hex == NULL || !digest_parse_hex(hex, ret))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: subject %zu has no sha256 digest", i + 1);
	return 0;
}

static int read_provenance(int dirfd, const struct key *const *keys, size_t nkeys, struct evidence *e, struct err *err)
{
	const char *name = nkeys > 0 ? "provenance.sigstore.json" : "provenance.json";
	struct attest_policy policy = { .keys = keys, .nkeys = nkeys };
	auto_buf text = {0};

	if (io_read_file(dirfd, name, ATTEST_BUNDLE_MAX, &text, err) < 0)
		return -1;
	if (nkeys > 0)
		return attest_verify_bundle(text.data, text.len, &policy, &e->provenance, err);
	return attest_read_statement(text.data, text.len, &e->provenance.statement, err);
}

static int read_image(int dirfd, struct evidence *e, struct err *err)
{
	auto_fd fd = openat(dirfd, "image.tar", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open image.tar");
	if (attest_verify_image(&e->provenance, fd, false, &e->image, err) < 0)
		return -1;
	e->have_image = true;
	return 0;
}

static int read_all(const char *dir, const struct key *const *keys, size_t nkeys, struct evidence *e, struct err *err)
{
	auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open the directory of a run");
	if (read_provenance(fd, keys, nkeys, e, err) < 0 ||
	    subject_digest(e->provenance.statement, 0, &e->manifest, err) < 0 ||
	    subject_digest(e->provenance.statement, 1, &e->tar, err) < 0)
		return -1;
	return read_image(fd, e, err);
}

int evidence_read(const struct ident *id, const char *dir, const struct key *const *keys, size_t nkeys,
		  struct evidence *ret, struct err *err)
{
	struct evidence e = {0};

	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = read_all(dir, keys, nkeys, &e, err);
	result = ident_read_done(id, result, err);
	if (result < 0) {
		evidence_clear(&e);
		return err_ctx(err, "'%s'", dir);
	}
	*ret = e;
	return 0;
}

/** The SHA-256 of resolved dependency @p i. Their order is that of provenance.c: spec, rootfs, profile, sources. */
static int dependency(const json_t *definition, size_t i, struct digest *ret, struct err *err)
{
	const json_t *dep = json_array_get(json_object_get(definition, "resolvedDependencies"), i);
	const char *hex = json_str(json_object_get(dep, "digest"), "sha256");

	if (hex == NULL || !digest_parse_hex(hex, ret))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: resolved dependency %zu has no sha256 digest", i + 1);
	return 0;
}

static int load_text(const json_t *definition, struct plan *plan, struct err *err)
{
	const json_t *spec = json_object_get(json_object_get(definition, "externalParameters"), "spec");
	const char *file = json_str(spec, "fileName");
	const json_t *text = json_object_get(spec, "text");
	auto_buf copy = {0};
	struct digest named;

	if (file == NULL || !json_is_string(text))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: externalParameters.spec has no fileName or text");
	buf_add(&copy, json_string_value(text), json_string_length(text));
	if (buf_check(&copy, "spec", err) < 0 || plan_load_spec(plan, file, &copy, err) < 0 ||
	    dependency(definition, 0, &named, err) < 0)
		return -1;
	if (!digest_eq(&named, &plan->text_digest))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: the text of the spec is not the one its digest names");
	return 0;
}

/** The profile by the digest of its text: the shipped one of that name, else from the store. */
static int load_profile(struct store *store, const json_t *definition, struct plan *plan, struct err *err)
{
	const struct profile_builtin *b = profile_builtin(plan->spec->profile);
	struct plan_profile *p = &plan->profile;
	auto_buf text = {0};
	auto_fd fd = -1;

	if (dependency(definition, 2, &p->text, err) < 0)
		return -1;
	if (b != NULL && digest_eq(&b->text_digest, &p->text))
		return plan_load_profile(store, AT_FDCWD, plan->spec->profile, p, err);
	p->name = strdup(plan->spec->profile);
	if (p->name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "profile");
	if (store_open_object(store, &p->text, &fd, err) < 0)
		return err_ctx(err, "profile '%s' as it was then (this glovebox ships another of that name, or none)", p->name);
	if (io_read_all(fd, PROFILE_TEXT_MAX, &text, err) < 0 ||
	    profile_compile(p->name, text.data, text.len, &p->own, err) < 0)
		return -1;
	p->filter = p->own.bpf;
	p->filter_len = p->own.bpf_len;
	p->bpf = p->own.bpf_digest;
	return 0;
}

static int require_tree(struct store *store, const char *what, const char *name, const struct digest *d, struct err *err)
{
	char text[DIGEST_STR_SIZE];

	if (store_has_tree(store, d))
		return 0;
	return err_set(err, ERR_INPUT, 0,
		       "%s '%s' (%s) is not in this store: reproduce on the store of the run, or bring the same files in "
		       "(glovebox rootfs import, glovebox plan)", what, name, digest_str(d, text));
}

int evidence_plan(struct store *store, const struct evidence *e, struct plan **ret, struct err *err)
{
	const json_t *definition = json_object_get(json_object_get(e->provenance.statement, "predicate"), "buildDefinition");
	auto_plan plan = calloc(1, sizeof *plan);

	if (plan == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan");
	if (load_text(definition, plan, err) < 0 || load_profile(store, definition, plan, err) < 0 ||
	    dependency(definition, 1, &plan->rootfs, err) < 0 ||
	    require_tree(store, "rootfs", plan->spec->rootfs_ref, &plan->rootfs, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->spec->nsources; i++)
		if (dependency(definition, 3 + i, &plan->sources[i].tree, err) < 0 ||
		    require_tree(store, "source", plan->sources[i].name, &plan->sources[i].tree, err) < 0)
			return -1;
	*ret = move_ptr(plan);
	return 0;
}
