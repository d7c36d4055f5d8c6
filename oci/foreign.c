/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/foreign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/foreign_json.h"
#include "oci/outer.h"
#include "oci/platform.h"

/** The way to one image. */
struct search {
	const struct oci_files *files;
	const char *ref;
	const struct oci_platform *want;
	bool flat;                       /**< blobs lie at the top, called by their hex digits */
	unsigned documents;              /**< read so far */
	struct foreign_descriptor *found; /**< manifests that may be it; their strings are not looked at any more */
	size_t n;
	struct buf names;                /**< what there is, for an error */
	size_t nnames;
};

/* ---- documents ------------------------------------------------------------------- */

/** Reads a JSON document; @p d, where not NULL, says what it must be. */
static int load(struct search *s, const char *name, const struct foreign_descriptor *d, struct digest *ret_digest, json_t **ret,
		struct err *err)
{
	auto_oci_part part = OCI_PART_NONE;
	auto_buf text = {0};
	struct digest actual;
	size_t got;

	if (++s->documents > OCI_DOCUMENTS_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %d documents would have to be read", OCI_DOCUMENTS_MAX);
	if (oci_files_find(s->files, name, false, &part, err) < 0)
		return -1;
	if (d != NULL && d->size != part.size)
		return err_set(err, ERR_INPUT, 0, "%s: %llu bytes, and its descriptor says %llu", name, (unsigned long long)part.size,
			       (unsigned long long)d->size);
	if (part.size > OCI_JSON_MAX)
		return err_set(err, ERR_INPUT, 0, "%s: %llu bytes, and a document may have %u", name, (unsigned long long)part.size,
			       OCI_JSON_MAX);
	struct slice all = { .fd = part.fd, .offset = part.offset, .size = part.size };
	char *to = buf_room(&text, (size_t)part.size);
	if (to == NULL)
		return buf_check(&text, name, err);
	if (slice_take(&all, to, (size_t)part.size, ERR_INPUT, &got, err) < 0)
		return err_ctx(err, "%s", name);
	buf_seal(&text, got);
	if (hash_bytes(text.data, text.len, &actual, err) < 0)
		return -1;
	if (d != NULL && !digest_eq(&actual, &d->digest))
		return err_set(err, ERR_INPUT, 0, "%s: its bytes have another digest", name);
	if (ret_digest != NULL)
		*ret_digest = actual;
	return json_parse_apart(text.data, text.len, name, ERR_INPUT, ret, err);
}

/** Where a blob lies; returns @p out. */
static const char *blob_name(const struct search *s, const struct digest *d, char out[OUTER_BLOB_NAME_SIZE])
{
	return s->flat ? digest_hex(d, out) : outer_blob_name(d, out);
}

static int load_blob(struct search *s, const struct foreign_descriptor *d, json_t **ret, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];

	return load(s, blob_name(s, &d->digest, name), d, NULL, ret, err);
}

/* ---- choosing ---------------------------------------------------------------------- */

static void add_name(struct search *s, const char *name)
{
	s->nnames++;
	if (s->nnames > OCI_NAMES_SHOWN)
		return;
	buf_addf(&s->names, "%s%.100s", s->names.len == 0 ? "" : ", ", name);
}

/** What there is, for the end of an error's message. */
static const char *list_names(struct search *s)
{
	if (s->nnames > OCI_NAMES_SHOWN)
		buf_addf(&s->names, " and %zu more", s->nnames - OCI_NAMES_SHOWN);
	return s->names.len == 0 ? "nothing" : s->names.data;
}

/** Names an entry of index.json. */
static void add_entry_name(struct search *s, const struct foreign_descriptor *d)
{
	char text[DIGEST_STR_SIZE];

	add_name(s, d->names[1] != NULL ? d->names[1] : d->names[0] != NULL ? d->names[0] : digest_str(&d->digest, text));
}

static bool is_called(const struct foreign_descriptor *d, const char *ref)
{
	char text[DIGEST_STR_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(d->names); i++)
		if (d->names[i] != NULL && strcmp(d->names[i], ref) == 0)
			return true;
	return strcmp(digest_str(&d->digest, text), ref) == 0;
}

static bool same_name(const struct foreign_descriptor *a, const struct foreign_descriptor *b)
{
	const char *x = a->names[1] != NULL ? a->names[1] : a->names[0], *y = b->names[1] != NULL ? b->names[1] : b->names[0];

	return (x == NULL) == (y == NULL) && (x == NULL || strcmp(x, y) == 0);
}

