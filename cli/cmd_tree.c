/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "cli/cli.h"

/** A store, for what it remembers of files: none where none can be had, unless it was asked for. */
static int open_memory(const struct args *args, struct store **ret, struct err *err)
{
	if (args_has(args, "no-cache") || cli_open_store(args, ret, err) == 0)
		return 0;
	return args_get(args, "store") == NULL ? 0 : -1;
}

/** The snapshot, with the right to read inputs: whoever opened a store has given up root's. */
static int walk(struct store *store, const struct ident *id, int fd, struct tree_builder *b, struct err *err)
{
	const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true, .stat_cache = store != NULL };
	struct snapshot_stats stats;

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, store_snapshot(store, fd, &opt, b, &stats, err), err);
}

/** The manifest of @p dir. A trailing "/." so that a link to a directory, which the user names, is followed. */
static int make_manifest(const struct args *args, const char *dir, struct buf *ret, struct err *err)
{
	struct ident id;
	auto_store store = NULL;
	auto_tree_builder builder = NULL;
	auto_fd fd = -1;
	auto_buf path = {0};

	buf_addf(&path, "%s/.", dir);
	if (buf_check(&path, "path", err) < 0 || ident_detect(&id, err) < 0 || io_open_dir(AT_FDCWD, path.data, &fd, err) < 0)
		return err_ctx(err, "tree '%s'", dir);
	if (open_memory(args, &store, err) < 0)
		return -1;
	if (tree_builder_new(&builder, err) < 0 || walk(store, &id, fd, builder, err) < 0 ||
	    tree_builder_manifest(builder, ret, err) < 0)
		return err_ctx(err, "tree '%s'", dir);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_buf manifest = {0};
	struct digest d;
	char text[DIGEST_STR_SIZE];

	(void)ret_code;
	if (make_manifest(args, args->positional[0], &manifest, err) < 0)
		return -1;
	if (!args_has(args, "digest")) {
		fwrite(manifest.data, 1, manifest.len, stdout);
		return 0;
	}
	if (hash_bytes(manifest.data, manifest.len, &d, err) < 0)
		return -1;
	puts(digest_str(&d, text));
	return 0;
}

static const struct opt_def opts[] = {
	{ "digest", NULL, "print only the tree's digest" },
	{ "no-cache", NULL, "read every file, whatever is known of it" },
	OPT_STORE, OPT_HELP, OPT_END,
};

const struct command cmd_tree = {
	"tree", "DIR [OPTION]…", "print the manifest of a directory, in sources' normal form", opts, NULL, 1, 1, false, run,
};
