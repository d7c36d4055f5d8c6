/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "cli/cli.h"

static int run(const struct args *args, int *ret_code, struct err *err)
{
	static const struct snapshot_options opt = { .form = TREE_SOURCE, .digest_only = true };
	auto_tree_builder builder = NULL;
	auto_buf manifest = {0};
	auto_fd fd = -1;
	struct snapshot_stats stats;
	struct digest d;
	char text[DIGEST_STR_SIZE];

	(void)ret_code;
	/* A trailing "/." so that a link to a directory, which the user names, is followed. */
	auto_buf path = {0};
	buf_addf(&path, "%s/.", args->positional[0]);
	if (buf_check(&path, "path", err) < 0 || io_open_dir(AT_FDCWD, path.data, &fd, err) < 0 ||
	    tree_builder_new(&builder, err) < 0 || store_snapshot(NULL, fd, &opt, builder, &stats, err) < 0 ||
	    tree_builder_manifest(builder, &manifest, err) < 0)
		return err_ctx(err, "tree '%s'", args->positional[0]);
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
	OPT_HELP, OPT_END,
};

const struct command cmd_tree = {
	"tree", "DIR [OPTION]…", "print the manifest of a directory, in sources' normal form", opts, NULL, 1, 1, false, run,
};
