/* SPDX-License-Identifier: Apache-2.0 */
/* What the placeholders of a spec stand for: asked of git for a run, taken from the provenance to reproduce one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runner/plan.h"
#include "runner/when.h"

/** As a provenance calls them. */
static const char *const names[SPEC_FACTS] = { [SPEC_COMMIT] = "gitSha", [SPEC_COMMIT_TIME] = "gitCommitTime", [SPEC_VERSION] = "semver" };

static bool is_used(const struct plan *plan, int fact)
{
	return plan->spec->facts[fact].line != 0;
}

/** The first of them that is used; SPEC_FACTS: none is. */
static int first_used(const struct plan *plan)
{
	int i = SPEC_NO_FACT + 1;

	while (i < SPEC_FACTS && !is_used(plan, i))
		i++;
	return i;
}

/** Points to those of the texts that are used and known, and fills them in. */
static int fill(struct plan *plan, struct err *err)
{
	struct plan_facts *f = &plan->facts;
	const char *const texts[SPEC_FACTS] = { [SPEC_COMMIT] = f->commit, [SPEC_COMMIT_TIME] = f->time, [SPEC_VERSION] = f->version };

	for (int i = SPEC_NO_FACT + 1; i < SPEC_FACTS; i++)
		f->v[i] = is_used(plan, i) && texts[i][0] != '\0' ? texts[i] : NULL;
	return spec_fill(plan->spec, f->v, err);
}

/** A place in the spec that git is asked for, and what is there. */
static struct spec_pos first_place(const struct plan *plan, const char **ret_what)
{
	int first = first_used(plan);

	*ret_what = first == SPEC_FACTS ? "spec.publish.when" : spec_fact_name((enum spec_fact)first);
	return first == SPEC_FACTS ? plan->spec->publish_when_pos : plan->spec->facts[first];
}

static int take_facts(struct plan *plan, const struct fetch_git_facts *git, struct err *err)
{
	const struct spec *spec = plan->spec;

	if (spec->facts_needed[SPEC_VERSION] && git->semver[0] == '\0')
		return spec_error(spec, spec->facts[SPEC_VERSION], ERR_INPUT, err,
				  "{semver}: commit %s has no version tag: give it one, such as v1.2.3, or write the version out", git->commit);
	strcpy(plan->facts.commit, git->commit);
	strcpy(plan->facts.version, git->semver);
	snprintf(plan->facts.time, sizeof plan->facts.time, "%" PRId64, git->time);
	return fill(plan, err);
}

int plan_find_facts(struct plan *plan, struct store *store, const struct plan_options *opt, int spec_dirfd, struct err *err)
{
	unsigned ask = (is_used(plan, SPEC_VERSION) ? FETCH_GIT_VERSION : 0) | (opt->publish ? when_asks(plan->spec) : 0);
	struct fetch_git_facts git;
	const char *what;

	if (first_used(plan) == SPEC_FACTS && ask == 0)
		return 0;
	struct spec_pos place = first_place(plan, &what);
	if (fetch_git_facts(store, opt->net, spec_dirfd, ask, &git, err) < 0) {
		(void)err_ctx(err, "%s", what);
		return spec_ctx(plan->spec, place, err);
	}
	if (take_facts(plan, &git, err) < 0)
		return -1;
	if (opt->publish && when_decide(plan->spec, &git, &plan->held_back) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "decide whether to publish");
	return 0;
}

static int take_text(const json_t *recorded, enum spec_fact fact, char *to, size_t size)
{
	const char *text = json_str(recorded, names[fact]);

	if (text == NULL || strlen(text) >= size)
		return -1;
	strcpy(to, text);
	return 0;
}

static int take(struct plan_facts *f, const json_t *recorded, int fact)
{
	const json_t *time = json_object_get(recorded, names[SPEC_COMMIT_TIME]);

	if (fact == SPEC_COMMIT)
		return take_text(recorded, SPEC_COMMIT, f->commit, sizeof f->commit);
	if (fact == SPEC_VERSION)
		return take_text(recorded, SPEC_VERSION, f->version, sizeof f->version);
	if (!json_is_integer(time))
		return -1;
	snprintf(f->time, sizeof f->time, "%" JSON_INTEGER_FORMAT, json_integer_value(time));
	return 0;
}

int plan_load_facts(struct plan *plan, const json_t *recorded, struct err *err)
{
	size_t n = 0;

	for (int i = SPEC_NO_FACT + 1; i < SPEC_FACTS; i++) {
		/* Tags have done without it. */
		bool spared = !plan->spec->facts_needed[i] && i == SPEC_VERSION && json_object_get(recorded, names[i]) == NULL;

		if (!is_used(plan, i) || spared)
			continue;
		if (take(&plan->facts, recorded, i) < 0)
			return err_set(err, ERR_UNVERIFIED, 0, "provenance: its spec uses %s, but spec.facts has no %s",
				       spec_fact_name((enum spec_fact)i), names[i]);
		n++;
	}
	if (json_object_size(recorded) != n)
		return err_set(err, ERR_UNVERIFIED, 0, "provenance: spec.facts has more than its spec uses");
	if (fill(plan, err) == 0)
		return 0;
	if (err->kind == ERR_INPUT)
		err->kind = ERR_UNVERIFIED;
	return err_ctx(err, "provenance");
}

json_t *plan_facts_json(const struct plan *plan)
{
	auto_json facts = json_object();

	for (int i = SPEC_NO_FACT + 1; i < SPEC_FACTS; i++) {
		const char *text = plan->facts.v[i];

		if (text != NULL && json_object_set_new(facts, names[i], i == SPEC_COMMIT_TIME ? json_integer(strtoll(text, NULL, 10))
										   : json_string(text)) < 0)
			return NULL;
	}
	return move_ptr(facts);
}
