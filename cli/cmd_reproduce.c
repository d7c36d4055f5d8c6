/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest/attest.h"
#include "cli/signed.h"
#include "inspect/inspect.h"
#include "runner/runner.h"

/** Most rounds of --rounds. */
#define ROUNDS_MAX 1000
/** Most properties of a verification result: how far, and one for each variation. */
#define PROPERTIES_MAX 16
#define PROPERTY_SIZE 64

static const char *verdict_name(enum reproduce_verdict v)
{
	static const char *const names[] = {
		[REPRODUCED_IMAGE] = "identical", [REPRODUCED_CONTENT] = "content", [NOT_REPRODUCED] = "different",
	};

	return names[v];
}

/* ---- what was found, for people and machines --------------------------------------------- */

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

/** Under what it was the same. */
static void print_varied(const struct reproduce_report *r)
{
	const json_t *one;
	size_t i;

	if (json_array_size(r->varied) == 0)
		return;
	fputs("varied   ", stdout);
	json_array_foreach(r->varied, i, one)
		printf("%s%s", i == 0 ? "" : ", ", json_string_value(one));
	printf(" (rounds: %u)\n", r->rounds);
}

/** What the build need not depend on, and does. */
static void print_fragile(const json_t *fragile)
{
	const json_t *one;
	size_t i;

	json_array_foreach(fragile, i, one) {
		printf("fragile  %s: ", json_str(one, "varied"));
		cli_print_safe(stdout, json_str(one, "account"));
	}
	if (fragile != NULL && json_array_size(fragile) == 0)
		puts("fragile  nothing");
}

static int print_json(const struct reproduce_report *r, const char *expected, const char *got, struct err *err)
{
	auto_json j = json_pack("{s:s, s:s, s:s, s:s, s:O?, s:s?, s:i, s:O?, s:O?}", "verdict", verdict_name(r->verdict), "expected", expected,
				"rebuilt", got, "account", r->account, "differences", r->differences, "brokenBy", r->broken_by, "rounds",
				(int)r->rounds, "varied", r->varied, "fragile", r->fragile);

	return j == NULL ? err_set(err, ERR_INTERNAL, 0, "print JSON: a text in it is not UTF-8, or memory is short") : cli_print_json(j, err);
}

static int print_verdict(const struct args *args, const struct reproduce_report *r, struct err *err)
{
	char a[DIGEST_STR_SIZE], b[DIGEST_STR_SIZE];

	digest_str(&r->expected, a);
	digest_str(&r->got, b);
	if (args_has(args, "json"))
		return print_json(r, a, b, err);
	if (r->verdict == REPRODUCED_IMAGE)
		printf("reproduced: identical\nimage    %s\n", b);
	else if (r->verdict == REPRODUCED_CONTENT)
		printf("reproduced: content identical, compression differs\nimage    %s\nrebuilt  %s\n", a, b);
	else if (r->broken_by == NULL)
		printf("not reproduced\nimage    %s\nrebuilt  %s\n", a, b);
	else
		printf("not reproduced in round %u, varied: %s\nimage    %s\n", r->rounds, r->broken_by, a);
	print_varied(r);
	print_fragile(r->fragile);
	return print_differences(r, err);
}

/* ---- and under signature -------------------------------------------------------------------- */

/** "readdir-order" → "GLOVEBOX_REPRODUCED_VARIED_READDIR_ORDER". */
static void property_of(const char *name, char *ret)
{
	int n = snprintf(ret, PROPERTY_SIZE, "GLOVEBOX_REPRODUCED_VARIED_%s", name);

	for (int i = n - (int)strlen(name); i < n; i++)
		ret[i] = ret[i] == '-' ? '_' : (char)toupper((unsigned char)ret[i]);
}

/** In words of glovebox's own: that it is the same, how far, and whatever of the host was changed. */
static int write_result(const struct args *args, const struct reproduce_report *r, const struct signer *signer, const struct ident *id,
			struct err *err)
{
	const char *properties[PROPERTIES_MAX];
	char varied[PROPERTIES_MAX][PROPERTY_SIZE];
	struct attest_findings findings = {
		.statement = r->statement, .verifier_id = args_get(args, "verifier-id"), .time = time(NULL), .properties = properties,
	};
	auto_buf statement = {0};
	const json_t *one;
	size_t i;

