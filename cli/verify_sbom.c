/* SPDX-License-Identifier: Apache-2.0 */
/* The bills of materials that lie in an out directory: people and tools read them as they are, so they must be those that the provenance names. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/verify.h"
#include "runner/sbom.h"

/** @p want: NULL where the provenance names none. */
static int check_file(const char *path, const struct digest *want, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct digest is;
	struct stat st;

	/* One that was taken away misleads nobody. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (want == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' lies there, and the provenance names no such bill of materials", path);
	/* What has no end is not read. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > RUN_SBOM_MAX || hash_fd(fd, &is, NULL, err) < 0 ||
	    !digest_eq(&is, want))
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
		if (buf_check(&path, "path", err) < 0 || check_file(path.data, run_sbom_recorded(statement, i, &want) ? &want : NULL, err) < 0)
			return -1;
	}
	return 0;
}
