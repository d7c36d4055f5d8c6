/* SPDX-License-Identifier: Apache-2.0 */
/* What repositories from outside say, and what confined readers say of them: the first byte chooses which parser reads the rest. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fetch/git_ask.h"
#include "fetch/git_read.h"
#include "tests/fuzz/fuzz.h"

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

/** A file in memory with @p n bytes, to be read from its start. */
static int file_of(const char *data, size_t n)
{
	int fd = memfd_create("said", MFD_CLOEXEC);

	if (fd < 0 || (n > 0 && pwrite(fd, data, n, 0) != (ssize_t)n))
		abort();
	return fd;
}

/** What a reader that has been taken over says of a commit: nothing that a commit could not. */
static void rows(const char *data, size_t n)
{
	static struct answer r;
	static struct git_row row;
	struct err err;
	const char *p;
	size_t got;
	auto_fd fd = file_of(data, n);

	r = (struct answer){ .whose = "it", .fd = fd, .cancel_fd = -1 };
	while (git_row_next(&r, &row, &err) > 0) {
		if (row.path[0] == '\0' || (row.kind == GIT_LINK && row.more[0] == '\0') ||
		    (row.kind == GIT_SUBMODULE && strlen(row.object.hex) != 40 && strlen(row.object.hex) != 64))
			abort();
		for (uint64_t left = row.size; left > 0; left -= got)
			if (answer_some(&r, left, &p, &got, &err) < 0)
				return;
		if ((row.kind == GIT_FILE || row.kind == GIT_PROGRAM) && git_row_sound(&r, &err) < 0)
			return;
	}
}

/** What git says when it is asked for an object, and nothing else. */
static void answer(const char *data, size_t n)
{
	static struct git_objects o;
	const struct git_name name = { "0123456789012345678901234567890123456789" };
	auto_fd null = file_of("", 0);
	auto_fd fd = file_of(data, n);
	auto_buf text = {0};
	struct err err;

	o = (struct git_objects){ .in = null, .out = fd };
	if (git_objects_get(&o, &name, "tree", 1 << 20, &text, &err) == 0)
		abort();
}

static void refs(const char *data, size_t n)
{
	static char a[] = "refs/heads/main", b[] = "refs/tags/main";
	char *const names[] = { NULL, a, b };
	struct git_name found[3] = {0}, name;
	auto_buf packed = {0};
	const char *ref;
	size_t at = 0;

	git_remote_parse(data, n, names, ARRAY_LEN(names), found);
	if (found[0].hex[0] != '\0')
		abort();
	git_packed_parse(data, n, &packed);
	while (git_ref_next(&packed, &at, &name, &ref))
		if (strlen(name.hex) != 40 && strlen(name.hex) != 64)
			abort();
	if (at != packed.len)
		abort();
	const struct buf hostile = { .data = (char *)(uintptr_t)data, .len = n };
	for (at = 0; git_ref_next(&hostile, &at, &name, &ref); )
		if (at > n || ref + strlen(ref) >= data + n)
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
	switch (data[0] & 0x23) {
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
	case 3:
		modules(text, size - 1);
		break;
	case 0x20:
		rows(text, size - 1);
		break;
	case 0x21:
		answer(text, size - 1);
		break;
	default:
		refs(text, size - 1);
	}
	return 0;
}
