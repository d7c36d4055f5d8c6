/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzer (libFuzzer) of what a step writes about its tests. The same input is tried as a report, whose rows must then be taken, and
 * as rows, which nobody believes. Beyond no crash and no leak: what is accepted has a name that can be shown and a count for each case.
 */
#include <string.h>

#include "runner/junit.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct junit *j)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(j->count); i++)
		n += j->count[i];
	MUST(n == j->n && n <= JUNIT_CASES_MAX);
	for (size_t i = 0; i < j->n; i++)
		MUST(j->v[i].name[0] != '\0' && strlen(j->v[i].name) <= JUNIT_NAME_MAX && text_is_utf8(j->v[i].name));
}

static void try_report(const char *data, size_t size)
{
	struct err err = {0};
	auto_buf rows = {0};
	auto_junit j = {0};

	if (junit_parse(data, size, &rows, &err) < 0) {
		MUST(err.kind == ERR_STEP && err.msg[0] != '\0');
		return;
	}
	MUST(junit_take(rows.data == NULL ? "" : rows.data, rows.len, &j));
	check(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_junit j = {0};

	try_report((const char *)data, size);
	if (junit_take((const char *)data, size, &j))
		check(&j);
	else
		MUST(j.v == NULL);
	return 0;
}
