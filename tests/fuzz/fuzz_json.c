/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzer (libFuzzer) of base/json.h: whatever json_parse() accepts has a canonical
 * form that is accepted, means the same, and is its own canonical form; the pretty
 * form leads to it too. And json_bytes() has a value for every input.
 */
#include <string.h>

#include "base/json.h"
#include "tests/fuzz/fuzz.h"

/** The canonical form of a text that must be valid. */
static void canonical_of(const struct buf *text, struct buf *out)
{
	struct err err = {0};
	auto_json j = NULL;

	MUST(json_parse(text->data, text->len, "fuzz", ERR_INPUT, &j, &err) == 0);
	MUST(json_canonical(j, out, &err) == 0);
}

static void check_round_trip(const json_t *j)
{
	struct err err = {0};
	auto_buf canonical = {0};
	auto_buf again = {0};
	auto_buf pretty = {0};
	auto_buf from_pretty = {0};

	MUST(json_canonical(j, &canonical, &err) == 0);
	MUST(memchr(canonical.data, '\n', canonical.len) == NULL);
	canonical_of(&canonical, &again);
	MUST(again.len == canonical.len && memcmp(again.data, canonical.data, again.len) == 0);
	MUST(json_pretty(j, &pretty, &err) == 0);
	canonical_of(&pretty, &from_pretty);
	MUST(from_pretty.len == canonical.len && memcmp(from_pretty.data, canonical.data, canonical.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_json j = NULL;
	auto_json bytes = json_bytes((const char *)data, size);

	MUST(bytes != NULL);
	/* What a child that was taken over could say. */
	if (json_from_row((const char *)data, size, &j) == 0)
		check_round_trip(j);
	json_decref(j);
	j = NULL;
	if (json_parse((const char *)data, size, "fuzz", ERR_INPUT, &j, &err) < 0) {
		MUST(j == NULL && err.kind == ERR_INPUT && err.msg[0] != '\0');
		return 0;
	}
	check_round_trip(j);
	return 0;
}