	properties[findings.nproperties++] = r->verdict == REPRODUCED_IMAGE ? "GLOVEBOX_REPRODUCED_IMAGE" : "GLOVEBOX_REPRODUCED_CONTENT";
	json_array_foreach(r->varied, i, one) {
		if (findings.nproperties == PROPERTIES_MAX)
			break;
		property_of(json_string_value(one), varied[i]);
		properties[findings.nproperties++] = varied[i];
	}
	if (r->fragile != NULL && json_array_size(r->fragile) == 0 && findings.nproperties < PROPERTIES_MAX)
		properties[findings.nproperties++] = "GLOVEBOX_REPRODUCED_FRAGILE_NOTHING";
	if (attest_svr(&findings, &statement, err) < 0 || cli_write_signed(signer, id, &statement, args_get(args, "svr"), err) < 0)
		return err_ctx(err, "--svr");
	return 0;
}

/* ---- the command ------------------------------------------------------------------------------ */

static int judge(const struct args *args, const struct reproduce_report *r, const struct signer *signer, const struct ident *id,
		 struct err *err)
{
	bool content = args_has(args, "level") && strcmp(args_get(args, "level"), "content") == 0;

	if (print_verdict(args, r, err) < 0)
		return -1;
	if (r->verdict == REPRODUCED_IMAGE || (content && r->verdict == REPRODUCED_CONTENT))
		return args_has(args, "svr") ? write_result(args, r, signer, id, err) : 0;
	return err_set(err, ERR_UNVERIFIED, 0, "not reproduced: %s", r->account);
}

static int run_with_keys(const struct args *args, struct reproduce_options *opt, struct err *err)
{
	auto_signer signer = SIGNER_NONE;
	auto_store store = NULL;
	auto_reproduce_report report = {0};

	if (cli_signer_start(args, "svr", "svr-key", &signer, err) < 0 || cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	opt->cancel_fd = cancel;
	if (cancel < 0 || reproduce(store, opt, &report, err) < 0)
		return -1;
	return judge(args, &report, &signer, store_ident(store), err);
}

/** What --vary, --rounds and --fragile ask. */
static int read_vary(const struct args *args, struct reproduce_options *opt, struct err *err)
{
	const char *rounds = args_get(args, "rounds");
	char *end = NULL;

	opt->vary = args_get(args, "vary");
	opt->fragile = args_has(args, "fragile");
	opt->rounds = 1;
	if (opt->vary != NULL && reproduce_vary_check(opt->vary, err) < 0)
		return -1;
	if (rounds == NULL)
		return 0;
	unsigned long n = isdigit((unsigned char)rounds[0]) ? strtoul(rounds, &end, 10) : 0;
	if (n < 1 || n > ROUNDS_MAX || *end != '\0')
		return err_set(err, ERR_USAGE, 0, "--rounds %s: it is a number from 1 to %d", rounds, ROUNDS_MAX);
	opt->rounds = (unsigned)n;
	return 0;
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
	if (args_has(args, "svr") && args_has(args, "unverified"))
		return err_set(err, ERR_USAGE, 0, "reproduce: --svr says something of a provenance that was checked: give its --key");
	if (level != NULL && strcmp(level, "image") != 0 && strcmp(level, "content") != 0)
		return err_set(err, ERR_USAGE, 0, "--level %s: it is 'image' or 'content'", level);
	if (read_vary(args, &opt, err) < 0 || args_duration(args, "grace", &opt.grace_ms, err) < 0 ||
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
	{ "vary", "LIST", "build again on a host that differs: all, or of cpus, host-path, host-uid, load, pids, readdir-order, time" },
	{ "rounds", "N", "how often (default: once)" },
	{ "fragile", NULL, "also tell whether the output depends on hostname, locale, path, time zone or uid inside" },
	{ "svr", "FILE", "once reproduced, write a signed statement of that there" },
	{ "svr-key", "KEY", "the private key (PEM) that signs it" },
	{ "verifier-id", "URI", "who reproduces, in its words" },
	OPT_PASSPHRASE_FD,
	{ "keep", "DIR", "leave the rebuilt image.tar there" },
	OPT_GRACE, OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_reproduce = {
	"reproduce", "OUT_OR_EVIDENCE (--key PUB | --unverified) [OPTION]…", "build again from what the provenance names, and compare",
	opts, NULL, 1, 1, false, run,
};
