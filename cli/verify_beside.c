/* SPDX-License-Identifier: Apache-2.0 */
/* What lies beside the image in an out directory: people and tools read it as it is, so it must be what the provenance names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/verify.h"
#include "runner/manifests.h"
#include "runner/sbom.h"

/** Largest manifest: ten million lines. It is hashed as it is read, and never held. */
#define MANIFEST_MAX (4ull << 30)
/** Most files in the directory of manifests: more than a spec has sources. */
#define MANIFESTS_MAX 10000

/** @p want: NULL where the provenance names none. */
static int check_file(const char *path, const char *what, uint64_t max, const struct digest *want, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct digest is;
	struct stat st;

	/* One that was taken away misleads nobody. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (want == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' lies there, and the provenance names no such %s", path, what);
	/* What has no end is not read. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > max || hash_fd(fd, &is, NULL, err) < 0 ||
	    !digest_eq(&is, want))
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' is not the %s that the provenance names", path, what);
	return 0;
}

/** The path of @p name beside the image. */
static int beside(const struct verify_request *q, const char *name, struct buf *path, struct err *err)
{
	buf_add(path, q->digest_file, (size_t)(text_path_name(q->digest_file) - q->digest_file));
	buf_adds(path, name);
	return buf_check(path, "path", err);
}

/** The file @p name beside the image. */
static int check_beside(const struct verify_request *q, const char *name, const char *what, uint64_t max, const struct digest *want,
			struct err *err)
{
	auto_buf path = {0};

	return beside(q, name, &path, err) < 0 ? -1 : check_file(path.data, what, max, want, err);
}

static int check_sboms(const struct verify_request *q, const json_t *statement, struct err *err)
{
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++) {
		struct digest want;
		bool named = run_sbom_recorded(statement, i, &want);

		if (check_beside(q, sbom_kinds[i].file, "bill of materials", RUN_SBOM_MAX, named ? &want : NULL, err) < 0)
			return -1;
	}
	return 0;
}

/** The statements that lie there without a signature: of the run whose bundle lies beside them. */
static int check_statements(const struct verify_request *q, const struct attest_verified *v, struct err *err)
{
	struct digest tests, output;

	if (!q->beside)
		return 0;
	if (check_beside(q, EVIDENCE_STATEMENT, "statement", ATTEST_BUNDLE_MAX, &v->statement_digest, err) < 0)
		return -1;
	/* Older ones do not name it, but no manifests either. */
	bool named = attest_byproduct(v->statement, ATTEST_TESTS_BYPRODUCT, &tests);
	return !named && !attest_byproduct(v->statement, MANIFESTS_OUTPUT, &output) ? 0 :
	       check_beside(q, ATTEST_TESTS_BYPRODUCT, "test result", ATTEST_BUNDLE_MAX, named ? &tests : NULL, err);
}

/** All that lies where manifests do. */
static int check_manifests(const struct verify_request *q, const json_t *statement, struct err *err)
{
	size_t n = 0;
	auto_buf path = {0};
	const struct dirent *e;

	if (beside(q, MANIFESTS_DIR, &path, err) < 0)
		return -1;
	auto_dir dir = opendir(path.data);
	if (dir == NULL)
		return errno == ENOENT ? 0 : err_set(err, ERR_UNVERIFIED, errno, "not verified: '%s'", path.data);
	while ((e = readdir(dir)) != NULL) {
		auto_buf name = {0};
		struct digest want;

		if (e->d_name[0] == '.')
			continue;
		if (++n > MANIFESTS_MAX)
			return err_set(err, ERR_UNVERIFIED, 0, "not verified: more than %d files in '%s'", MANIFESTS_MAX, path.data);
		buf_addf(&name, MANIFESTS_DIR "%s", e->d_name);
		if (buf_check(&name, "path", err) < 0)
			return -1;
		bool named = attest_byproduct(statement, name.data, &want);
		if (check_beside(q, name.data, "manifest", MANIFEST_MAX, named ? &want : NULL, err) < 0)
			return -1;
	}
	return 0;
}

int verify_beside(const struct verify_request *q, const struct attest_verified *provenance, struct err *err)
{
	if (q->digest_file == NULL)
		return 0;
	return check_sboms(q, provenance->statement, err) < 0 || check_statements(q, provenance, err) < 0 ? -1 :
	       check_manifests(q, provenance->statement, err);
}
