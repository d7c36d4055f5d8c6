/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/** How attestations beside an image are called. */
#define BUNDLE_SUFFIX ".sigstore.json"
#define PROVENANCE "provenance" BUNDLE_SUFFIX

void verify_request_clear(struct verify_request *q)
{
	for (size_t i = 0; i < q->nbundles; i++) {
		free(q->bundles[i].path);
		buf_free(&q->bundles[i].bytes);
	}
	for (size_t i = 0; i < q->ntexts; i++)
		free(q->texts[i]);
	cli_free_keys(q->keys, q->nkeys);
	free(q->bundles);
	free(q->texts);
	free(q->params);
	free(q->sources);
	free(q->require);
	free(q->image);
	free(q->digest_file);
	verify_policy_clear(&q->file);
	evidence_file_close(&q->evidence);
	own_fd(&q->image_fd);
	own_fd(&q->evidence_fd);
	*q = VERIFY_REQUEST_NONE;
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "verify");
}

/** A copy of @p n bytes of text that lives as long as the request; NULL: memory is short. */
static const char *keep_text(struct verify_request *q, const char *text, size_t n)
{
	char **grown = realloc(q->texts, (q->ntexts + 1) * sizeof *grown);

	if (grown == NULL)
		return NULL;
	q->texts = grown;
	grown[q->ntexts] = strndup(text, n);
	return grown[q->ntexts] == NULL ? NULL : grown[q->ntexts++];
}

/* ---- bundles ------------------------------------------------------------------------- */

/** Evidence that is not there does not verify; nor does a bundle that is too large to be one, or no file. */
static int unreadable(const char *path, struct err *err)
{
	if (err->kind == ERR_USAGE || err->kind == ERR_INPUT)
		err->kind = ERR_UNVERIFIED;
	if (err->sys == ENOENT && strcmp(text_path_name(path), PROVENANCE) == 0)
		return err_ctx(err, "not verified: no signed provenance (was the run given --key?)");
	return err->kind == ERR_UNVERIFIED ? err_ctx(err, "not verified") : -1;
}

/** How many bytes the next bundle may have. */
static size_t room_for_bundle(const struct verify_request *q)
{
	size_t used = 0;

	for (size_t i = 0; i < q->nbundles; i++)
		used += q->bundles[i].bytes.len;
	return VERIFY_BYTES_MAX - used < ATTEST_BUNDLE_MAX ? VERIFY_BYTES_MAX - used : ATTEST_BUNDLE_MAX;
}

