/* SPDX-License-Identifier: Apache-2.0 */
/* What repositories from outside say: the first byte chooses which parser reads the rest. */
#include <stdlib.h>
#include <string.h>

#include "fetch/git_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tree(const char *data, size_t n, size_t name_len)
{
	struct git_tree t = { data, n, 0, name_len };
	struct git_entry e;
	struct err err;
	int more;

	while ((more = git_tree_next(&t, &e, &err)) > 0)
		if (!text_path_is_clean(e.name) || strchr(e.name, '/') != NULL || strlen(e.object.hex) != name_len || t.at > n)
			abort();
	if (more == 0 && t.at != n)
		abort();
}

static void modules(const char *data, size_t n)
{
	auto_git_modules m = {0};
	struct err err;

	if (git_modules_parse(data, n, &m, &err) == 0 && m.n > GIT_SUBMODULES_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct git_commit commit;
	struct git_name name;
	const char *type, *text = (const char *)data + 1;
	size_t name_len;

	if (size == 0)
		return 0;
	name_len = data[0] & 4 ? 64 : 40;
	switch (data[0] & 3) {
	case 0:
		tree(text, size - 1, name_len);
		break;
	case 1:
		if (git_commit_parse(text, size - 1, name_len, &commit, &err) == 0 && (commit.time < 0 || strlen(commit.tree.hex) != name_len))
			abort();
		break;
	case 2:
		if (git_tag_parse(text, size - 1, name_len, &name, &type, &err) == 0 && strlen(name.hex) != name_len)
			abort();
		break;
	default:
		modules(text, size - 1);
	}
	return 0;
}
