/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier asks of a statement beyond that it is one, and signed. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attest/shape.h"
#include "attest/statement.h"

static int check_source(const json_t *statement, const char *uri, struct err *err)
{
	const json_t *dep, *deps = json_object_get(statement_definition(statement), "resolvedDependencies");
	size_t i;

	json_array_foreach(deps, i, dep) {
		const char *have = json_str(dep, "uri");

		if (have != NULL && strcmp(have, uri) == 0)
			return 0;
	}
	return err_set(err, ERR_UNVERIFIED, 0, "policy: '%s' is not among the resolved dependencies", uri);
}

static int check_builder(const json_t *statement, const struct attest_policy *policy, struct err *err)
{
	const char *builder = statement_builder_id(statement);

	if (policy->builder_id != NULL && strcmp(policy->builder_id, builder) != 0)
		return err_set(err, ERR_UNVERIFIED, 0, "policy: the builder is '%.*s', must be '%s'", SHAPE_SHOWN, builder,
			       policy->builder_id);
	for (size_t i = 0; i < policy->nbuilders; i++)
		if (strcmp(policy->builders[i].id, builder) == 0)
			return 0;
	if (policy->nbuilders == 0)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "policy: the builder '%.*s' is none of those that are trusted", SHAPE_SHOWN, builder);
}

/** The digest of the one resolved dependency whose URI begins so: of what glovebox brings itself there is one. */
static int find_input(const json_t *statement, const char *prefix, struct digest *ret, struct err *err)
{
	const json_t *dep, *deps = json_object_get(statement_definition(statement), "resolvedDependencies");
	size_t i, n = 0;

	json_array_foreach(deps, i, dep) {
		const char *uri = json_str(dep, "uri"), *hex = json_str(json_object_get(dep, "digest"), "sha256");

		if (uri == NULL || !text_starts(uri, prefix))
			continue;
		if (hex == NULL || !digest_parse_hex(hex, ret))
			return err_set(err, ERR_UNVERIFIED, 0, "policy: resolved dependency '%.*s' has no sha256", SHAPE_SHOWN, uri);
		n++;
	}
	return n == 1 ? 0 : err_set(err, ERR_UNVERIFIED, 0, "policy: %zu resolved dependencies '%s…', must be one", n, prefix);
}

/** Whether the input whose URI begins with @p prefix is one of those allowed. */
static int check_allowed(const json_t *statement, const char *prefix, const char *what, const struct digest *allowed, size_t n,
			 struct err *err)
{
	char text[DIGEST_STR_SIZE];
	struct digest have;

	if (n == 0)
		return 0;
	if (find_input(statement, prefix, &have, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (digest_eq(&have, &allowed[i]))
			return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "policy: the %s %s is none of those that are allowed", what, digest_str(&have, text));
}

static const json_t *internal_of(const json_t *statement)
{
	return json_object_get(statement_definition(statement), "internalParameters");
}

static int check_network(const json_t *statement, struct err *err)
{
	const char *network = json_str(json_object_get(internal_of(statement), "receipt"), "network");

	if (network != NULL && strcmp(network, "none") == 0)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "policy: the build's network was '%.*s', must be 'none'", SHAPE_SHOWN,
		       network == NULL ? "not told" : network);
}

/** What a provenance says of its own lists: each of the two that hold inputs is complete. */
static int check_complete(const json_t *statement, struct err *err)
{
	static const char *const lists[] = { "externalParameters", "resolvedDependencies" };
	const json_t *said = json_object_get(internal_of(statement), ATTEST_COMPLETENESS);

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (!json_is_true(json_object_get(json_object_get(said, lists[i]), "complete")))
			return err_set(err, ERR_UNVERIFIED, 0, "policy: the provenance does not say that its %s are complete", lists[i]);
	return 0;
}

/** Seconds since 1970 of a time that has been checked. */
static int64_t seconds_of(const char *when)
{
	struct tm tm = {0};

	sscanf(when, "%d-%d-%dT%d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return timegm(&tm);
}

int policy_check_age(const struct attest_policy *policy, const char *what, const char *when, struct err *err)
{
	if (policy->max_age == 0)
		return 0;
	if (when == NULL || !statement_is_time(when))
		return err_set(err, ERR_UNVERIFIED, 0, "policy: %s does not say when it was", what);
	int64_t age = policy->now - seconds_of(when);
	if (age < -ATTEST_CLOCK_SKEW)
		return err_set(err, ERR_UNVERIFIED, 0, "policy: %s is of %s, which is yet to come", what, when);
	if (age > policy->max_age)
		return err_set(err, ERR_UNVERIFIED, 0, "policy: %s is of %s, which is %lld seconds ago; it must be at most %lld", what, when,
			       (long long)age, (long long)policy->max_age);
	return 0;
}

static int check_age(const json_t *statement, const struct attest_policy *policy, struct err *err)
{
	return policy_check_age(policy, "the build", json_str(json_object_get(statement_run(statement), "metadata"), "finishedOn"), err);
}

int policy_check(const json_t *statement, const struct attest_policy *policy, struct err *err)
{
	if (check_builder(statement, policy, err) < 0)
		return -1;
	for (size_t i = 0; i < policy->nsources; i++)
		if (check_source(statement, policy->sources[i], err) < 0)
			return -1;
	for (size_t i = 0; i < policy->nparams; i++)
		if (params_match(statement_external(statement), &policy->params[i], err) < 0)
			return err_ctx(err, "policy");
	if (check_allowed(statement, "glovebox:rootfs/", "root filesystem", policy->rootfs, policy->nrootfs, err) < 0 ||
	    check_allowed(statement, "glovebox:profile/", "profile", policy->profiles, policy->nprofiles, err) < 0 ||
	    (policy->network_none && check_network(statement, err) < 0) || (policy->complete && check_complete(statement, err) < 0))
		return -1;
	return check_age(statement, policy, err);
}
