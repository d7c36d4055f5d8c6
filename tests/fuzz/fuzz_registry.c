/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzer (libFuzzer) of what is parsed by hand of references and challenges. The same input is tried as both. Beyond no
 * crash and no leak: a reference that is accepted is put together again from its parts, and a failure touches nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch/registry_client.h"
#include "tests/fuzz/fuzz.h"

static void try_reference(const char *text)
{
	struct err err = {0};
	auto_registry_ref r = {0};
	auto_buf again = {0};
	char digest[DIGEST_STR_SIZE];

	if (registry_ref_parse(text, &r, &err) < 0) {
		MUST(err.kind == ERR_USAGE && r.host == NULL);
		return;
	}
	buf_addf(&again, "%s/%s", r.host, r.path);
	if (r.tag != NULL)
		buf_addf(&again, ":%s", r.tag);
	if (r.pinned)
		buf_addf(&again, "@%s", digest_str(&r.digest, digest));
	MUST(!again.failed && strcmp(again.data, text) == 0);
}

static void try_challenge(const char *text)
{
	struct err err = {0};
	struct challenge c;

	if (challenge_read(text, &c, &err) < 0)
		MUST(err.kind == ERR_INPUT);
	else
		MUST(strlen(c.realm) < sizeof c.realm && strlen(c.service) < sizeof c.service && strlen(c.scope) < sizeof c.scope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	try_reference(text);
	try_challenge(text);
	free(text);
	return 0;
}
