/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "cli/cli.h"
#include "profiles/profiles.h"

/** Prints the findings as compilers do. */
static void print(const char *file, const json_t *findings)
{
	size_t i;
	json_t *one;

	json_array_foreach(findings, i, one) {
		auto_buf line = {0};

		buf_addf(&line, "%s:%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT ": %s: %s", file,
			 json_integer_value(json_object_get(one, "line")), json_integer_value(json_object_get(one, "column")),
			 json_str(one, "severity"), json_str(one, "message"));
		cli_print_safe(stdout, line.data == NULL ? "" : line.data);
	}
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *file = args->positional[0];
	auto_buf text = {0};
	auto_json findings = NULL;

	if (io_read_file(AT_FDCWD, file, PROFILE_TEXT_MAX, &text, err) < 0)
		return err_ctx(err, "profile '%s'", file);
	if (profile_check(file, text.data == NULL ? "" : text.data, text.len, &findings, err) < 0)
		return -1;
	*ret_code = profile_found_error(findings) ? ERR_USAGE : 0;
	if (args_has(args, "json"))
		return cli_print_json(findings, err);
	print(file, findings);
	if (json_array_size(findings) == 0)
		printf("%s: good\n", file);
	return 0;
}

static const struct opt_def opts[] = { OPT_JSON, OPT_HELP, OPT_END };

const struct command cmd_profile_check = {
	"profile check", "FILE [OPTION]…", "look for what a profile contradicts itself in, or hardly means", opts, NULL, 1, 1, false, run,
};
