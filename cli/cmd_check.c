/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "runner/runner.h"

static int print_buf(int (*make)(struct buf *, struct err *), struct err *err)
{
	auto_buf text = {0};

	if (make(&text, err) < 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static int check_spec(const char *path, struct err *err)
{
	auto_spec spec = NULL;

	if (spec_read(path, &spec, err) < 0 || lock_check(path, spec, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->nunsupported; i++)
		fprintf(stderr, "%s:%u:%u: note: %s: accepted, but 'run' refuses it in this version\n",
			spec_file(spec, spec->unsupported[i].pos), spec->unsupported[i].pos.line, spec->unsupported[i].pos.col, spec->unsupported[i].field);
	printf("%s: valid\n", path);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	(void)ret_code;
	if (args_has(args, "schema"))
		return print_buf(spec_json_schema, err);
	if (args_has(args, "fields"))
		return print_buf(spec_fields_scdoc, err);
	if (args->npositional == 0)
		return err_set(err, ERR_USAGE, 0, "check: which spec? usage: glovebox check SPEC");
	return check_spec(args->positional[0], err);
}

static const struct opt_def opts[] = {
	{ "schema", NULL, "print the JSON Schema of a BuildSpec" },
	{ "fields", NULL, "print the field list of glovebox-spec(5), as scdoc" },
	OPT_HELP, OPT_END,
};

const struct command cmd_check = {
	"check", "SPEC | --schema | --fields", "validate a spec without running anything", opts, NULL, 0, 1, false, run,
};
