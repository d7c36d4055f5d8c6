/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/below.h"

#include <errno.h>

#include "oci/unlayer.h"

struct oci_below {
	struct rules *rules;
};

int oci_below_new(struct oci_below **ret, struct err *err)
{
	auto_oci_below below = calloc(1, sizeof *below);

	if (below != NULL)
		below->rules = rules_new();
	if (below == NULL || below->rules == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read the layers below");
	*ret = move_ptr(below);
	return 0;
}

void oci_below_free(struct oci_below *below)
{
	if (below == NULL)
		return;
	rules_free(below->rules);
	free(below);
}

int oci_below_read(struct oci_below *below, int fd, enum oci_compression codec, const struct oci_blob *blob, struct err *err)
{
	struct oci_blob actual;
	char text[DIGEST_STR_SIZE];

	if (unlayer_kept((struct slice){ fd, 0, blob->size }, codec, below->rules, &actual, err) < 0) {
		if (err->kind == ERR_UNVERIFIED)
			err->kind = ERR_INPUT;
		return err_ctx(err, "base image's layer %s", digest_str(&blob->digest, text));
	}
	if (!digest_eq(&actual.digest, &blob->digest))
		return err_set(err, ERR_INPUT, 0, "base image's layer %s: its bytes have another digest",
			       digest_str(&blob->digest, text));
	if (!digest_eq(&actual.diff_id, &blob->diff_id))
		return err_set(err, ERR_INPUT, 0, "base image's layer %s: decompressed, it has another digest than its config's diff ID",
			       digest_str(&blob->digest, text));
	return 0;
}

void below_next_layer(struct oci_below *below)
{
	rules_next_layer(below->rules);
}

int below_check(struct oci_below *below, const struct oci_entry *e, struct err *err)
{
	static const enum tar_type types[] = { [OCI_DIR] = TAR_DIR, [OCI_FILE] = TAR_FILE, [OCI_LINK] = TAR_LINK };

	if (e->type == OCI_DIR && rules_is_link(below->rules, e->path))
		return err_set(err, ERR_INPUT, 0, "in the layers below it is a symbolic link, and this would put a directory in its "
			       "place, which hides what the link led to; put the files where the link leads");
	return rules_put(below->rules, e->path, types[e->type], err);
}
