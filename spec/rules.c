/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between fields, and what a spec means where it says little. */
#include <string.h>

#include "base/text.h"
#include "spec/reader.h"

/** Set by glovebox from another field: two sources of one truth would let them differ. */
#define EPOCH_VARIABLE "SOURCE_DATE_EPOCH"

/** The node of @p item's field @p key, or the item itself where the value is implied. */
static const struct node *field_or_item(const struct node *item, const char *key)
{
	const struct node *field = node_get(item, key);

	return field != NULL ? field : item;
}

/** The spec's own directory. */
static int imply_source(struct reader *r, bool gitignore)
{
	struct spec *spec = r->spec;

	spec->sources = calloc(1, sizeof *spec->sources);
	if (spec->sources == NULL)
		return reader_no_memory(r);
	spec->nsources = 1;
	spec->default_source = true;
	struct spec_source *s = &spec->sources[0];
	s->gitignore = gitignore;
	s->name = strdup("src");
	s->path = strdup(".");
	s->mount = strdup("/src");
	return s->name != NULL && s->path != NULL && s->mount != NULL ? 0 : reader_no_memory(r);
}

/** Without a mount, "/" and the name: which may be a place that is taken. */
static int imply_mount(struct reader *r, struct spec_source *source, const struct node *item)
{
	auto_buf mount = {0};

	if (source->mount != NULL)
		return 0;
	buf_addf(&mount, "/%s", source->name);
	source->mount = buf_take(&mount);
	if (source->mount == NULL)
		return reader_no_memory(r);
	if (!schema_form_ok(&form_mount, source->mount))
		return value_error(r, node_get(item, "name"), "the implied mount %s is a place that the sandbox needs; add a mount, such as /src",
				   source->mount);
	return 0;
}

static int compare_sources(struct reader *r, const struct spec_source *a, const struct spec_source *b, const struct node *item)
{
	const struct node *mount = field_or_item(item, "mount");

	if (strcmp(a->name, b->name) == 0)
		return value_error(r, node_get(item, "name"), "the name '%s' is taken by the source at line %u; choose another",
				   b->name, a->pos.line);
	if (strcmp(a->mount, b->mount) == 0)
		return value_error(r, mount, "source '%s' is mounted on %s already (line %u); choose another mount", a->name, a->mount,
				   a->pos.line);
	if (text_path_is_below(a->mount, b->mount) || text_path_is_below(b->mount, a->mount))
		return value_error(r, mount, "%s and source '%s' on %s (line %u) lie one inside the other, which is not implemented "
				   "in this version of glovebox; choose mounts beside each other", b->mount, a->name, a->mount, a->pos.line);
	return 0;
}

/** Fields that say something about one kind of source only. */
static int check_kind(struct reader *r, const struct node *item)
{
	static const char *const of[][2] = {
		{ "exclude", "path" }, { "gitignore", "path" }, { "digest", "url" }, { "size", "url" },
		{ "unpack", "url" },
	};

	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		const struct node *field = node_get(item, of[i][0]);

		if (field != NULL && node_get(item, of[i][1]) == NULL)
			return key_error(r, field, "it is about a source with a %s; remove it", of[i][1]);
	}
	return 0;
}

