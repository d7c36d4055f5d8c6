/* SPDX-License-Identifier: Apache-2.0 */
/* Statements about an image whose predicate somebody else has made: bills of materials. */
#include "attest/attest.h"

#include "attest/statement.h"

int attest_document(const struct attest_document *d, struct buf *out, struct err *err)
{
	auto_json rest = json_pack("{s:s, s:o}", "predicateType", d->predicate_type, "subject",
				   statement_subjects(d->image_name, &d->image_digest, &d->image_tar_digest));
	auto_buf text = {0};

	if (rest == NULL)
		return err_set(err, ERR_INTERNAL, 0, "make a statement: a text in it is not UTF-8, or memory is short");
	if (json_canonical(rest, &text, err) < 0)
		return -1;
	/* Put together of canonical parts, in the order of their names, it is canonical itself: the document has megabytes, which need not be parsed and
	 * written once more. */
	buf_adds(out, "{\"_type\":\"" ATTEST_STATEMENT_TYPE "\",\"predicate\":");
	buf_add(out, d->predicate, d->npredicate);
	buf_addf(out, ",%s", text.data + 1);
	return buf_check(out, "statement", err);
}