static int add_found(struct search *s, const struct foreign_descriptor *d, struct err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (digest_eq(&s->found[i].digest, &d->digest))
			return 0;
	if (s->n >= OCI_MANIFESTS_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %d images", OCI_MANIFESTS_MAX);
	struct foreign_descriptor *grown = reallocarray(s->found, s->n + 1, sizeof *grown);
	if (grown == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an index");
	s->found = grown;
	grown[s->n++] = *d;
	return 0;
}

static int read_nested(struct search *s, const struct foreign_descriptor *d, int depth, struct err *err);

/** Takes an entry: an image may be it, an index is looked into. */
static int take(struct search *s, const struct foreign_descriptor *d, int depth, struct err *err)
{
	if (d->kind == FOREIGN_INDEX)
		return read_nested(s, d, depth + 1, err);
	return d->kind == FOREIGN_MANIFEST ? add_found(s, d, err) : 0;
}

static int read_nested(struct search *s, const struct foreign_descriptor *d, int depth, struct err *err)
{
	struct foreign_descriptor entry;
	auto_json index = NULL;
	size_t n;

	if (depth > OCI_NESTING_MAX)
		return err_set(err, ERR_INPUT, 0, "indexes lie more than %d deep in one another", OCI_NESTING_MAX);
	if (load_blob(s, d, &index, err) < 0 || foreign_index(index, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (foreign_entry(index, i, &entry, err) < 0 || take(s, &entry, depth, err) < 0)
			return -1;
	return 0;
}

/** Whether an entry of index.json may be meant. */
static bool is_meant(const struct search *s, const struct foreign_descriptor *d)
{
	return d->kind != FOREIGN_OTHER && (s->ref == NULL || is_called(d, s->ref));
}

/** Without a reference all that may be meant has to be of one name, or one thing. */
static int check_names(struct search *s, const json_t *index, size_t n, struct err *err)
{
	struct foreign_descriptor first = {0}, d;
	bool several = false;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (foreign_entry(index, i, &d, err) < 0)
			return -1;
		if (d.kind != FOREIGN_OTHER)
			add_entry_name(s, &d);
		if (!is_meant(s, &d))
			continue;
		if (used++ == 0)
			first = d;
		several = several || (s->ref == NULL && !same_name(&first, &d) && !digest_eq(&first.digest, &d.digest));
	}
	if (several)
		return err_set(err, ERR_INPUT, 0, "it holds more than one image: choose by --ref; there is %s", list_names(s));
	if (used == 0 && s->ref != NULL)
		return err_set(err, ERR_INPUT, 0, "it holds no '%.100s'; there is %s", s->ref, list_names(s));
	return 0;
}

/** Collects the images that index.json leads to. */
static int read_top(struct search *s, const json_t *index, struct err *err)
{
	struct foreign_descriptor d;
	size_t n;

	if (foreign_index(index, &n, err) < 0 || check_names(s, index, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (foreign_entry(index, i, &d, err) < 0 || (is_meant(s, &d) && take(s, &d, 1, err) < 0))
			return -1;
	return s->n == 0 ? err_set(err, ERR_INPUT, 0, "it holds no image") : 0;
}

/** Asks the config where the index does not say for what an image is. */
static int find_platform(struct search *s, struct foreign_descriptor *d, struct err *err)
{
	struct foreign_descriptor config;
	auto_free struct foreign_descriptor *layers = NULL;
	auto_json m = NULL;
	auto_json c = NULL;
	size_t n;

	if (d->has_platform && d->platform.os[0] != '\0' && d->platform.architecture[0] != '\0')
		return 0;
	if (load_blob(s, d, &m, err) < 0 || foreign_manifest(m, &config, &layers, &n, err) < 0 || load_blob(s, &config, &c, err) < 0 ||
	    foreign_config_platform(c, &d->platform, err) < 0)
		return -1;
	d->has_platform = true;
	return 0;
}

static int wrong_platform(struct search *s, const char *why, struct err *err)
{
	char text[PLATFORM_SIZE];

	buf_clear(&s->names);
	s->nnames = 0;
	for (size_t i = 0; i < s->n; i++)
		add_name(s, platform_text(&s->found[i].platform, text));
	return err_set(err, ERR_INPUT, 0, "it holds %s for %s; there is %s: choose by --platform", why, platform_text(s->want, text),
		       list_names(s));
}

static int pick(struct search *s, struct foreign_descriptor *ret, struct err *err)
{
	const struct foreign_descriptor *exact = NULL, *near = NULL;
	size_t nexact = 0, nnear = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct foreign_descriptor *d = &s->found[i];

		if (find_platform(s, d, err) < 0)
			return -1;
		if (platform_same(&d->platform, s->want) && nexact++ == 0)
			exact = d;
		if (platform_same_machine(&d->platform, s->want) && nnear++ == 0)
			near = d;
	}
	if (nexact > 1 || (nexact == 0 && nnear > 1 && s->want->variant[0] == '\0'))
		return wrong_platform(s, "more than one image", err);
	if (nexact == 0 && (nnear == 0 || s->want->variant[0] != '\0'))
		return wrong_platform(s, "nothing", err);
	*ret = nexact == 1 ? *exact : *near;
	return 0;
}

/* ---- the one that was chosen --------------------------------------------------------- */

void oci_foreign_clear(struct oci_foreign *image)
{
	for (size_t i = 0; i < image->nlayers; i++)
		free(image->layers[i].file);
	free(image->layers);
	json_decref(image->config);
	*image = (struct oci_foreign){0};
}

/** Makes room for the layers, and gives them their diff IDs. */
static int new_layers(struct oci_foreign *image, size_t n, const struct digest *ids, struct err *err)
{
	image->layers = calloc(n, sizeof *image->layers);
	if (image->layers == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	image->nlayers = n;
	for (size_t i = 0; i < n; i++)
		image->layers[i].diff_id = ids[i];
	return 0;
}

static int set_file(struct oci_foreign_layer *l, const char *name, struct err *err)
{
	l->file = strdup(name);
	return l->file == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "read an image") : 0;
}

/** Reads the image of a manifest. */
static int read_image(struct search *s, const json_t *manifest, struct oci_foreign *image, struct err *err)
{
	struct foreign_descriptor config;
	auto_free struct foreign_descriptor *layers = NULL;
	auto_free struct digest *ids = NULL;
	auto_json c = NULL;
	size_t n;
	char name[OUTER_BLOB_NAME_SIZE];

	if (foreign_manifest(manifest, &config, &layers, &n, err) < 0 || load_blob(s, &config, &c, err) < 0 ||
	    foreign_config(c, n, &image->platform, &ids, err) < 0 || new_layers(image, n, ids, err) < 0)
		return -1;
	image->config_digest = config.digest;
	image->config = move_ptr(c);
	for (size_t i = 0; i < n; i++) {
		struct oci_foreign_layer *l = &image->layers[i];

		l->has_digest = true;
		l->digest = layers[i].digest;
		l->size = layers[i].size;
		if (set_file(l, blob_name(s, &l->digest, name), err) < 0)
			return -1;
	}
	return 0;
}

static int check_layout(struct search *s, struct err *err)
{
	auto_json j = NULL;

	if (load(s, OUTER_LAYOUT, NULL, NULL, &j, err) < 0)
		return -1;
	const char *version = json_str(j, "imageLayoutVersion");
	if (version == NULL || strcmp(version, "1.0.0") != 0)
		return err_set(err, ERR_INPUT, 0, OUTER_LAYOUT ": not an image layout of version 1.0.0");
	return 0;
}

static int open_layout(struct search *s, struct oci_foreign *image, struct err *err)
{
	struct foreign_descriptor chosen;
	auto_json index = NULL;
	auto_json manifest = NULL;
	char a[PLATFORM_SIZE], b[PLATFORM_SIZE];

	if (check_layout(s, err) < 0 || load(s, OUTER_INDEX, NULL, NULL, &index, err) < 0 || read_top(s, index, err) < 0 ||
	    pick(s, &chosen, err) < 0 || load_blob(s, &chosen, &manifest, err) < 0 || read_image(s, manifest, image, err) < 0)
		return -1;
	if (platform_same_machine(&image->platform, &chosen.platform))
		return 0;
	return err_set(err, ERR_INPUT, 0, "the index says that an image is for %s, and its config says for %s",
		       platform_text(&chosen.platform, a), platform_text(&image->platform, b));
}

/** What has no index has one image, without a name. */
static int check_only(const struct search *s, const struct oci_foreign *image, struct err *err)
{
	char a[PLATFORM_SIZE], b[PLATFORM_SIZE];

	if (platform_same_machine(&image->platform, s->want))
		return 0;
	return err_set(err, ERR_INPUT, 0, "it is for %s, not for %s: choose by --platform", platform_text(&image->platform, a),
		       platform_text(s->want, b));
}

static int open_flat(struct search *s, struct oci_foreign *image, struct err *err)
{
	auto_json manifest = NULL;

	s->flat = true;
	if (s->ref != NULL)
		return err_set(err, ERR_INPUT, 0, "it holds one image, without a name: leave --ref away");
	if (load(s, "manifest.json", NULL, NULL, &manifest, err) < 0 || read_image(s, manifest, image, err) < 0)
		return -1;
	return check_only(s, image, err);
}

/* ---- docker archives --------------------------------------------------------------------- */

/** The digest that a config's name gives, as HEX.json, sha256:HEX or blobs/sha256/HEX. */
static bool config_name_digest(const char *config, struct digest *ret)
{
	const char *base = text_path_name(config);
	char hex[DIGEST_HEX_SIZE];

	if (text_starts(base, "sha256:"))
		base += strlen("sha256:");
	size_t n = strcspn(base, ".");
	if (n != DIGEST_HEX_SIZE - 1 || (base[n] != '\0' && strcmp(base + n, ".json") != 0))
		return false;
	memcpy(hex, base, n);
	hex[n] = '\0';
	return digest_parse_hex(hex, ret);
}

static bool docker_is_called(const struct foreign_docker *d, const char *ref)
{
	struct digest digest, wanted;

	for (size_t i = 0; i < json_array_size(d->tags); i++)
		if (strcmp(json_string_value(json_array_get(d->tags, i)), ref) == 0)
			return true;
	return digest_parse(ref, &wanted) && config_name_digest(d->config, &digest) && digest_eq(&digest, &wanted);
}

static void add_docker_names(struct search *s, const struct foreign_docker *d)
{
	for (size_t i = 0; i < json_array_size(d->tags); i++)
		add_name(s, json_string_value(json_array_get(d->tags, i)));
	if (json_array_size(d->tags) == 0)
		add_name(s, d->config);
}

static int pick_docker(struct search *s, const json_t *list, struct foreign_docker *ret, struct err *err)
{
	struct foreign_docker d;
	size_t n = json_array_size(list), used = 0;

	if (!json_is_array(list) || n == 0 || n > OCI_MANIFESTS_MAX)
		return err_set(err, ERR_INPUT, 0, "manifest.json: not a list of 1 to %d images", OCI_MANIFESTS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (foreign_docker_entry(list, i, &d, err) < 0)
			return err_ctx(err, "manifest.json");
		add_docker_names(s, &d);
		if ((s->ref == NULL || docker_is_called(&d, s->ref)) && used++ == 0)
			*ret = d;
	}
	if (used > 1)
		return err_set(err, ERR_INPUT, 0, "it holds more than one image%s: choose by --ref; there is %s",
			       s->ref == NULL ? "" : " of that name", list_names(s));
	return used == 1 ? 0 : err_set(err, ERR_INPUT, 0, "it holds no '%.100s'; there is %s", s->ref, list_names(s));
}

static int open_docker(struct search *s, struct oci_foreign *image, struct err *err)
{
	auto_json list = NULL;
	auto_json config = NULL;
	auto_free struct digest *ids = NULL;
	struct foreign_docker d = {0};
	struct digest named;

	if (load(s, "manifest.json", NULL, NULL, &list, err) < 0 || pick_docker(s, list, &d, err) < 0 ||
	    load(s, d.config, NULL, &image->config_digest, &config, err) < 0)
		return -1;
	if (config_name_digest(d.config, &named) && !digest_eq(&named, &image->config_digest))
		return err_set(err, ERR_INPUT, 0, "%.200s: its bytes have another digest than its name", d.config);
	size_t n = json_array_size(d.layers);
	if (foreign_config(config, n, &image->platform, &ids, err) < 0 || check_only(s, image, err) < 0 ||
	    new_layers(image, n, ids, err) < 0)
		return -1;
	image->links = true;
	image->config = move_ptr(config);
	for (size_t i = 0; i < n; i++)
		if (set_file(&image->layers[i], json_string_value(json_array_get(d.layers, i)), err) < 0)
			return -1;
	return 0;
}

int oci_foreign_open(const struct oci_files *f, enum oci_shape shape, const char *ref, const struct oci_platform *platform,
		     struct oci_foreign *ret, struct err *err)
{
	static int (*const open[])(struct search *, struct oci_foreign *, struct err *) = {
		[OCI_SHAPE_LAYOUT] = open_layout, [OCI_SHAPE_DOCKER] = open_docker, [OCI_SHAPE_FLAT] = open_flat,
	};
	struct search s = { .files = f, .ref = ref, .want = platform };
	auto_oci_foreign image = {0};

	if (shape == OCI_SHAPE_NONE)
		return err_set(err, ERR_INPUT, 0, "neither an OCI image layout (oci-layout, index.json) nor a docker archive (manifest.json)");
	int result = open[shape](&s, &image, err);
	free(s.found);
	buf_free(&s.names);
	if (result < 0)
		return -1;
	*ret = image;
	image = (struct oci_foreign){0};
	return 0;
}
