/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/step_key.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "runner/image.h"
#include "runner/limit.h"

/** How many differences are told. */
#define TOLD_MAX 6
/** How much of a name is shown. */
#define NAME_SHOWN 60

static json_t *digest_json(const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	return json_string(digest_str(d, text));
}

static json_t *argv_json(const struct spec_step *step, struct err *err)
{
	auto_free const char **argv = NULL;

	return plan_argv(&step->command, &argv, err) < 0 ? NULL : json_strings(argv, SIZE_MAX);
}

static json_t *env_json(const struct plan *plan, struct err *err)
{
	char **env = NULL;

	if (plan_env(plan->spec, &env, err) < 0)
		return NULL;
	json_t *j = json_strings((const char *const *)env, SIZE_MAX);
	plan_env_free(env);
	return j;
}

/** Each tree where it lies. Which of them can be written to follows from the work directory. */
static json_t *sources_json(const struct plan *plan)
{
	auto_json all = json_array();

	for (size_t i = 0; i < plan->spec->nsources; i++) {
		const struct plan_source *s = &plan->sources[i];
		json_t *one = json_pack("{s:s, s:s, s:o}", "name", s->name, "mount", s->mount, "tree", digest_json(&s->tree));

		if (json_array_append_new(all, one) < 0)
			return NULL;
	}
	return move_ptr(all);
}

/** All limits, those that nobody sees too: what they let through is what was recorded. */
static json_t *limits_json(const struct plan *plan, const struct spec_step *step, struct err *err)
{
	const struct sandbox_limits l = limit_of_step(plan->spec, step, 0);
	auto_json all = json_object();
	auto_json inherited = NULL;

	for (int i = SANDBOX_LIMIT_TIMEOUT; i <= SANDBOX_LIMIT_OUTPUT; i++)
		if (json_object_set_new(all, sandbox_limit_name((enum sandbox_limit)i),
					json_integer((json_int_t)sandbox_limit_of(&l, (enum sandbox_limit)i))) < 0)
			return NULL;
	if (sandbox_inherited(&l, &inherited, err) < 0 || json_object_set(all, "inherited", inherited) < 0 ||
	    json_object_set_new(all, "bestEffort", json_boolean(l.best_effort)) < 0)
		return NULL;
	return move_ptr(all);
}

static json_t *profile_json(const struct plan_profile *p)
{
	struct digest floor = {0};
	struct err ignored;

	if (p->floor != NULL && hash_bytes(p->floor, p->floor_len * sizeof *p->floor, &floor, &ignored) < 0)
		return NULL;
	return json_pack("{s:o, s:o, s:o}", "text", digest_json(&p->text), "filter", digest_json(&p->bpf), "floor", digest_json(&floor));
}

static json_t *built_json(const struct built_state *built)
{
	return built == NULL ? json_null() : json_pack("{s:o, s:o}", "tree", digest_json(&built->tree), "state", digest_json(&built->state));
}

/** Which reports it is to leave, and whether it has failed where it leaves none. */
static json_t *reports_key(const struct spec_step *step)
{
	return step->junit == NULL ? json_null() : json_pack("{s:s, s:b}", "junit", step->junit, "required", (int)(step->junit_pos.line != 0));
}

int step_key_json(const struct plan *plan, const struct spec_step *step, const struct built_state *built, json_t **ret, struct err *err)
{
	const struct spec *spec = plan->spec;
	struct utsname host;

	*err = (struct err){0};
	if (uname(&host) < 0)
		return err_set(err, ERR_INTERNAL, errno, "key of step '%s'", step->name);
	auto_json j = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:{s:i, s:i}, s:o}",
				"glovebox", GB_VERSION, "format", STEP_KEY_FORMAT, "type", step == &spec->build ? "build" : "test",
				"machine", host.machine,
				"argv", argv_json(step, err), "env", env_json(plan, err), "workdir", step->workdir, "hostname", spec->hostname,
				"rootfs", digest_json(&plan->rootfs), "sources", sources_json(plan), "built", built_json(built),
				"profile", profile_json(&plan->profile), "limits", limits_json(plan, step, err),
				"network", step->network == SPEC_NET_LOOPBACK ? "loopback" : "none",
				"sources on", spec->workdir == SPEC_WORKDIR_DISK ? "disk" : "memory",
				"user", "uid", (int)spec->uid, "gid", (int)spec->gid, "reports", reports_key(step));
	if (j == NULL)
		return err->kind != ERR_NONE ? -1 : err_set(err, ERR_INTERNAL, ENOMEM, "key of step '%s'", step->name);
	*ret = move_ptr(j);
	return 0;
}

