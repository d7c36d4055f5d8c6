/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "inspect/inspect.h"
#include "runner/runner.h"

static const char *verdict_name(enum reproduce_verdict v)
{
	static const char *const names[] = {
		[REPRODUCED_IMAGE] = "identical", [REPRODUCED_CONTENT] = "content", [NOT_REPRODUCED] = "different",
	};

	return names[v];
}

static int print_differences(const struct reproduce_report *r, struct err *err)
{
	auto_buf text = {0};

	if (r->differences == NULL)
		return 0;
	if (diff_text(r->differences, &text, err) < 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static int print_verdict(const struct args *args, const struct reproduce_report *r, struct err *err)
{
	char a[DIGEST_STR_SIZE], b[DIGEST_STR_SIZE];

	digest_str(&r->expected, a);
	digest_str(&r->got, b);
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:s, s:s, s:s, s:s, s:O?}", "verdict", verdict_name(r->verdict), "expected", a,
					"rebuilt", b, "account", r->account, "differences", r->differences);

		return cli_print_json(j, err);
	}
	if (r->verdict == REPRODUCED_IMAGE)
		printf("reproduced: identical\nimage    %s\n", b);
	else if (r->verdict == REPRODUCED_CONTENT)
		printf("reproduced: content identical, compression differs\nimage    %s\nrebuilt  %s\n", a, b);
	else
		printf("not reproduced\nimage    %s\nrebuilt  %s\n", a, b);
	return print_differences(r, err);
}

static int judge(const struct args *args, const struct reproduce_report *r, struct err *err)
{
	bool content = args_has(args, "level") && strcmp(args_get(args, "level"), "content") == 0;

	if (print_verdict(args, r, err) < 0)
		return -1;
	if (r->verdict == REPRODUCED_IMAGE || (content && r->verdict == REPRODUCED_CONTENT))
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "not reproduced: %s", r->account);
}

static int run_with_keys(const struct args *args, struct reproduce_options *opt, struct err *err)
{
	auto_store store = NULL;
	auto_reproduce_report report = {0};

	if (cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	opt->cancel_fd = cancel;
	if (cancel < 0 || reproduce(store, opt, &report, err) < 0)
		return -1;
	return judge(args, &report, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *level = args_get(args, "level");
	struct reproduce_options opt = {
		.evidence = args->positional[0],
		.keep_dir = args_get(args, "keep"),
		.event = cli_progress,
	};
	struct key **keys = NULL;

	(void)ret_code;
	if (args_has(args, "key") == args_has(args, "unverified"))
		return err_set(err, ERR_USAGE, 0, "reproduce: give --key PUB.pem to check the evidence first, or --unverified to trust it");
	if (level != NULL && strcmp(level, "image") != 0 && strcmp(level, "content") != 0)
		return err_set(err, ERR_USAGE, 0, "--level %s: it is 'image' or 'content'", level);
	if (args_duration(args, "grace", &opt.grace_ms, err) < 0 ||
	    cli_read_public_keys(args, true, &keys, &opt.nkeys, err) < 0)
		return -1;
	opt.keys = (const struct key *const *)keys;
	int result = run_with_keys(args, &opt, err);
	cli_free_keys(keys, opt.nkeys);
	return result;
}

static const struct opt_def opts[] = {
	{ "key", "PUB", "check the provenance with this public key first; may be given several times", true },
	{ "unverified", NULL, "take an unsigned provenance as it is" },
	{ "level", "LEVEL", "image (default): the same image.tar; content: the same layers and config", .words = "image content" },
	{ "keep", "DIR", "leave the rebuilt image.tar there" },
	OPT_GRACE, OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

/** Of the design, for later. */
static const char *const later[] = { "vary", NULL };

const struct command cmd_reproduce = {
	"reproduce", "OUT_OR_EVIDENCE (--key PUB | --unverified) [OPTION]…", "build again from what the provenance names, and compare",
	opts, later, 1, 1, false, run,
};
