/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/sbom.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "attest/attest.h"
#include "inspect/tree_sha1.h"
#include "rootfs/rootfs.h"
#include "runner/image.h"
#include "runner/inputs.h"

/** What the store keeps documents as. */
#define KIND "sbom"

void run_sboms_clear(struct run_sboms *s)
{
	for (size_t i = 0; i < SBOM_FORMATS; i++)
		buf_free(&s->text[i]);
	*s = (struct run_sboms){0};
}

static bool is_wanted(const struct spec *spec, enum sbom_format format)
{
	bool wanted = spec->sbom_formats_pos.line == 0;

	for (size_t i = 0; i < spec->sbom_formats.n; i++)
		wanted = wanted || strcmp(spec->sbom_formats.v[i], sbom_kinds[format].name) == 0;
	return wanted;
}

/* ---- the image's own documents --------------------------------------------------------- */

/** The image as its manifest and config tell of it. */
struct described {
	struct oci_image image;
	struct sbom_layer *layers;   /**< texts are the documents' */
};

static void described_clear(struct described *d)
{
	oci_image_clear(&d->image);
	free(d->layers);
}

static int describe(const struct run_sbom_facts *f, struct described *ret, struct err *err)
{
	const struct base_image *base = &f->plan->base;
	const json_t *layers, *history;
	size_t at = 0;

	if (oci_image_documents(f->image_fd, base->any ? &base->image : NULL, &ret->image, err) < 0)
		return -1;
	/* The out directory is the caller's, who may have changed the file. */
	if (!digest_eq(&ret->image.manifest_digest, &f->image->manifest))
		return err_set(err, ERR_INPUT, 0, "image.tar has changed while the run was at work");
	layers = json_object_get(ret->image.manifest, "layers");
	history = json_object_get(ret->image.config, "history");
	ret->layers = calloc(ret->image.nlayers + 1, sizeof *ret->layers);
	if (ret->layers == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the image's layers");
	for (size_t i = 0; i < ret->image.nlayers; i++)
		ret->layers[i] = (struct sbom_layer){
			.digest = ret->image.layers[i].digest, .diff_id = ret->image.layers[i].diff_id,
			.media_type = json_str(json_array_get(layers, i), "mediaType"), .created_by = json_str(oci_history_next(history, &at), "created_by"),
		};
	return 0;
}

/* ---- what it was built from ------------------------------------------------------------------ */

/** The materials in @p inputs: the sources, the base image where there is one, and the root filesystem that they were built in. */
static struct sbom_material *materials_of(const struct plan *plan, const struct inputs *inputs, size_t *ret_n)
{
	size_t n = 0;
	struct sbom_material *v = calloc(inputs->n + 1, sizeof *v);

	for (size_t i = INPUT_ROOTFS; v != NULL && i < inputs->n; i++) {
		const struct attest_dependency *d = &inputs->v[i];
		bool is_source = i >= INPUT_SOURCES && i < INPUT_SOURCES + plan->spec->nsources;

		if (i != INPUT_ROOTFS && !is_source && strcmp(d->name, ATTEST_BASE) != 0)
			continue;
		v[n++] = (struct sbom_material){ d->name, d->uri, d->digest, d->git_commit, i == INPUT_ROOTFS };
	}
	*ret_n = n;
	return v;
}

/** The value of a label of the image's that OCI has given a meaning, or NULL. */
static const char *label(const struct plan *plan, const char *name)
{
	const struct spec_map *labels = &plan->spec->artifact.config.labels;

	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->v[i].name, name) == 0 && labels->v[i].value[0] != '\0')
			return labels->v[i].value;
	return NULL;
}

/* ---- the documents ------------------------------------------------------------------------------ */

static int add_tree(struct store *store, struct contents *c, const struct digest *tree, const char *to, size_t layer, bool sha1, struct err *err)
{
	auto_free struct sha1 *sums = NULL;
	size_t n = 0;

	if (sha1 && tree_sha1(store, tree, &sums, &n, err) < 0)
		return -1;
	return contents_add_tree(c, store, tree, to, (unsigned)layer, sums, n, err);
}

/** The base image's layers, where it is one. */
static int add_base(const struct run_sbom_facts *f, bool sha1, struct contents *c, struct err *err)
{
	const struct base_image *base = &f->plan->base;
	auto_free struct digest *trees = NULL;

	if (!base->any)
		return 0;
	if (rootfs_layer_trees(f->store, &base->image, &trees, err) < 0)
		return err_ctx(err, "base image");
	for (size_t i = 0; i < base->image.nlayers; i++)
		if (add_tree(f->store, c, &trees[i], "/", i, sha1, err) < 0)
			return -1;
	return 0;
}

