/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy asks of the inputs, the isolation and the age of a build. */
#include "tests/unit/attest/helper.h"

#include "attest/statement.h"

static struct err err;

/** The finish of statement_of()'s build. */
#define FINISHED 1767225607

/** A statement with a receipt, completeness and glovebox's own URIs, in which @p edit (NULL: nothing) has been changed. */
static json_t *statement(void (*edit)(json_t *definition))
{
	auto_buf text = {0};
	json_t *j = NULL;

	statement_of("make\n", digest_of(0x11), digest_of(0x22), &text);
	must(attest_read_statement(text.data, text.len, &j, &err));
	json_t *def = json_object_get(json_object_get(j, "predicate"), "buildDefinition");
	json_t *in = json_object_get(def, "internalParameters");
	const char *hex3 = "3333333333333333333333333333333333333333333333333333333333333333";
	const char *hex5 = "5555555555555555555555555555555555555555555555555555555555555555";

	json_object_set_new(def, "resolvedDependencies",
			    json_pack("[{s:s, s:s, s:{s:s}}, {s:s, s:s, s:{s:s}}]", "name", "rootfs", "uri", "glovebox:rootfs/debian12@x",
				      "digest", "sha256", hex3, "name", "profile", "uri", "glovebox:profile/build", "digest", "sha256", hex5));
	json_object_set_new(in, "receipt", json_pack("{s:s}", "network", "none"));
	json_object_set_new(in, ATTEST_COMPLETENESS, json_pack("{s:{s:b}, s:{s:b}}", "externalParameters", "complete", 1,
							       "resolvedDependencies", "complete", 1));
	if (edit != NULL)
		edit(def);
	return j;
}

static void says(void (*edit)(json_t *), struct attest_policy policy, const char *why)
{
	auto_json j = statement(edit);

	must(statement_check(j, &err));
	if (why == NULL)
		must(policy_check(j, &policy, &err));
	else
		must_fail(policy_check(j, &policy, &err), ERR_UNVERIFIED, why);
}

static json_t *inputs(json_t *def)
{
	return json_object_get(def, "resolvedDependencies");
}

static void two_rootfs(json_t *def)
{
	json_array_append(inputs(def), json_array_get(inputs(def), 0));
}

static void no_rootfs(json_t *def)
{
	json_array_remove(inputs(def), 0);
}

static void other_digest(json_t *def)
{
	json_object_set_new(json_array_get(inputs(def), 0), "digest", json_pack("{s:s}", "sha512", "ab"));
}

static void loopback(json_t *def)
{
	json_object_set_new(json_object_get(json_object_get(def, "internalParameters"), "receipt"), "network", json_string("loopback"));
}

static void no_receipt(json_t *def)
{
	json_object_del(json_object_get(def, "internalParameters"), "receipt");
}

static void incomplete(json_t *def)
{
	json_t *said = json_object_get(json_object_get(def, "internalParameters"), ATTEST_COMPLETENESS);

	json_object_set_new(json_object_get(said, "resolvedDependencies"), "complete", json_false());
}

static void complete_by_word(json_t *def)
{
	json_t *said = json_object_get(json_object_get(def, "internalParameters"), ATTEST_COMPLETENESS);

	json_object_set_new(json_object_get(said, "externalParameters"), "complete", json_string("true"));
}

static void silent(json_t *def)
{
	json_object_del(json_object_get(def, "internalParameters"), ATTEST_COMPLETENESS);
}

static void test_builders(void **state)
{
	const struct attest_builder builders[] = { { "https://ci.example.com/runners/2", 1 }, { "https://ci.example.com/runners/1", 3 } };

	(void)state;
	says(NULL, (struct attest_policy){ .builders = builders, .nbuilders = 2 }, NULL);
	says(NULL, (struct attest_policy){ .builders = builders, .nbuilders = 1 }, "is none of those that are trusted");
	/* Both ways of asking hold at once. */
	says(NULL, (struct attest_policy){ .builders = builders, .nbuilders = 2, .builder_id = "https://ci.example.com/runners/2" },
	     "must be 'https://ci.example.com/runners/2'");
}

static void test_inputs(void **state)
{
	const struct digest rootfs[] = { digest_of(0x01), digest_of(0x33) }, profile[] = { digest_of(0x55) };

	(void)state;
	says(NULL, (struct attest_policy){ .rootfs = rootfs, .nrootfs = 2, .profiles = profile, .nprofiles = 1 }, NULL);
	says(NULL, (struct attest_policy){ .rootfs = rootfs, .nrootfs = 1 }, "the root filesystem sha256:3333");
	says(NULL, (struct attest_policy){ .profiles = rootfs, .nprofiles = 2 }, "the profile sha256:5555");
	says(two_rootfs, (struct attest_policy){ .rootfs = rootfs, .nrootfs = 2 }, "2 resolved dependencies 'glovebox:rootfs/");
	says(no_rootfs, (struct attest_policy){ .rootfs = rootfs, .nrootfs = 2 }, "0 resolved dependencies 'glovebox:rootfs/");
	says(other_digest, (struct attest_policy){ .rootfs = rootfs, .nrootfs = 2 }, "has no sha256");
	/* What is not asked for may be as it is. */
	says(no_rootfs, (struct attest_policy){0}, NULL);
}

static void test_isolation(void **state)
{
	(void)state;
	says(NULL, (struct attest_policy){ .network_none = true, .complete = true }, NULL);
	says(loopback, (struct attest_policy){ .network_none = true }, "network was 'loopback', must be 'none'");
	says(no_receipt, (struct attest_policy){ .network_none = true }, "network was 'not told'");
	says(incomplete, (struct attest_policy){ .complete = true }, "does not say that its resolvedDependencies are complete");
	says(complete_by_word, (struct attest_policy){ .complete = true }, "does not say that its externalParameters are complete");
	says(silent, (struct attest_policy){ .complete = true }, "does not say that its externalParameters are complete");
}

static void test_age(void **state)
{
	(void)state;
	says(NULL, (struct attest_policy){ .max_age = 60, .now = FINISHED + 60 }, NULL);
	says(NULL, (struct attest_policy){ .max_age = 60, .now = FINISHED + 61 }, "which is 61 seconds ago; it must be at most 60");
	says(NULL, (struct attest_policy){ .max_age = 60, .now = FINISHED - ATTEST_CLOCK_SKEW }, NULL);
	says(NULL, (struct attest_policy){ .max_age = 60, .now = FINISHED - ATTEST_CLOCK_SKEW - 1 }, "which is yet to come");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builders),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