static int add_bundle(struct verify_request *q, const char *path, struct err *err)
{
	if (q->nbundles == VERIFY_BUNDLES_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: more than %d bundles", VERIFY_BUNDLES_MAX);
	struct verify_bundle *b = &q->bundles[q->nbundles];
	size_t room = room_for_bundle(q);
	if (io_read_file(AT_FDCWD, path, room, &b->bytes, err) < 0) {
		if (room < ATTEST_BUNDLE_MAX && err->kind == ERR_USAGE)
			(void)err_ctx(err, "bundles of more than %u bytes together", VERIFY_BYTES_MAX);
		return unreadable(path, err);
	}
	b->path = strdup(path);
	q->nbundles++;
	return b->path == NULL ? no_memory(err) : 0;
}

/** scandir(3)'s question. */
static int is_other_bundle(const struct dirent *d)
{
	size_t n = strlen(d->d_name), tail = strlen(BUNDLE_SUFFIX);

	return n > tail && strcmp(d->d_name + n - tail, BUNDLE_SUFFIX) == 0 && strcmp(d->d_name, PROVENANCE) != 0;
}

/** The other bundles in a directory, in the order of their names. */
static int add_others(struct verify_request *q, const char *dir, struct err *err)
{
	struct dirent **names;
	int n = scandir(dir[0] == '\0' ? "." : dir, &names, is_other_bundle, alphasort), result = 0;

	if (n < 0)
		return err_set(err, ERR_INPUT, errno, "list '%s'", dir);
	for (int i = 0; i < n; i++) {
		auto_buf path = {0};

		buf_addf(&path, "%s%s", dir, names[i]->d_name);
		if (result == 0)
			result = path.failed ? no_memory(err) : add_bundle(q, path.data, err);
		free(names[i]);
	}
	free(names);
	return result;
}

/** Whether something is asked of more than the provenance. */
static bool asks_more(const struct verify_request *q)
{
	return q->nrequire > 0 || q->file.tests_passed;
}

/** Bundles in the directory of the image, which ends in a slash or is empty: the provenance, and the rest where something is asked of that. */
static int add_beside(struct verify_request *q, const char *dir, struct err *err)
{
	auto_buf path = {0};

	q->beside = true;
	buf_addf(&path, "%s" PROVENANCE, dir);
	if (buf_check(&path, "path", err) < 0 || add_bundle(q, path.data, err) < 0)
		return -1;
	return asks_more(q) ? add_others(q, dir, err) : 0;
}

/* ---- evidence in one file ------------------------------------------------------------- */

/** A file without a name, for an image that has to be put together. */
static int temporary_file(int *ret, struct err *err)
{
	const char *dir = getenv("TMPDIR");
	auto_buf path = {0};

	buf_addf(&path, "%s/glovebox-XXXXXX", dir == NULL || dir[0] == '\0' ? "/tmp" : dir);
	if (buf_check(&path, "path", err) < 0)
		return -1;
	int fd = mkostemp(path.data, O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a temporary file in '%s'", dir == NULL || dir[0] == '\0' ? "/tmp" : dir);
	(void)unlink(path.data);
	*ret = fd;
	return 0;
}

/** The test result in evidence, where that has one. */
static int add_tests(struct verify_request *q, const char *path, struct err *err)
{
	struct verify_bundle *b = &q->bundles[q->nbundles];
	struct err none = {0};

	if (evidence_file_attestation(&q->evidence, EVIDENCE_TESTS_BUNDLE, &b->bytes, &none) < 0) {
		if (none.sys == ENOENT)
			return 0;
		*err = none;
		return -1;
	}
	b->path = strdup(path);
	q->nbundles++;
	return b->path == NULL ? no_memory(err) : 0;
}

/** Takes image and attestations out of the file, where it is evidence; *@p ret_is whether it was. */
static int take_evidence(struct verify_request *q, const char *path, bool *ret_is, struct err *err)
{
	struct verify_bundle *b = &q->bundles[0];

	q->evidence_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	*ret_is = q->evidence_fd >= 0 && evidence_file_is(q->evidence_fd);
	if (!*ret_is)
		return 0;
	b->path = strdup(path);
	q->nbundles = 1;
	if (b->path == NULL)
		return no_memory(err);
	if (evidence_file_open(q->evidence_fd, &q->evidence, err) < 0 || evidence_file_attestation(&q->evidence, EVIDENCE_BUNDLE, &b->bytes, err) < 0 ||
	    (asks_more(q) && add_tests(q, path, err) < 0) ||
	    temporary_file(&q->image_fd, err) < 0 || evidence_file_image(&q->evidence, q->image_fd, err) < 0 ||
	    lseek(q->image_fd, 0, SEEK_SET) < 0)
		return err_ctx(err, "not verified: '%s'", path);
	return 0;
}

static int find_places(const struct args *args, struct verify_request *q, struct err *err)
{
	const char *what = args->positional[0], *given;
	auto_free char *dir = NULL;
	struct stat st;
	int n;

	if (stat(what, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "'%s'", what);
	if (S_ISDIR(st.st_mode)) {
		n = asprintf(&dir, "%s/", what) < 0 || asprintf(&q->image, "%s/image.tar", what) < 0 ||
		    asprintf(&q->digest_file, "%s/image.digest", what) < 0;
	} else {
		dir = strndup(what, (size_t)(text_path_name(what) - what));
		q->image = strdup(what);
		n = dir == NULL || q->image == NULL;
	}
	q->bundles = calloc(VERIFY_BUNDLES_MAX, sizeof *q->bundles);
	if (n || q->bundles == NULL)
		return no_memory(err);
	bool evidence = false;
	if (q->digest_file == NULL && take_evidence(q, what, &evidence, err) < 0)
		return -1;
	for (size_t i = 0; (given = args_nth(args, "bundle", i)) != NULL; i++)
		if (add_bundle(q, given, err) < 0)
			return -1;
	return args_has(args, "bundle") || evidence ? 0 : add_beside(q, dir, err);
}

/* ---- what is asked -------------------------------------------------------------------- */

static int read_policy(const struct args *args, struct verify_request *q, struct err *err)
{
	auto_buf text = {0};

	q->policy_path = args_get(args, "policy");
	if (q->policy_path == NULL) {
		q->threshold = 1;
		return 0;
	}
	if (io_read_file(AT_FDCWD, q->policy_path, VERIFY_POLICY_MAX, &text, err) < 0 ||
	    verify_policy_read(q->policy_path, text.data == NULL ? "" : text.data, text.len, &q->file, err) < 0)
		return err_ctx(err, "--policy");
	q->threshold = q->file.threshold;
	return 0;
}

/** Those of --key, and those that the policy names: their files lie where it says, seen from its own directory. */
static int read_keys(const struct args *args, struct verify_request *q, struct err *err)
{
	const char *given;
	size_t n = 0, dir = q->policy_path == NULL ? 0 : (size_t)(text_path_name(q->policy_path) - q->policy_path);

	while (args_nth(args, "key", n) != NULL)
		n++;
	q->keys = calloc(n + q->file.nkeys + 1, sizeof(struct key *));
	if (q->keys == NULL)
		return no_memory(err);
	for (size_t i = 0; (given = args_nth(args, "key", i)) != NULL; i++, q->nkeys++)
		if (cli_read_public_key(given, &q->keys[q->nkeys], err) < 0)
			return err_ctx(err, "--key");
	for (size_t i = 0; i < q->file.nkeys; i++, q->nkeys++) {
		auto_buf path = {0};

		if (q->file.keys[i][0] != '/')
			buf_add(&path, q->policy_path, dir);
		buf_adds(&path, q->file.keys[i]);
		if (buf_check(&path, "path", err) < 0 || cli_read_public_key(path.data, &q->keys[q->nkeys], err) < 0)
			return err_ctx(err, "--policy: keys");
	}
	if (q->nkeys == 0)
		return err_set(err, ERR_USAGE, 0, "verify: whose signature counts? give --key PUB.pem, or a --policy that names keys");
	return 0;
}

/** --param's, and the policy's. */
static int read_params(const struct args *args, struct verify_request *q, struct err *err)
{
	size_t n = 0, nfile = q->file.asks.nparams;
	const char *value;

	q->params = calloc(args->ngiven + nfile + 1, sizeof *q->params);
	if (q->params == NULL)
		return no_memory(err);
	for (; (value = args_nth(args, "param", n)) != NULL; n++) {
		const char *eq = strchr(value, '=');

		if (eq == NULL || eq == value)
			return err_set(err, ERR_USAGE, 0, "--param %s: write it as NAME=VALUE", value);
		q->params[n] = (struct oci_kv){ keep_text(q, value, (size_t)(eq - value)), eq + 1 };
		if (q->params[n].name == NULL)
			return no_memory(err);
	}
	for (size_t i = 0; i < nfile; i++)
		q->params[n + i] = q->file.params[i];
	q->policy.params = q->params;
	q->policy.nparams = n + nfile;
	return 0;
}

/** --source's, and the policy's. */
static int read_sources(const struct args *args, struct verify_request *q, struct err *err)
{
	size_t n = 0;
	const char *value;

	q->sources = calloc(args->ngiven + q->file.asks.nsources + 1, sizeof *q->sources);
	if (q->sources == NULL)
		return no_memory(err);
	for (size_t i = 0; (value = args_nth(args, "source", i)) != NULL; i++)
		q->sources[n++] = value;
	for (size_t i = 0; i < q->file.asks.nsources; i++)
		q->sources[n++] = q->file.sources[i];
	q->policy.sources = q->sources;
	q->policy.nsources = n;
	return 0;
}

/** One word of --require. */
static int add_required(struct verify_request *q, const char *word, size_t n, struct err *err)
{
	const char *kind = keep_text(q, word, n);

	if (kind == NULL)
		return no_memory(err);
	if (!attest_knows_kind(kind))
		return err_set(err, ERR_USAGE, 0, "--require %s: no such kind of attestation; it is provenance, sbom, svr, test-result, vsa, vulns, "
			       "or a predicate type (a URI)", kind);
	q->require[q->nrequire++] = kind;
	return 0;
}

/** --require's list, and the policy's. */
static int read_required(const struct args *args, struct verify_request *q, struct err *err)
{
	const char *list = args_get(args, "require");

	q->require = calloc((list == NULL ? 0 : strlen(list) + 1) + q->file.nrequire + 1, sizeof *q->require);
	if (q->require == NULL)
		return no_memory(err);
	while (list != NULL) {
		size_t n = strcspn(list, ",");

		if (add_required(q, list, n, err) < 0)
			return -1;
		list = list[n] == ',' ? list + n + 1 : NULL;
	}
	for (size_t i = 0; i < q->file.nrequire; i++)
		q->require[q->nrequire++] = q->file.require[i];
	return 0;
}

static int fill(const struct args *args, struct verify_request *q, struct err *err)
{
	if (read_policy(args, q, err) < 0)
		return -1;
	q->policy = q->file.asks;
	q->policy.builder_id = args_get(args, "builder-id");
	q->policy.now = time(NULL);
	q->deep = args_has(args, "deep");
	if (read_keys(args, q, err) < 0 || read_params(args, q, err) < 0 || read_sources(args, q, err) < 0 ||
	    read_required(args, q, err) < 0)
		return -1;
	q->policy.keys = (const struct key *const *)q->keys;
	q->policy.nkeys = q->nkeys;
	return find_places(args, q, err);
}

int verify_request(const struct args *args, struct verify_request *ret, struct err *err)
{
	auto_verify_request q = VERIFY_REQUEST_NONE;

	if (fill(args, &q, err) < 0)
		return -1;
	*ret = q;
	q = VERIFY_REQUEST_NONE;
	return 0;
}
