/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "inspect/inspect.h"

/** What other tools compare: of an out directory its image. */
static int artifact_of(const char *path, struct buf *ret, struct err *err)
{
	struct stat st;

	buf_addf(ret, "%s/image.tar", path);
	if (buf_check(ret, "path", err) < 0)
		return -1;
	if (stat(ret->data, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	buf_clear(ret);
	buf_adds(ret, path);
	return buf_check(ret, "path", err);
}

/** Becomes diffoscope, whose exit codes are the same. */
static int hand_over(const struct args *args, struct err *err)
{
	auto_buf a = {0};
	auto_buf b = {0};

	if (artifact_of(args->positional[0], &a, err) < 0 || artifact_of(args->positional[1], &b, err) < 0)
		return -1;
	char *argv[] = { (char *)"diffoscope", (char *)"--", a.data, b.data, NULL };
	execvp(argv[0], argv);
	if (errno == ENOENT)
		return err_set(err, ERR_USAGE, 0, "--diffoscope: it is not installed here (Debian: apt install diffoscope)");
	return err_set(err, ERR_INTERNAL, errno, "--diffoscope: start it");
}

static int print(const struct args *args, const json_t *report, struct err *err)
{
	auto_buf text = {0};

	if (args_has(args, "json"))
		return cli_print_json(report, err);
	if (diff_text(report, &text, err) < 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const struct diff_options opt = {
		.a = args->positional[0], .b = args->positional[1], .ref = args_get(args, "ref"), .platform = args_get(args, "platform"),
		.tmp = cli_tmp_dir(),
	};
	auto_json report = NULL;

	if (args_has(args, "diffoscope")) {
		if (args->ngiven > 1)
			return err_set(err, ERR_USAGE, 0, "diff: --diffoscope takes no other option with it");
		return hand_over(args, err);
	}
	if (diff_paths(&opt, &report, err) < 0)
		return err_ctx(err, "diff");
	*ret_code = diff_is_same(report) ? 0 : 1;
	return print(args, report, err);
}

static const struct opt_def opts[] = {
	{ "ref", "NAME", "images: compare the one of this name or digest, of several" },
	{ "platform", "PLATFORM", "images: compare those for OS/ARCH[/VARIANT] (default: this host's)" },
	{ "diffoscope", NULL, "hand the two over to diffoscope, where it is installed" },
	OPT_JSON, OPT_HELP, OPT_END,
};

const struct command cmd_diff = {
	"diff", "PATH_A PATH_B [OPTION]…", "where two images, directories or files differ, and the likely cause", opts, NULL, 2, 2, false, run,
};