/** The spec says what goes into the image, and these say what it means by that: the image's key is wider than it need be, never narrower. */
int image_key_json(const struct plan *plan, const struct digest *output, json_t **ret, struct err *err)
{
	char codec[OCI_CODEC_NAME_SIZE];
	auto_json includes = json_array();

	for (size_t i = 0; i < plan->spec->nincludes; i++)
		if (json_array_append_new(includes, json_string(plan->spec->includes[i].digest)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "key of the image");
	auto_json j = json_pack("{s:s, s:i, s:s, s:s, s:o, s:O, s:o, s:o, s:o, s:o, s:o, s:o}",
				"glovebox", GB_VERSION, "format", STEP_KEY_FORMAT, "architecture", oci_architecture(),
				"codec", oci_codec_name(image_codec(plan), codec),
				"spec", digest_json(&plan->text_digest), "includes", includes, "facts", plan_facts_json(plan),
				"lock", digest_json(&plan->lock_digest), "rootfs", digest_json(&plan->rootfs), "sources", sources_json(plan),
				"base", digest_json(&plan->base.image.manifest_digest), "output", digest_json(output));
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "key of the image");
	*ret = move_ptr(j);
	return 0;
}

int key_digest(const json_t *key, struct digest *ret, struct err *err)
{
	auto_buf text = {0};

	return json_canonical(key, &text, err) < 0 ? -1 : hash_bytes(text.data, text.len, ret, err);
}

/* ---- what changed -------------------------------------------------------- */

/** What has been told, and how much. */
struct telling {
	struct buf *out;
	size_t n;
};

static void tell(struct telling *t, const char *what, const char *name, size_t len)
{
	if (++t->n > TOLD_MAX)
		return;
	buf_adds(t->out, t->n == 1 ? "" : ", ");
	buf_adds(t->out, what);
	text_brief(t->out, name, len, NAME_SHOWN);
}

/** Entries of one list that the other has not, by what comes before @p end in them. */
static void tell_missing(struct telling *t, const char *what, const json_t *from, const json_t *in, bool pairs_only_here)
{
	size_t i, k;
	json_t *one, *other;

	json_array_foreach(from, i, one) {
		const char *text = json_string_value(one);
		size_t len = strcspn(text, "=");
		bool found = false;

		json_array_foreach(in, k, other) {
			const char *s = json_string_value(other);

			found = found || (pairs_only_here ? strncmp(s, text, len) == 0 && s[len] == '=' : strcmp(s, text) == 0);
		}
		if (!found)
			tell(t, what, text, len);
	}
}

/** Variables that are new or another, then those that are gone. */
static void tell_env(struct telling *t, const json_t *was, const json_t *is)
{
	tell_missing(t, "env ", is, was, false);
	tell_missing(t, "env ", was, is, true);
}

/** Sources by their names. */
static void tell_sources(struct telling *t, const json_t *was, const json_t *is)
{
	size_t n = json_array_size(is) > json_array_size(was) ? json_array_size(is) : json_array_size(was);

	for (size_t i = 0; i < n; i++) {
		const json_t *a = json_array_get(was, i), *b = json_array_get(is, i);
		const char *name = json_str(b != NULL ? b : a, "name");

		if (a == NULL || b == NULL || !json_equal(a, b))
			tell(t, "source ", name, strlen(name));
	}
}

/** Members of an object, such as limits. */
static void tell_members(struct telling *t, const char *prefix, const json_t *was, const json_t *is)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)is, name, value) {
		if (!json_equal(value, json_object_get(was, name)))
			tell(t, prefix, name, strlen(name));
	}
}

/** What people call a member of a key. */
static const char *word_for(const char *member)
{
	static const char *const words[][2] = {
		{ "argv", "command" }, { "built", "what the build left" }, { "glovebox", "version of glovebox" }, { "type", "kind of step" },
		{ "format", "version of glovebox" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(member, words[i][0]) == 0)
			return words[i][1];
	return member;
}

void key_difference(const json_t *was, const json_t *is, struct buf *out)
{
	struct telling t = { out, 0 };
	const char *name;
	json_t *now;

	json_object_foreach((json_t *)is, name, now) {
		const json_t *then = json_object_get(was, name);

		if (then != NULL && json_equal(then, now))
			continue;
		if (strcmp(name, "env") == 0)
			tell_env(&t, then, now);
		else if (strcmp(name, "sources") == 0)
			tell_sources(&t, then, now);
		else if (strcmp(name, "limits") == 0)
			tell_members(&t, "limits.", then, now);
		else
			tell(&t, "", word_for(name), strlen(word_for(name)));
	}
	if (t.n > TOLD_MAX)
		buf_addf(out, " and %zu more", t.n - TOLD_MAX);
}
