/* SPDX-License-Identifier: Apache-2.0 */
/* The top of a profile: {defaultAction, defaultErrnoRet, architectures, flags, listenerPath, syscalls} of the
 * runtime-spec; defaultErrno and archMap of Docker's and Podman's files. */
#include <string.h>

#include "profiles/group.h"
#include "profiles/profiles.h"

_Static_assert(PROFILE_TEXT_MAX <= SPEC_TEXT_MAX, "the YAML reader takes every profile");

/** Refuses what asks for something that glovebox does not do. */
static int refuse_unsupported(const struct place *at, const struct node *root)
{
	static const char *const keys[] = { "flags", "listenerPath", "listenerMetadata", NULL };

	for (const char *const *key = keys; *key != NULL; key++) {
		const struct node *node = vocabulary_get(root, *key);

		if (node == NULL || (node->kind != NODE_SCALAR && node->n == 0))
			continue;
		return yaml_error(at->file, node->pos, at->err,
				  "%s: glovebox loads the filter itself, without flags and without a listener; remove it", *key);
	}
	return 0;
}

/** Checks a list of architectures; @p key is the member of each entry that names it, or NULL when the entry is the name. */
static int read_arches(const struct place *at, const struct node *list, const char *what, const char *key,
		       const struct arch *arch)
{
	static const char *const keys[] = { "architecture", "subArchitectures", NULL };
	bool found = false;

	if (vocabulary_list(at, list, what) < 0)
		return -1;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		const struct node *name = n;
		bool same;

		if (key != NULL) {
			if (vocabulary_keys(at, n, what, keys) < 0)
				return -1;
			name = vocabulary_get(n, key);
			if (name == NULL)
				return yaml_error(at->file, n->pos, at->err, "%s: an entry needs %s", what, key);
		}
		if (vocabulary_arch(at, name, arch, key != NULL, &same) < 0)
			return -1;
		found |= same;
	}
	if (!found)
		return yaml_error(at->file, list->pos, at->err, "%s: the profile is not written for %s; add it if it means the same there",
				  what, arch->oci_name);
	return 0;
}

/** Foreign architectures in the text, sub-architectures too, stay killed: a filter is made for one. */
static int read_architectures(const struct place *at, const struct node *root, const struct arch *arch)
{
	const struct node *plain = vocabulary_get(root, "architectures"), *map = vocabulary_get(root, "archMap");

	if (plain != NULL && read_arches(at, plain, "architectures", NULL, arch) < 0)
		return -1;
	return map != NULL ? read_arches(at, map, "archMap", "architecture", arch) : 0;
}

static int read_root(const struct place *at, const struct node *root, bool lenient, struct policy *p)
{
	static const char *const keys[] = { "archMap", "architectures", "defaultAction", "defaultErrno", "defaultErrnoRet",
					    "flags", "listenerMetadata", "listenerPath", "syscalls", NULL };
	const struct node *action, *groups;

	if (vocabulary_keys(at, root, "profile", keys) < 0 || refuse_unsupported(at, root) < 0)
		return -1;
	action = vocabulary_get(root, "defaultAction");
	groups = vocabulary_get(root, "syscalls");
	if (action == NULL)
		return yaml_error(at->file, root->pos, at->err, "profile: defaultAction is missing");
	if (vocabulary_action(at, action, vocabulary_get(root, "defaultErrnoRet"), vocabulary_get(root, "defaultErrno"),
			      &p->default_action) < 0 ||
	    read_architectures(at, root, p->arch) < 0)
		return -1;
	if (groups == NULL)
		return 0;
	if (vocabulary_list(at, groups, "syscalls") < 0)
		return -1;
	for (const struct node *n = groups->first; n != NULL; n = n->next)
		if (group_read(at, n, lenient || policy_is_engines(root), p) < 0)
			return -1;
	return 0;
}

bool policy_is_engines(const struct node *root)
{
	return vocabulary_get(root, "archMap") != NULL;
}

int policy_read(const char *file, const struct node *root, const struct arch *arch, bool lenient, struct policy *ret, struct err *err)
{
	const struct place at = { file, err };
	auto_policy p = { .arch = arch };

	if (read_root(&at, root, lenient, &p) < 0 || policy_index(&p, err) < 0)
		return -1;
	*ret = p;
	p = (struct policy){0};
	return 0;
}

int policy_parse(const char *file, const char *text, size_t n, const struct arch *arch, struct policy *ret,
		 struct err *err)
{
	auto_policy p = {0};
	auto_node root = NULL;

	if (n > PROFILE_TEXT_MAX)
		return yaml_error(file, (struct spec_pos){ 1, 1 }, err, "the profile has %zu bytes; the limit is %u", n, PROFILE_TEXT_MAX);
	if (yaml_read(file, text, n, &root, err) < 0 || policy_read(file, root, arch, false, &p, err) < 0)
		return -1;
	/* Engines' files are taken as they are. */
	if (!policy_is_engines(root) && policy_check_reach(&p, file, err) < 0)
		return -1;
	*ret = p;
	p = (struct policy){0};
	return 0;
}
