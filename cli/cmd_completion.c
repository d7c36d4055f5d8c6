/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"

static const struct {
	const char *shell;
	void (*write)(const struct places *, struct buf *);
} shells[] = {
	{ "bash", complete_bash }, { "zsh", complete_zsh }, { "fish", complete_fish },
};

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *shell = args->positional[0];
	struct places places;
	auto_buf script = {0};
	size_t i = 0;

	(void)ret_code;
	while (i < ARRAY_LEN(shells) && strcmp(shells[i].shell, shell) != 0)
		i++;
	if (i == ARRAY_LEN(shells))
		return err_set(err, ERR_USAGE, 0, "completion: no shell '%s'; there are bash, zsh and fish", shell);
	if (places_read(program_commands, &places, err) < 0)
		return -1;
	shells[i].write(&places, &script);
	if (buf_check(&script, "completion", err) < 0)
		return -1;
	fwrite(script.data, 1, script.len, stdout);
	return 0;
}

static const struct opt_def opts[] = { OPT_HELP, OPT_END };

const struct command cmd_completion = {
	"completion", "bash | zsh | fish", "print a script by which a shell completes commands and options", opts, NULL, 1, 1, false,
	run,
};
