/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer entry: any bytes as a spec. Besides memory safety: a refusal says where, and
 * what is accepted keeps the promises of spec.h. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spec/spec.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/here.h"

#define FILE_NAME "fuzz.yaml"

static void must(int truth)
{
	if (!truth)
		abort();
}

static void must_be_utf8(const char *s)
{
	size_t n = strlen(s), len;

	for (size_t i = 0; i < n; i += len) {
		len = text_utf8_len(s + i, n - i);
		must(len != 0);
	}
}

static void check_step(const struct spec_step *step)
{
	must(text_is_name(step->name));
	must((step->command.shell != NULL) != (step->command.argv.n > 0));
	must(text_path_is_absolute(step->workdir));
	if (step->command.shell != NULL)
		must_be_utf8(step->command.shell);
}

static void check_spec(const struct spec *spec)
{
	must(text_is_name(spec->name));
	must(spec->nsources > 0);
	for (size_t i = 0; i < spec->nsources; i++) {
		must(text_is_name(spec->sources[i].name));
		must(text_path_is_absolute(spec->sources[i].mount));
		must_be_utf8(spec->sources[i].path);
	}
	check_step(&spec->build);
	for (size_t i = 0; i < spec->ntests; i++)
		check_step(&spec->tests[i]);
	for (size_t i = 0; i < spec->env.n; i++)
		must_be_utf8(spec->env.v[i].value);
	must(spec->uid == 0 || (spec->uid >= 1000 && spec->uid <= 65533));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec *spec = NULL;
	struct err err = {0};

	if (spec_parse(FILE_NAME, (const char *)data, size, &spec, &err) < 0) {
		must(spec == NULL);
		must(err.kind == ERR_USAGE);
		must(text_starts(err.msg, FILE_NAME ":"));
		return 0;
	}
	check_spec(spec);
	spec_free(spec);
	return 0;
}