static int check_sources(struct reader *r, const struct node *body)
{
	struct spec *spec = r->spec;
	const struct node *gitignore = node_get(body, "gitignore");
	const struct node *sources = node_get(body, "sources");
	size_t i = 0;

	if (sources == NULL)
		return imply_source(r, gitignore == NULL || strcmp(gitignore->text, "true") == 0);
	if (gitignore != NULL)
		return key_error(r, gitignore, "it is about the implied source, but there are sources; set gitignore in each source instead");
	for (const struct node *item = sources->first; item != NULL; item = item->next, i++) {
		if (check_kind(r, item) < 0 || imply_mount(r, &spec->sources[i], item) < 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (compare_sources(r, &spec->sources[k], &spec->sources[i], item) < 0)
				return -1;
	}
	return 0;
}

/** A step works in a source: only there has it a writable copy of anything. */
static int check_workdir(struct reader *r, struct spec_step *step, const struct node *item)
{
	const struct spec *spec = r->spec;
	auto_buf mounts = {0};

	if (step->workdir == NULL) {
		step->workdir = strdup(spec->sources[0].mount);
		return step->workdir != NULL ? 0 : reader_no_memory(r);
	}
	for (size_t i = 0; i < spec->nsources; i++) {
		if (text_path_is_below(step->workdir, spec->sources[i].mount))
			return 0;
		buf_addf(&mounts, "%s%s", i == 0 ? "" : ", ", spec->sources[i].mount);
	}
	if (mounts.failed)
		return reader_no_memory(r);
	return value_error(r, node_get(item, "workdir"), "%s is not at or below the mount of a source; these are: %s", step->workdir,
			   mounts.data);
}

static int check_tests(struct reader *r, const struct node *tests)
{
	struct spec *spec = r->spec;
	size_t i = 0;

	for (const struct node *item = tests != NULL ? tests->first : NULL; item != NULL; item = item->next, i++) {
		struct spec_step *test = &spec->tests[i];
		const struct node *name = node_get(item, "name");

		if (strcmp(test->name, spec->build.name) == 0)
			return value_error(r, name, "'%s' is the build step's name; choose another", test->name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(spec->tests[k].name, test->name) == 0)
				return value_error(r, name, "the name '%s' is taken by the test at line %u; choose another", test->name,
						   spec->tests[k].pos.line);
		if (check_workdir(r, test, item) < 0)
			return -1;
	}
	return 0;
}

/** The source that the build's work directory lies in: its output is known by that name. */
static const struct spec_source *built_source(const struct spec *spec)
{
	size_t i = 0;

	while (!text_path_is_below(spec->build.workdir, spec->sources[i].mount))
		i++;
	return &spec->sources[i];
}

/** What a layer may be made of: the build's output, or a source. */
static int check_layer_from(struct reader *r, const struct spec_layer *layer, const struct node *from)
{
	const struct spec *spec = r->spec;
	const char *built = built_source(spec)->name, *colon = strchr(layer->from, ':');
	auto_buf known = {0};

	buf_addf(&known, "%s:%s", spec->build.name, built);
	if (known.failed)
		return reader_no_memory(r);
	if (strcmp(layer->from, known.data) == 0)
		return 0;
	for (size_t i = 0; i < spec->nsources; i++) {
		if (colon == NULL && strcmp(layer->from, spec->sources[i].name) == 0)
			return 0;
		buf_addf(&known, ", %s", spec->sources[i].name);
	}
	if (known.failed)
		return reader_no_memory(r);
	return value_error(r, from, "there is no '%s' to make a layer of; there are: %s", layer->from, known.data);
}

static int check_layers(struct reader *r, const struct node *layers)
{
	size_t i = 0;

	for (const struct node *item = layers != NULL ? layers->first : NULL; item != NULL; item = item->next, i++)
		if (check_layer_from(r, &r->spec->artifact.layers[i], node_get(item, "from")) < 0)
			return -1;
	return 0;
}

static int check_env(struct reader *r, const struct node *env)
{
	const struct node *epoch = node_get(env, EPOCH_VARIABLE);

	if (epoch != NULL)
		return key_error(r, epoch, "set by glovebox itself; write spec.sandbox.clock.sourceDateEpoch instead");
	return 0;
}

static int check_vary(struct reader *r, const struct node *vary)
{
	const struct spec_list *names = &r->spec->reproducible.vary;

	for (size_t i = 0; names->n > 1 && i < names->n; i++)
		if (strcmp(names->v[i], "all") == 0)
			return value_error(r, vary, "all stands alone: it is one run with everything that the host can vary");
	return 0;
}

static int check_retry(struct reader *r, const struct node *retry)
{
	struct spec_retry *s = &r->spec->publish_retry;
	const struct node *most = node_get(retry, "maxDelay");

	if (most != NULL && s->first_ms > s->most_ms)
		return value_error(r, most, "shorter than spec.publish.retry.initialDelay");
	if (s->first_ms > s->most_ms)
		s->most_ms = s->first_ms;
	return 0;
}

int apply_rules(struct reader *r, const struct node *root)
{
	struct spec *spec = r->spec;
	const struct node *body = node_get(root, "spec");

	spec->build.name = strdup("build");
	if (spec->build.name == NULL)
		return reader_no_memory(r);
	spec->build.required = true;
	spec->build.network = spec->network;
	if (check_env(r, node_get(node_get(body, "sandbox"), "env")) < 0 || check_sources(r, body) < 0 ||
	    check_workdir(r, &spec->build, node_get(body, "build")) < 0 ||
	    check_vary(r, node_get(node_get(node_get(body, "build"), "reproducible"), "vary")) < 0 ||
	    check_layers(r, node_get(node_get(node_get(body, "build"), "artifact"), "layers")) < 0 ||
	    check_retry(r, node_get(node_get(body, "publish"), "retry")) < 0)
		return -1;
	return check_tests(r, node_get(body, "tests"));
}
