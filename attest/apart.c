/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations read by a confined child, which says: a struct told, and the statement as a row of JSON. */
#include <errno.h>
#include <string.h>

#include "attest/statement.h"

struct told {
	struct digest digest;
	char key_id[sizeof ((struct attest_verified *)NULL)->key_id];
};

/** An attestation in its reader. */
struct reading {
	const char *text;
	size_t n;
	const struct attest_policy *policy;
};

static int read_apart(void *arg, int out, struct err *err)
{
	const struct reading *r = arg;
	auto_attest_verified v = {0};
	struct told t = {0};
	auto_buf text = {0};
	int result = r->policy != NULL ? attest_verify_bundle(r->text, r->n, r->policy, &v, err)
				       : attest_read_statement(r->text, r->n, &v.statement, err);

	if (result < 0)
		return -1;
	t.digest = v.statement_digest;
	memcpy(t.key_id, v.key_id, sizeof t.key_id);
	buf_add(&text, &t, sizeof t);
	json_to_row(v.statement, &text);
	return buf_check(&text, "statement", err) < 0 ? -1 : io_write_all(out, text.data, text.len, err);
}

int attest_verify_apart(const char *text, size_t n, const struct attest_policy *policy, struct attest_verified *ret, struct err *err)
{
	struct reading r = { text, n, policy };
	const struct confine_conf conf = { .what = "the reader of the provenance", .fn = read_apart, .arg = &r, .kind = ERR_UNVERIFIED };
	auto_attest_verified v = {0};
	auto_buf said = {0};
	struct told t;

	if (confine_run(&conf, sizeof t + 8 * (size_t)ATTEST_BUNDLE_MAX, &said, err) < 0)
		return -1;
	if (said.len < sizeof t || json_from_row(said.data + sizeof t, said.len - sizeof t, &v.statement) < 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s says what makes no sense", conf.what);
	memcpy(&t, said.data, sizeof t);
	v.statement_digest = t.digest;
	memcpy(v.key_id, t.key_id, strnlen(t.key_id, sizeof t.key_id - 1));
	/* What others rely on is asked here once more. */
	if (statement_check(v.statement, err) < 0)
		return -1;
	*ret = v;
	v.statement = NULL;
	return 0;
}
