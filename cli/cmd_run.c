/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/registry.h"
#include "runner/log.h"
#include "runner/runner.h"

/** Lines of a failed step's log that are shown. */
#define TAIL_LINES 20

/** The last lines of a text. */
static const char *last_lines(const char *text, size_t n, unsigned lines)
{
	const char *p = text + n;

	if (p > text && p[-1] == '\n')
		p--;
	for (; p > text; p--)
		if (p[-1] == '\n' && --lines == 0)
			break;
	return p;
}

/** Shows how the log of a failed step ends. */
static void show_log(const struct ident *id, const char *out_dir, const char *path)
{
	auto_buf name = {0};
	auto_buf text = {0};
	struct err ignored = {0};

	buf_addf(&name, "%s/%s", out_dir, path);
	if (name.failed || ident_read_begin(id, &ignored) < 0 ||
	    ident_read_done(id, io_read_file(AT_FDCWD, name.data, LOG_HEAD_MAX + 2 * LOG_TAIL_MAX, &text, &ignored),
			    &ignored) < 0 || text.len == 0)
		return;
	const char *line = last_lines(text.data, text.len, TAIL_LINES);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		auto_free char *one = strndup(line, len);

		fputs("  | ", stderr);
		cli_print_safe(stderr, one == NULL ? "" : one);
		line += len + (line[len] == '\n');
	}
}

static void show_failures(const struct ident *id, const char *out_dir, const json_t *result)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(result, "steps"), i, step)
		if (!json_is_true(json_object_get(step, "ok"))) {
			show_log(id, out_dir, json_str(json_object_get(step, "log"), "path"));
			cli_print_refused(json_object_get(step, "refused"));
		}
}

/** Where the image is now, besides the out directory. */
static void print_published(const json_t *published)
{
	const char *outcome = json_str(published, "outcome"), *reference = json_str(published, "reference");
	bool dry = strcmp(outcome, "dryRun") == 0;
	size_t i;
	json_t *tag;

	if (reference == NULL) {
		printf("pushed  no: %s\n", json_str(published, "reason"));
		return;
	}
	printf("pushed  %s%s\n", dry ? "no (dry run), would be " : "", reference);
	json_array_foreach(json_object_get(published, "tags"), i, tag)
		if (dry || json_is_true(json_object_get(tag, "given")))
			printf("tag     %s\n", json_str(tag, "reference"));
}

/** How to make up for what could not be published. */
static void show_later(const char *out_dir, const json_t *published)
{
	const json_t *later = json_object_get(published, "later");
	size_t i;
	json_t *command;

	if (later == NULL)
		return;
	fprintf(stderr, "glovebox: all results are in ");
	cli_print_safe(stderr, out_dir);
	fprintf(stderr, "glovebox: push the image later with\n");
	json_array_foreach(later, i, command) {
		fputs("  ", stderr);
		cli_print_safe(stderr, json_string_value(command));
	}
}

static int print_result(const struct args *args, const char *out, const struct run_report *r, struct err *err)
{
	char digest[DIGEST_STR_SIZE];

	if (args_has(args, "json"))
		return cli_print_json(r->result, err);
	if (!r->have_image)
		return 0;
	printf("image   %s\n", digest_str(&r->image, digest));
	printf("signed  %s\n", json_is_true(json_object_get(r->result, "signed"))
				       ? json_str(r->result, "keyId") : "no (give --key to sign; verify will refuse)");
	printf("files   %s\n", out);
	const json_t *published = json_object_get(r->result, "published");
	if (published != NULL)
		print_published(published);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *spec = args->positional[0];
	auto_free char *out = args_has(args, "out") ? strdup(args_get(args, "out")) : cli_default_out(spec);
	auto_store store = NULL;
	auto_plan plan = NULL;
	auto_run_report report = {0};
	struct cli_passphrase from = {0};
	const struct key_passphrase passphrase = { cli_passphrase, &from };
	struct run_options opt = {
		.out_dir = out,
		.out_implied = !args_has(args, "out"),
		.key_path = args_get(args, "key"),
		.passphrase = &passphrase,
		.builder_id = args_get(args, "builder-id"),
		.no_cache = args_has(args, "no-cache"),
		.evidence = args_get(args, "evidence"),
		.event = args_has(args, "quiet") ? NULL : cli_progress,
	};

	auto_cli_registry registry = {0};
	const struct plan_options how = { .out_dir = out, .key_path = opt.key_path, .net = &registry.net, .registry = &registry.conf,
					  .publish = args_has(args, "publish") };
	const struct run_publish publish = { .registry = &registry.conf, .dry_run = args_has(args, "dry-run") };

	(void)ret_code;
	if (publish.dry_run && !how.publish)
		return err_set(err, ERR_USAGE, 0, "--dry-run goes with --publish: what would be published is what it tells");
	if (out == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "path of the out directory");
	if (args_duration(args, "grace", &opt.grace_ms, err) < 0 || cli_passphrase_fd(args, &from.fd, err) < 0 ||
	    cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	opt.cancel_fd = cancel;
	opt.publish = how.publish ? &publish : NULL;
	if (cancel < 0 || cli_registry_open(args, cancel, store_ident(store), &registry, err) < 0 ||
	    plan_resolve(store, spec, &how, &plan, err) < 0)
		return -1;
	int result = run_plan(store, plan, &opt, &report, err);
	if (report.result == NULL)
		return result;
	if (result < 0) {
		show_failures(store_ident(store), out, report.result);
		show_later(out, json_object_get(report.result, "published"));
	}
	struct err printing = {0};
	if (print_result(args, out, &report, &printing) < 0 && result == 0) {
		*err = printing;
		return -1;
	}
	return result;
}

static const struct opt_def opts[] = {
	{ "out", "DIR", "where the results go (default: 'out' beside the spec)" },
	{ "key", "KEY", "sign the provenance with this private key (PEM)" },
	OPT_PASSPHRASE_FD,
	{ "builder-id", "URI", "who builds, for the provenance (default: this program on somebody's own machine)" },
	{ "publish", NULL, "when all is well, push the image and its attestations to spec.build.artifact.imageName" },
	{ "dry-run", NULL, "with --publish: say what would go where, and push nothing" },
	{ "evidence", "FILE", "also write image, attestation and all inputs to one OCI archive, for verify and reproduce" },
	{ "no-cache", NULL, "take no result from the cache; record them all the same" },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_GRACE, { "quiet", NULL, "no progress on standard error" }, OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

/** Of the design, for later. */
static const char *const later[] = { "jobs", "only", "secret", "progress", "events", NULL };

const struct command cmd_run = {
	"run", "SPEC [OPTION]…", "run a whole spec: build, test, pack, sign", opts, later, 1, 1, false, run,
};
