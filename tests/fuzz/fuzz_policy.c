/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier's policy: whatever is read, every text is there, every count is within its list, and the threshold can be reached. */
#include <string.h>

#include "runner/verify_policy.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/here.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_verify_policy p = {0};
	struct err err = {0};

	if (verify_policy_read("p", (const char *)data, size, &p, &err) < 0) {
		MUST(err.kind == ERR_USAGE && err.msg[0] != '\0' && p.root == NULL);
		return 0;
	}
	MUST(p.threshold >= 1 && (p.nkeys == 0 || p.threshold <= p.nkeys));
	for (size_t i = 0; i < p.nkeys; i++)
		MUST(p.keys[i][0] != '\0');
	for (size_t i = 0; i < p.asks.nbuilders; i++)
		MUST(p.asks.builders[i].id[0] != '\0' && p.asks.builders[i].level >= 1 && p.asks.builders[i].level <= 3);
	for (size_t i = 0; i < p.asks.nparams; i++)
		MUST(p.asks.params[i].name != NULL && p.asks.params[i].value != NULL);
	for (size_t i = 0; i < p.nrequire; i++)
		MUST(attest_knows_kind(p.require[i]));
	MUST(p.asks.max_age >= 0);
	return 0;
}
