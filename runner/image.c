/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runner/work.h"

enum oci_compression image_codec(const struct plan *plan)
{
	static const enum oci_compression codecs[] = {
		[SPEC_GZIP] = OCI_GZIP, [SPEC_ZSTD] = OCI_ZSTD, [SPEC_UNCOMPRESSED] = OCI_NONE,
	};

	return codecs[plan->spec->artifact.compression];
}

/** The tree that a layer is made of: a source's, or the build's output. spec/ has seen to it that there is one. */
static const struct digest *layer_tree(const struct plan *plan, const char *from, const struct digest *output)
{
	for (size_t i = 0; i < plan->spec->nsources; i++)
		if (strcmp(plan->sources[i].name, from) == 0)
			return &plan->sources[i].tree;
	return output;
}

/** Layers in the making: what they are, and the texts of their history. */
struct layers {
	struct pack_layer *v;
	char **texts;
	size_t n;
};

static void layers_clear(struct layers *l)
{
	for (size_t i = 0; l->texts != NULL && i < l->n; i++)
		free(l->texts[i]);
	free(l->texts);
	free(l->v);
}

static int add_spec_layer(struct layers *l, const struct plan *plan, const struct spec_layer *s, const struct digest *output,
			  struct err *err)
{
	struct pack_layer *v = &l->v[l->n];

	if (asprintf(&l->texts[l->n], "glovebox layer %s %s", s->from, s->to) < 0) {
		l->texts[l->n] = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out the image");
	}
	*v = (struct pack_layer){
		.tree = *layer_tree(plan, s->from, output), .to = s->to, .uid = s->uid, .gid = s->gid,
		.mode = s->mode == NULL ? -1 : (int)strtol(s->mode, NULL, 8), .created_by = l->texts[l->n],
	};
	l->n++;
	return 0;
}