static int lay_contents(const struct run_sbom_facts *f, size_t nlayers, bool sha1, struct contents *c, struct err *err)
{
	auto_free struct image_tree *own = NULL;
	size_t n, nbase = f->plan->base.any ? f->plan->base.image.nlayers : 0;

	if (image_trees(f->plan, &f->output, f->output_path, &own, &n, err) < 0)
		return -1;
	if (nbase + n != nlayers)
		return err_set(err, ERR_INTERNAL, 0, "image.tar has %zu layers, and its plan %zu", nlayers, nbase + n);
	if (add_base(f, sha1, c, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_tree(f->store, c, &own[i].tree, own[i].to, nbase + i, sha1, err) < 0)
			return -1;
	contents_lay(c);
	return 0;
}

/** Fills in what depends on no content. */
static struct sbom begin(const struct run_sbom_facts *f, const struct described *d, const struct sbom_material *materials, size_t nmaterials)
{
	const struct plan *plan = f->plan;
	const char *vendor = label(plan, "org.opencontainers.image.vendor"), *authors = label(plan, "org.opencontainers.image.authors");

	return (struct sbom){
		.name = plan_image_name(plan), .manifest = f->image->manifest, .architecture = oci_architecture(),
		.created = plan->spec->source_date_epoch, .supplier = vendor, .author = authors != NULL ? authors : plan->spec->artifact.config.author,
		.version = GB_VERSION, .layers = d->layers, .nlayers = d->image.nlayers, .materials = materials, .nmaterials = nmaterials,
	};
}

/** What a document depends on, as a digest. */
static int key_of(const struct sbom *s, enum sbom_format format, struct digest *ret, struct err *err)
{
	char manifest[DIGEST_STR_SIZE], hex[DIGEST_HEX_SIZE];
	auto_buf text = {0};
	auto_json list = json_array();

	for (size_t i = 0; i < s->nmaterials; i++)
		if (json_array_append_new(list, json_pack("[s, s, s, s?]", s->materials[i].name, s->materials[i].uri,
							  digest_hex(&s->materials[i].digest, hex), s->materials[i].commit)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "look for a bill of materials");
	auto_json j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s?, s:s?, s:O}", "form", SBOM_FORM, "version", s->version, "format",
				sbom_kinds[format].name, "name", s->name, "manifest", digest_str(&s->manifest, manifest), "created",
				(json_int_t)s->created, "supplier", s->supplier, "author", s->author, "materials", list);
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "look for a bill of materials");
	return json_canonical(j, &text, err) < 0 ? -1 : hash_bytes(text.data, text.len, ret, err);
}

static int write_document(struct store *store, const struct sbom *s, enum sbom_format format, struct buf *out, struct err *err)
{
	auto_json doc = NULL;
	struct digest key;
	struct err ignored = {0};

	if (sbom_make(format, s, &doc, err) < 0 || json_canonical(doc, out, err) < 0)
		return -1;
	buf_addc(out, '\n');
	if (buf_check(out, "bill of materials", err) < 0 || key_of(s, format, &key, err) < 0)
		return -1;
	if (out->len > RUN_SBOM_MAX)
		return err_set(err, ERR_INPUT, 0, "the image has so many files that its bill of materials (%s) is larger than %u bytes; give "
			       "spec.sbom.formats another list, or none: []", sbom_kinds[format].name, RUN_SBOM_MAX);
	/* Without it, it is made again. */
	(void)store_derived_put(store, KIND, &key, out->data, out->len, &ignored);
	return 0;
}

/** Takes what the store has. @return whether that is all. */
static int recall(const struct run_sbom_facts *f, const struct sbom *s, struct run_sboms *all, bool *ret, struct err *err)
{
	struct digest key;

	*ret = true;
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++) {
		if (!is_wanted(f->plan->spec, i))
			continue;
		if (key_of(s, i, &key, err) < 0)
			return -1;
		if (!f->cached || !store_derived_get(f->store, KIND, &key, RUN_SBOM_MAX, &all->text[i]))
			*ret = false;
	}
	return 0;
}

