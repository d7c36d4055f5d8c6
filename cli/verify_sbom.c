/* SPDX-License-Identifier: Apache-2.0 */
/* The bills of materials that lie in an out directory: people and tools read them as they are, so they must be those that the provenance names. */
#include <fcntl.h>
#include <string.h>

#include "cli/verify.h"
#include "inspect/sbom.h"

/** The digest that the provenance has of the file, @p ret. @return whether it has. */
static bool recorded(const json_t *statement, const char *name, struct digest *ret)
{
	const json_t *list = json_object_get(json_object_get(json_object_get(statement, "predicate"), "runDetails"), "byproducts"), *one;
	size_t i;

	json_array_foreach(list, i, one) {
		const char *is = json_str(one, "name"), *hex = json_str(json_object_get(one, "digest"), "sha256");

		if (is != NULL && hex != NULL && strcmp(is, name) == 0)
			return digest_parse_hex(hex, ret);
	}
	return false;
}

static int check_file(const char *path, const struct digest *want, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct digest is;

	/* One that was taken away misleads nobody. */
	if (fd < 0)
		return 0;
	if (hash_fd(fd, &is, NULL, err) < 0 || !digest_eq(&is, want))
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' is not the bill of materials that the provenance names", path);
	return 0;
}

int verify_sbom_files(const struct verify_request *q, const json_t *statement, struct err *err)
{
	for (enum sbom_format i = 0; q->digest_file != NULL && i < SBOM_FORMATS; i++) {
		auto_buf path = {0};
		struct digest want;

		buf_add(&path, q->digest_file, (size_t)(text_path_name(q->digest_file) - q->digest_file));
		buf_adds(&path, sbom_kinds[i].file);
		if (buf_check(&path, "path", err) < 0 || (recorded(statement, sbom_kinds[i].file, &want) && check_file(path.data, &want, err) < 0))
			return -1;
	}
	return 0;
}