/** The rootfs where it is the base, then what the spec says, or the output at its own path. */
static int lay_out(struct layers *l, const struct plan *plan, const struct digest *output, const char *output_path, struct err *err)
{
	const struct spec_artifact *a = &plan->spec->artifact;

	l->v = calloc(a->nlayers + 2, sizeof *l->v);
	l->texts = calloc(a->nlayers + 2, sizeof *l->texts);
	if (l->v == NULL || l->texts == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out the image");
	if (strcmp(a->base, "rootfs") == 0)
		l->v[l->n++] = (struct pack_layer){
			.tree = plan->rootfs, .to = "/", .keep_ids = true, .mode = -1, .created_by = "glovebox rootfs",
		};
	for (size_t i = 0; i < a->nlayers; i++)
		if (add_spec_layer(l, plan, &a->layers[i], output, err) < 0)
			return -1;
	if (a->nlayers == 0)
		l->v[l->n++] = (struct pack_layer){
			.tree = *output, .to = output_path, .mode = -1, .created_by = "glovebox step build",
		};
	return 0;
}

/** The spec's map as the list that oci/ takes; free() it. */
static struct oci_kv *to_kv(const struct spec_map *map)
{
	struct oci_kv *kv = calloc(map->n + 1, sizeof *kv);

	for (size_t i = 0; kv != NULL && i < map->n; i++)
		kv[i] = (struct oci_kv){ map->v[i].name, map->v[i].value };
	return kv;
}

/** The health check's words: "CMD-SHELL" and a script, or "CMD" and an argument list; free() the array. */
static const char **health_words(const struct spec_command *c, size_t *ret_n)
{
	const char **words = calloc(c->argv.n + 2, sizeof *words);

	*ret_n = 0;
	if (words == NULL || (c->shell == NULL && c->argv.n == 0))
		return words;
	words[(*ret_n)++] = c->shell != NULL ? "CMD-SHELL" : "CMD";
	if (c->shell != NULL)
		words[(*ret_n)++] = c->shell;
	for (size_t i = 0; i < c->argv.n; i++)
		words[(*ret_n)++] = c->argv.v[i];
	return words;
}

#define NS_PER_MS 1000000u

/** Fills in the config and packs. */
static int pack(struct packing *p, const struct plan *plan, int image_fd, struct built_image *ret, struct err *err)
{
	const struct spec_image_config *c = &plan->spec->artifact.config;
	auto_free struct oci_kv *env = to_kv(&c->env);
	auto_free struct oci_kv *labels = to_kv(&c->labels);
	struct oci_health health = {
		.interval_ns = c->health.interval_ms * NS_PER_MS, .timeout_ns = c->health.timeout_ms * NS_PER_MS,
		.start_period_ns = c->health.start_period_ms * NS_PER_MS, .retries = c->health.retries,
	};
	auto_free const char **test = health_words(&c->health.command, &health.ntest);

	if (env == NULL || labels == NULL || test == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write the image's config");
	health.test = test;
	p->config = (struct oci_config){
		.architecture = oci_architecture(),
		.created = plan->spec->source_date_epoch,
		.entrypoint = (const char *const *)c->entrypoint.v, .nentrypoint = c->entrypoint.n,
		.cmd = (const char *const *)c->cmd.v, .ncmd = c->cmd.n,
		.env = env, .nenv = c->env.n,
		.labels = labels, .nlabels = c->labels.n,
		.user = c->user, .workdir = c->workdir,
		.ports = (const char *const *)c->ports.v, .nports = c->ports.n,
		.volumes = (const char *const *)c->volumes.v, .nvolumes = c->volumes.n,
		.stop_signal = c->stop_signal, .author = c->author,
		.health = health.ntest != 0 ? &health : NULL,
	};
	return pack_image(p, image_fd, ret, err);
}

int image_build(struct store *store, const struct plan *plan, const struct digest *output, const char *output_path,
		int scratch_fd, int image_fd, int cancel_fd, struct built_image *ret, struct err *err)
{
	__attribute__((cleanup(layers_clear))) struct layers l = {0};

	if (lay_out(&l, plan, output, output_path, err) < 0)
		return -1;
	struct packing p = {
		.store = store, .scratch_fd = scratch_fd, .cancel_fd = cancel_fd, .codec = image_codec(plan), .base = &plan->base,
		.layers = l.v, .nlayers = l.n,
	};
	return pack(&p, plan, image_fd, ret, err);
}

int image_trees(const struct plan *plan, const struct digest *output, const char *output_path, struct image_tree **ret, size_t *ret_n,
		struct err *err)
{
	__attribute__((cleanup(layers_clear))) struct layers l = {0};

	if (lay_out(&l, plan, output, output_path, err) < 0)
		return -1;
	struct image_tree *v = calloc(l.n + 1, sizeof *v);
	if (v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out the image");
	for (size_t i = 0; i < l.n; i++)
		v[i] = (struct image_tree){ l.v[i].tree, l.v[i].to };
	*ret = v;
	*ret_n = l.n;
	return 0;
}

static json_t *layer_json(const char *from, const char *to, const struct digest *tree)
{
	char text[DIGEST_STR_SIZE];

	if (tree == NULL)
		return json_pack("{s:s, s:s}", "from", from, "to", to);
	return json_pack("{s:s, s:s, s:s}", "from", from, "to", to, "tree", digest_str(tree, text));
}

json_t *image_layers_json(const struct plan *plan, const struct digest *output)
{
	const struct spec_artifact *a = &plan->spec->artifact;
	const struct plan_source *built = &plan->sources[work_build_source(plan)];
	auto_json array = json_array();
	auto_buf name = {0};

	for (size_t i = 0; i < a->nlayers; i++)
		if (json_array_append_new(array, layer_json(a->layers[i].from, a->layers[i].to,
							    layer_tree(plan, a->layers[i].from, output))) < 0)
			return NULL;
	buf_addf(&name, "%s:%s", plan->spec->build.name, built->name);
	if (a->nlayers == 0 && (name.failed || json_array_append_new(array, layer_json(name.data, built->mount, output)) < 0))
		return NULL;
	return move_ptr(array);
}