static int make_missing(const struct run_sbom_facts *f, struct sbom *s, struct run_sboms *all, struct err *err)
{
	bool spdx = is_wanted(f->plan->spec, SBOM_SPDX) && all->text[SBOM_SPDX].len == 0;
	auto_contents contents = {0};
	auto_packages packages = {0};

	if (lay_contents(f, s->nlayers, spdx, &contents, err) < 0 ||
	    packages_find(&contents, packages_open_in_store, f->store, &packages, err) < 0)
		return -1;
	s->contents = &contents;
	s->packages = &packages;
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++)
		if (is_wanted(f->plan->spec, i) && all->text[i].len == 0 && write_document(f->store, s, i, &all->text[i], err) < 0)
			return -1;
	return 0;
}

static int make(const struct run_sbom_facts *f, struct run_sboms *all, struct err *err)
{
	__attribute__((cleanup(described_clear))) struct described d = {0};
	auto_inputs inputs = {0};
	auto_free struct sbom_material *materials = NULL;
	size_t nmaterials;
	bool have;

	if (describe(f, &d, err) < 0 || inputs_of(f->plan, &inputs, err) < 0)
		return -1;
	materials = materials_of(f->plan, &inputs, &nmaterials);
	if (materials == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write a bill of materials");
	struct sbom s = begin(f, &d, materials, nmaterials);
	if (recall(f, &s, all, &have, err) < 0 || (!have && make_missing(f, &s, all, err) < 0))
		return -1;
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++)
		if (all->text[i].len > 0 && hash_bytes(all->text[i].data, all->text[i].len, &all->digest[i], err) < 0)
			return -1;
	return 0;
}

int run_sboms_make(const struct run_sbom_facts *facts, struct run_sboms *ret, struct err *err)
{
	auto_run_sboms all = {0};

	if (facts->plan->spec->sbom_formats_pos.line != 0 && facts->plan->spec->sbom_formats.n == 0)
		return 0;
	if (make(facts, &all, err) < 0)
		return err_ctx(err, "bill of materials");
	*ret = all;
	all = (struct run_sboms){0};
	return 0;
}

static json_t *sbom_json(const struct run_sboms *s, enum sbom_format i, bool is_signed)
{
	char digest[DIGEST_STR_SIZE];
	auto_buf bundle = {0};
	auto_json j = json_pack("{s:s, s:s, s:s}", "format", sbom_kinds[i].name, "path", sbom_kinds[i].file, "digest", digest_str(&s->digest[i], digest));

	buf_addf(&bundle, "%s" RUN_BUNDLE_SUFFIX, sbom_kinds[i].file);
	if (bundle.failed || (is_signed && json_object_set_new(j, "bundle", json_string(bundle.data)) < 0))
		return NULL;
	return move_ptr(j);
}

int run_sboms_json(const struct run_sboms *s, bool is_signed, json_t *result, struct err *err)
{
	auto_json list = json_array();

	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++)
		if (s->text[i].len > 0 && json_array_append_new(list, sbom_json(s, i, is_signed)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "write result.json");
	return json_object_set(result, "sboms", list) < 0 ? err_set(err, ERR_INTERNAL, ENOMEM, "write result.json") : 0;
}

int run_sbom_statement(const struct plan *plan, const struct built_image *image, const struct run_sboms *s, enum sbom_format format,
		       struct buf *out, struct err *err)
{
	const struct attest_document document = {
		.image_name = plan_image_name(plan), .image_digest = image->manifest, .image_tar_digest = image->tar,
		.predicate_type = sbom_kinds[format].predicate_type,
		/* Less its newline. */
		.predicate = s->text[format].data, .npredicate = s->text[format].len - 1,
	};

	return attest_document(&document, out, err);
}

/* ---- against what is recorded ---------------------------------------------------------------- */

bool run_sbom_recorded(const json_t *statement, enum sbom_format format, struct digest *ret)
{
	return attest_byproduct(statement, sbom_kinds[format].file, ret);
}

int run_sboms_compare(const struct run_sbom_facts *facts, const json_t *statement, struct buf *ret, struct err *err)
{
	const json_t *run = json_object_get(json_object_get(statement, "predicate"), "runDetails");
	const char *version = json_str(json_object_get(json_object_get(run, "builder"), "version"), "glovebox");
	auto_run_sboms made = {0};
	struct digest want;

	if (version == NULL || strcmp(version, GB_VERSION) != 0)
		return 0;
	if (run_sboms_make(facts, &made, err) < 0)
		return -1;
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++)
		if (run_sbom_recorded(statement, i, &want) && (made.text[i].len == 0 || !digest_eq(&want, &made.digest[i])))
			buf_addf(ret, "%s%s", ret->len > 0 ? ", " : "", sbom_kinds[i].file);
	return buf_check(ret, "bills of materials", err);
}
