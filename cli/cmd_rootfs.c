/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "rootfs/rootfs.h"

static int import(const struct args *args, struct store *store, struct err *err)
{
	char text[DIGEST_STR_SIZE];
	struct digest d;

	if (args->npositional != 3)
		return err_set(err, ERR_USAGE, 0, "usage: glovebox rootfs import NAME SOURCE");
	if (rootfs_import(store, args->positional[1], args->positional[2], &d, err) < 0)
		return -1;
	puts(digest_str(&d, text));
	return 0;
}

static int list(const struct args *args, struct store *store, struct err *err)
{
	char **names = NULL;
	auto_json all = json_array();
	int result = 0;

	if (store_list_names(store, &names, err) < 0)
		return -1;
	for (size_t i = 0; result == 0 && names[i] != NULL; i++) {
		char text[DIGEST_STR_SIZE];
		struct digest d;

		result = store_get_name(store, names[i], &d, err);
		if (result == 0 && args_has(args, "json"))
			json_array_append_new(all, json_pack("{s:s, s:s}", "name", names[i], "digest", digest_str(&d, text)));
		else if (result == 0)
			printf("%s@%s\n", names[i], digest_str(&d, text));
	}
	store_names_free(names);
	if (result == 0 && args_has(args, "json"))
		result = cli_print_json(all, err);
	return result;
}

/** Counts what a tree holds. */
static int count(struct store *store, const struct digest *d, uint64_t n[3], uint64_t *ret_bytes, struct err *err)
{
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	int more;

	if (store_read_tree(store, d, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		n[e.type]++;
		*ret_bytes += e.type == TREE_FILE ? e.size : 0;
	}
	return more;
}

static int show(const struct args *args, struct store *store, struct err *err)
{
	uint64_t n[3] = {0}, bytes = 0;
	char text[DIGEST_STR_SIZE];
	struct digest d;
	bool pinned;

	if (args->npositional != 2)
		return err_set(err, ERR_USAGE, 0, "usage: glovebox rootfs show REF");
	if (rootfs_resolve(store, args->positional[1], &d, &pinned, err) < 0 || count(store, &d, n, &bytes, err) < 0)
		return -1;
	auto_json j = json_pack("{s:s, s:I, s:I, s:I, s:I}", "digest", digest_str(&d, text), "files",
				(json_int_t)n[TREE_FILE], "directories", (json_int_t)n[TREE_DIR], "links",
				(json_int_t)n[TREE_LINK], "bytes", (json_int_t)bytes);
	if (args_has(args, "json"))
		return cli_print_json(j, err);
	printf("digest       %s\nfiles        %" PRIu64 "\ndirectories  %" PRIu64 "\nlinks        %" PRIu64
	       "\nbytes        %" PRIu64 "\n", text, n[TREE_FILE], n[TREE_DIR], n[TREE_LINK], bytes);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct args *args, struct store *store, struct err *err);
} verbs[] = { { "import", import }, { "list", list }, { "show", show } };

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;

	(void)ret_code;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(args->positional[0], verbs[i].name) == 0)
			return cli_open_store(args, &store, err) < 0 ? -1 : verbs[i].run(args, store, err);
	return err_set(err, ERR_USAGE, 0, "rootfs: no '%s'; it is import, list or show", args->positional[0]);
}

static const struct opt_def opts[] = { OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END };

const struct command cmd_rootfs = {
	"rootfs", "import NAME SOURCE | list | show REF", "root filesystems in the store", opts, NULL, 1, 3, false, run,
};
