/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/rootfs.h"
#include "runner/evidence_file.h"
#include "runner/inputs.h"
#include "runner/source.h"

void evidence_clear(struct evidence *e)
{
	attest_verified_clear(&e->provenance);
	oci_image_clear(&e->image);
	own_fd(&e->image_fd);
	own_fd(&e->output_fd);
	*e = EVIDENCE_NONE;
}

static int check_provenance(const struct buf *text, const struct key *const *keys, size_t nkeys, struct evidence *e, struct err *err)
{
	struct attest_policy policy = { .keys = keys, .nkeys = nkeys };

	if (attest_verify_apart(text->data == NULL ? "" : text->data, text->len, nkeys > 0 ? &policy : NULL, &e->provenance, err) < 0)
		return -1;
	return attest_image_subjects(e->provenance.statement, &e->manifest, &e->tar, err);
}

static int read_image(int dirfd, struct evidence *e, struct err *err)
{
	auto_fd fd = openat(dirfd, "image.tar", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open image.tar");
	/* Deep: the account of a difference, and --level content, go by the layers' diff IDs. */
	if (attest_verify_image(&e->provenance, fd, true, &e->image, err) < 0)
		return -1;
	e->have_image = true;
	e->image_fd = move_fd(&fd);
	return 0;
}

/** The manifest of what the build left, where it lies there. */
static int read_output(int dirfd, struct evidence *e, struct err *err)
{
	auto_fd fd = openat(dirfd, MANIFESTS_OUTPUT, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct digest recorded, is;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (evidence_output(e, &recorded, err) < 0)
		return -1;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || hash_file(fd, &is, err) < 0 || !digest_eq(&is, &recorded) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_UNVERIFIED, 0, "'" MANIFESTS_OUTPUT "' is not the manifest of what the provenance says that the build left");
	e->output_fd = move_fd(&fd);
	return 0;
}

static int read_dir(int dirfd, const struct key *const *keys, size_t nkeys, struct evidence *e, struct err *err)
{
	auto_buf text = {0};

	if (io_read_file(dirfd, nkeys > 0 ? EVIDENCE_BUNDLE : EVIDENCE_STATEMENT, ATTEST_BUNDLE_MAX, &text, err) < 0 ||
	    check_provenance(&text, keys, nkeys, e, err) < 0)
		return -1;
	return read_image(dirfd, e, err) < 0 ? -1 : read_output(dirfd, e, err);
}

/** The evidence's image, as the image.tar that it was, in the store's scratch. */
static int read_file_image(struct store *store, const struct evidence_file *f, struct evidence *e, struct err *err)
{
	auto_store_scratch scratch = NULL;

	if (store_scratch_open(store, &scratch, err) < 0)
		return -1;
	auto_fd fd = openat(store_scratch_fd(scratch), "image.tar", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make image.tar in the scratch");
	if (evidence_file_image(f, fd, err) < 0 || attest_verify_image(&e->provenance, fd, true, &e->image, err) < 0)
		return -1;
	e->have_image = true;
	e->image_fd = move_fd(&fd);
	return 0;
}

/** Evidence in one file: all that it has is checked, and every input goes into the store, before anything is built. */
static int read_file(struct store *store, int fd, const struct key *const *keys, size_t nkeys, struct evidence *e, struct err *err)
{
	auto_evidence_file f = {0};
	auto_buf text = {0};

	e->whole = true;
	if (evidence_file_open(fd, &f, err) < 0 || evidence_file_attestation(&f, nkeys > 0 ? EVIDENCE_BUNDLE : EVIDENCE_STATEMENT, &text, err) < 0 ||
	    check_provenance(&text, keys, nkeys, e, err) < 0 || read_file_image(store, &f, e, err) < 0)
		return -1;
	return evidence_file_inputs(&f, e->provenance.statement, store, err);
}

static int read_all(struct store *store, const char *path, const struct key *const *keys, size_t nkeys, struct evidence *e,
		    struct err *err)
{
	struct stat st;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open the directory of a run, or a file of its evidence");
	if (S_ISDIR(st.st_mode))
		return read_dir(fd, keys, nkeys, e, err);
	if (S_ISREG(st.st_mode))
		return read_file(store, fd, keys, nkeys, e, err);
	return err_set(err, ERR_INPUT, 0, "neither the directory of a run, nor a file of its evidence");
}

int evidence_read(struct store *store, const char *path, const struct key *const *keys, size_t nkeys,
		  struct evidence *ret, struct err *err)
{
	const struct ident *id = store_ident(store);
	struct evidence e = EVIDENCE_NONE;

	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = read_all(store, path, keys, nkeys, &e, err);
	result = ident_read_done(id, result, err);
	if (result < 0) {
		evidence_clear(&e);
		return err_ctx(err, "'%s'", path);
	}
	*ret = e;
	return 0;
}

/** The lock as it was then, where the spec leaves anything open. */
static int load_lock(const json_t *spec, struct plan *plan, struct err *err)
{
	const json_t *text = json_object_get(json_object_get(spec, "lock"), "text");
	auto_buf copy = {0};

	if (json_is_string(text))
		buf_add(&copy, json_string_value(text), json_string_length(text));
	if (buf_check(&copy, "lock", err) < 0)
		return -1;
	return plan_load_lock(plan, "provenance: " SPEC_LOCK_NAME, &copy, err);
}

/** The included files as they were then. */
struct recorded_files {
	const json_t *list;
	size_t next;
};

static int bring_recorded(void *arg, const struct spec_include *include, struct buf *ret, struct err *err)
{
	struct recorded_files *files = arg;
	const json_t *file = json_array_get(files->list, files->next++);
	const char *path = json_str(file, "path");
	const json_t *text = json_object_get(file, "text");

	if (path == NULL || strcmp(path, include->path) != 0 || !json_is_string(text))
		return err_set(err, ERR_UNVERIFIED, 0, "not among those that the provenance has");
	buf_add(ret, json_string_value(text), json_string_length(text));
	return buf_check(ret, "included file", err);
}

static int load_text(const json_t *definition, struct plan *plan, struct err *err)
{
	const json_t *spec = json_object_get(json_object_get(definition, "externalParameters"), "spec");
	const char *file = json_str(spec, "fileName");
	const json_t *text = json_object_get(spec, "text");
	auto_buf copy = {0};

	if (file == NULL || !json_is_string(text))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: externalParameters.spec has no fileName or text");
	buf_add(&copy, json_string_value(text), json_string_length(text));
	if (buf_check(&copy, "spec", err) < 0)
		return -1;
	struct recorded_files files = { .list = json_object_get(spec, "includes") };
	if (plan_load_spec(plan, file, &copy, bring_recorded, &files, err) < 0) {
		/* Only an included file can be what the spec does not say. */
		if (err->kind == ERR_INPUT)
			err->kind = ERR_UNVERIFIED;
		return -1;
	}
	if (json_array_size(files.list) != plan->spec->nincludes)
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: it has other files than those that its spec includes");
	if (plan_refuse_unsupported(plan, err) < 0 || plan_load_facts(plan, json_object_get(spec, "facts"), err) < 0)
		return -1;
	return load_lock(spec, plan, err);
}

/** The user's profile, by the digest of its text. */
static int load_own_profile(struct store *store, struct plan_profile *p, struct err *err)
{
	auto_buf text = {0};
	auto_fd fd = -1;

	if (store_open_object(store, &p->text, &fd, err) < 0)
		return err_ctx(err, "profile '%s' as it was then", p->name);
	if (io_read_all(fd, PROFILE_TEXT_MAX, &text, err) < 0 || plan_compile_profile(store, p, &text, err) < 0) {
		err->kind = ERR_UNVERIFIED;
		return err_ctx(err, "the object recorded as profile '%s' is no profile", p->name);
	}
	return 0;
}

/** The profile: a shipped one's name means the text that is shipped, any other is the user's own. */
static int load_profile(struct store *store, const json_t *recorded, struct plan *plan, struct err *err)
{
	const struct profile_builtin *b = profile_builtin(plan->spec->profile);
	struct plan_profile *p = &plan->profile;
	struct digest text;

	if (inputs_recorded(recorded, INPUT_PROFILE, &text, err) < 0)
		return -1;
	if (b != NULL && !digest_eq(&b->text_digest, &text))
		return err_set(err, ERR_UNVERIFIED, 0,
			       "provenance: profile '%s' is not the one that this glovebox (%s) ships under that name; "
			       "reproduce with the version that built", b->name, GB_VERSION);
	if (b != NULL)
		return plan_load_profile(store, AT_FDCWD, b->name, p, err);
	p->text = text;
	p->name = strdup(plan->spec->profile);
	if (p->name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "profile");
	return load_own_profile(store, p, err);
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

/** The image that the statement says @p ref named: the dependency @p what. */
static bool recorded_image(const json_t *recorded, const char *what, const char *ref, struct digest *ret)
{
	const json_t *dep;
	size_t i;

	json_array_foreach(recorded, i, dep) {
		const char *name = json_str(dep, "name"), *uri = json_str(dep, "uri");
		const char *hex = json_str(json_object_get(dep, "digest"), "sha256");

		if (name != NULL && strcmp(name, what) == 0 && uri != NULL && strcmp(uri, ref) == 0 && hex != NULL)
			return digest_parse_hex(hex, ret);
	}
	return false;
}

/** A rootfs that is an image of a registry. Where the store does not know the image, and the evidence has the tree, that the one gave the other is the
 *  word of who made the statement: nobody is asked. */
static int load_image_rootfs(struct store *store, const struct evidence *e, const json_t *recorded, const struct digest *was, struct plan *plan,
			     struct err *err)
{
	if (plan_fetch_rootfs(plan, store, NULL, err) == 0)
		return 0;
	if (!e->whole || err->kind != ERR_INPUT || !store_has_tree(store, was) || !recorded_image(recorded, INPUT_ROOTFS_IMAGE, plan->rootfs_ref, &plan->rootfs_image))
		return err_ctx(err, "rootfs");
	plan->rootfs = *was;
	plan->rootfs_is_image = true;
	return 0;
}

/** The rootfs is the recorded one, and that is the one which the spec pins. */
static int load_rootfs(struct store *store, const struct evidence *e, const json_t *recorded, struct plan *plan, struct err *err)
{
	const char *ref = plan->rootfs_ref;
	struct digest was;
	bool pinned = false;

	if (ref == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: its spec names no rootfs");
	if (inputs_recorded(recorded, INPUT_ROOTFS, &was, err) < 0)
		return -1;
	if (text_starts(ref, REGISTRY_PREFIX)) {
		pinned = true;
		if (load_image_rootfs(store, e, recorded, &was, plan, err) < 0)
			return -1;
	} else if (require_tree(store, "rootfs", ref, &was, err) < 0 || rootfs_resolve(store, ref, &plan->rootfs, &pinned, err) < 0) {
		return -1;
	}
	if (!pinned || !digest_eq(&was, &plan->rootfs))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: the recorded rootfs is not the one that its spec pins ('%s')",
			       ref);
	return 0;
}

/** A base that is an image. The spec may name it by an index, of which evidence knows by the statement what it meant. */
static int load_base(struct store *store, const struct evidence *e, const json_t *recorded, struct plan *plan, struct err *err)
{
	const char *ref = plan->spec->artifact.base;
	struct digest was;

	if (!base_is_image(ref) || base_load(store, ref, &plan->base, err) == 0)
		return 0;
	if (err->kind == ERR_INPUT && e->whole && recorded_image(recorded, ATTEST_BASE, ref, &was))
		return base_load_manifest(store, ref, &was, &plan->base, err);
	return err->kind == ERR_INPUT ? err_ctx(err, "reproduce on the store of the run, or bring the same image in (glovebox plan)") : -1;
}

/** A file that was fetched: its tree is made again of it. That it is what the spec pins, inputs_compare() asks. */
static int load_file(struct store *store, const struct spec_source *spec, struct plan_source *s, struct err *err)
{
	struct digest pinned = s->file, recorded = s->tree;
	struct stat st;
	auto_fd fd = -1;

	if (!digest_eq(&pinned, &recorded))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: source '%s' is not the file that its spec pins", s->name);
	if (store_open_object(store, &recorded, &fd, err) < 0)
		return err_ctx(err, "source '%s' is not in this store (glovebox plan fetches it)", s->name);
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "source '%s'", s->name);
	return source_of_file(store, spec, &recorded, (uint64_t)st.st_size, s, err);
}

static int load_source(struct store *store, const json_t *recorded, struct plan *plan, size_t i, struct err *err)
{
	struct plan_source *s = &plan->sources[i];
	const struct spec_source *spec = &plan->spec->sources[i];

	if (inputs_recorded(recorded, INPUT_SOURCES + i, &s->tree, err) < 0)
		return -1;
	return spec->url != NULL ? load_file(store, spec, s, err) : require_tree(store, "source", s->name, &s->tree, err);
}

/** What glovebox decided must follow from what the user decided, and from what the build left. */
static int check_decided(const json_t *internal, const struct plan *plan, const struct digest *output, struct err *err)
{
	auto_json layers = image_layers_json(plan, output);

	if (json_integer_value(json_object_get(internal, "sourceDateEpoch")) != plan->spec->source_date_epoch)
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: the recorded sourceDateEpoch is not the spec's");
	if (layers == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "provenance");
	if (!json_equal(layers, json_object_get(internal, "layers")))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: the recorded layers are not those that its spec makes of its trees");
	return 0;
}

int evidence_plan(struct store *store, const struct evidence *e, struct plan **ret, struct err *err)
{
	const json_t *definition = json_object_get(json_object_get(e->provenance.statement, "predicate"), "buildDefinition");
	const json_t *recorded = json_object_get(definition, "resolvedDependencies");
	auto_plan plan = calloc(1, sizeof *plan);
	struct digest output;

	if (plan == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan");
	if (load_text(definition, plan, err) < 0 || load_profile(store, recorded, plan, err) < 0 ||
	    load_rootfs(store, e, recorded, plan, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->spec->nsources; i++)
		if (load_source(store, recorded, plan, i, err) < 0)
			return -1;
	if (load_base(store, e, recorded, plan, err) < 0)
		return -1;
	if (inputs_compare(plan, recorded, err) < 0 || evidence_output(e, &output, err) < 0 ||
	    check_decided(json_object_get(definition, "internalParameters"), plan, &output, err) < 0)
		return -1;
	*ret = move_ptr(plan);
	return 0;
}

int evidence_output(const struct evidence *e, struct digest *ret, struct err *err)
{
	const json_t *definition = json_object_get(json_object_get(e->provenance.statement, "predicate"), "buildDefinition");
	const char *tree = json_str(json_object_get(definition, "internalParameters"), "outputTree");

	if (tree == NULL || !digest_parse(tree, ret))
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: internalParameters.outputTree is no digest");
	return 0;
}
