/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "runner/image.h"
#include "runner/limit.h"
#include "runner/plan.h"

#define PLAN_SCHEMA "https://glovebox.dev/schemas/plan/v1"

static json_t *step_json(const struct plan *plan, const struct spec_step *step, const char *type, struct err *err)
{
	auto_free const char **argv = NULL;
	char **env = NULL;

	if (plan_argv(&step->command, &argv, err) < 0 || plan_env(plan->spec, &env, err) < 0)
		return NULL;
	json_t *j = json_pack("{s:s, s:s, s:b, s:o, s:o, s:s, s:s, s:I}", "name", step->name, "type", type,
			      "required", (int)step->required, "argv", json_strings(argv, SIZE_MAX),
			      "env", json_strings((const char *const *)env, SIZE_MAX), "workdir", step->workdir,
			      "network", step->network == SPEC_NET_LOOPBACK ? "loopback" : "none",
			      "timeoutMs", (json_int_t)step->timeout_ms);
	plan_env_free(env);
	if (j != NULL && json_object_set_new(j, "limits", limit_json(&step->limits)) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *steps_json(const struct plan *plan, struct err *err)
{
	json_t *steps = json_array();
	int result = json_array_append_new(steps, step_json(plan, &plan->spec->build, "build", err));

	for (size_t i = 0; result == 0 && i < plan->spec->ntests; i++)
		result = json_array_append_new(steps, step_json(plan, &plan->spec->tests[i], "test", err));
	if (result == 0)
		return steps;
	json_decref(steps);
	return NULL;
}

/** Adds where a source is from, by what it is. */
static int add_origin(json_t *j, const struct spec_source *s, const struct plan_source *p)
{
	char digest[DIGEST_STR_SIZE];

	if (s->url != NULL)
		return json_object_set_new(j, "url", json_string(s->url)) < 0 ? -1
			: json_object_set_new(j, "fileDigest", json_string(digest_str(&p->file, digest)));
	if (s->git_url != NULL)
		return json_object_set_new(j, "git", json_pack("{s:s, s:s, s:b}", "url", s->git_url, "commit", p->commit,
							       "submodules", (int)s->git_submodules));
	return json_object_set_new(j, "path", json_string(s->path));
}

static json_t *source_json(const struct spec_source *spec, const struct plan_source *s)
{
	char digest[DIGEST_STR_SIZE];
	json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", s->name, "mount", s->mount, "digest", digest_str(&s->tree, digest),
			      "files", (json_int_t)s->stats.files, "bytes", (json_int_t)s->stats.bytes);

	if (add_origin(j, spec, s) == 0)
		return j;
	json_decref(j);
	return NULL;
}

static json_t *includes_json(const struct spec *spec)
{
	json_t *includes = json_array();

	for (size_t i = 0; i < spec->nincludes; i++)
		json_array_append_new(includes, json_pack("{s:s, s:s}", "path", spec->includes[i].path, "digest", spec->includes[i].digest));
	return includes;
}

/** Names and values, as filled in. */
static json_t *map_json(const struct spec_map *map)
{
	json_t *j = json_object();

	for (size_t i = 0; i < map->n; i++)
		json_object_set_new(j, map->v[i].name, json_string(map->v[i].value));
	return j;
}


static json_t *sources_json(const struct plan *plan)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < plan->spec->nsources; i++)
		json_array_append_new(sources, source_json(&plan->spec->sources[i], &plan->sources[i]));
	return sources;
}

/** The images of registries or layouts: rootfs.image, artifact.baseImage. */
static int add_images(const struct plan *plan, json_t *j)
{
	char text[DIGEST_STR_SIZE];

	if (plan->rootfs_is_image &&
	    json_object_set_new(json_object_get(j, "rootfs"), "image", json_string(digest_str(&plan->rootfs_image, text))) < 0)
		return -1;
	if (!plan->base.any)
		return 0;
	return json_object_set_new(json_object_get(j, "artifact"), "baseImage",
				   json_string(digest_str(&plan->base.image.manifest_digest, text)));
}

int plan_json(const struct plan *plan, json_t **ret, struct err *err)
{
	const struct spec *spec = plan->spec;
	static const char *const compression[] = { [OCI_GZIP] = "gzip", [OCI_ZSTD] = "zstd", [OCI_NONE] = "none" };
	char text[DIGEST_STR_SIZE], rootfs[DIGEST_STR_SIZE], profile[DIGEST_STR_SIZE], filter[DIGEST_STR_SIZE];

	*err = (struct err){0};
	json_t *j = json_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:o}, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:o, s:o, s:I, s:{s:i, s:i}, s:s, "
			      "s:{s:s, s:s?, s:s, s:s, s:o, s:o, s:o}, s:o}",
			      "schema", PLAN_SCHEMA, "name", spec->name,
			      "spec", "file", spec->file, "digest", digest_str(&plan->text_digest, text),
			      "includes", includes_json(spec), "facts", plan_facts_json(plan),
			      "rootfs", "ref", plan->rootfs_ref, "digest", digest_str(&plan->rootfs, rootfs),
			      "profile", "name", plan->profile.name, "digest", digest_str(&plan->profile.text, profile),
			      "filter", digest_str(&plan->profile.bpf, filter),
			      "sources", sources_json(plan), "steps", steps_json(plan, err),
			      "sourceDateEpoch", (json_int_t)spec->source_date_epoch,
			      "user", "uid", (int)spec->uid, "gid", (int)spec->gid,
			      "workdir", spec->workdir == SPEC_WORKDIR_DISK ? "disk" : "memory",
			      "artifact", "type", "oci-image", "imageName", spec->artifact.image_name,
			      "base", spec->artifact.base, "compression", compression[image_codec(plan)],
			      "layers", image_layers_json(plan, NULL),
			      "env", map_json(&spec->artifact.config.env), "labels", map_json(&spec->artifact.config.labels),
			      "publishTags", json_strings((const char *const *)spec->publish_tags.v, spec->publish_tags.n));
	if (j != NULL && add_images(plan, j) < 0) {
		json_decref(j);
		j = NULL;
	}
	if (j == NULL)
		return err->kind != ERR_NONE ? -1 : err_set(err, ERR_INTERNAL, ENOMEM, "write the plan");
	*ret = j;
	return 0;
}
