/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/when.h"

#include <string.h>

/** The words of spec.publish.when. */
static const struct kind {
	const char *word;
	enum fetch_git_ask ask;
	const char *not;     /**< what a commit lacks that is none */
} kinds[] = {
	{ "tag", FETCH_GIT_VERSION, "has no version tag" },
	{ "main", FETCH_GIT_MAIN, "is not what the branch main is at" },
};

static bool is_wanted(const struct spec *spec, const struct kind *kind)
{
	for (size_t i = 0; i < spec->publish_when.n; i++)
		if (strcmp(spec->publish_when.v[i], kind->word) == 0)
			return true;
	return false;
}

unsigned when_asks(const struct spec *spec)
{
	unsigned ask = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (is_wanted(spec, &kinds[i]))
			ask |= kinds[i].ask;
	return ask;
}

static bool is_kind(const struct fetch_git_facts *git, const struct kind *kind)
{
	return kind->ask == FETCH_GIT_VERSION ? git->semver[0] != '\0' : git->is_main;
}

int when_decide(const struct spec *spec, const struct fetch_git_facts *git, struct buf *why)
{
	auto_buf lacks = {0};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!is_wanted(spec, &kinds[i]))
			continue;
		if (is_kind(git, &kinds[i]))
			return 0;
		buf_addf(&lacks, "%s%s", n++ == 0 ? "" : " and ", kinds[i].not);
	}
	if (n > 0 && !lacks.failed)
		buf_addf(why, "spec.publish.when: commit %s %s", git->commit, lacks.data);
	return lacks.failed || why->failed ? -1 : 0;
}
