/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** What the reader of hostile files may use: the paths of an image's layers are remembered, and zstd's window is 128 MiB. */
#define READER_MEMORY (1ull << 30)
/** A layer of the largest size that is read takes minutes. */
#define READER_CPU_S 3600
#define READER_WALL_MS (24u * 3600 * 1000)
/** Longest answer: the statement of one provenance, and a line for each bundle. */
#define ANSWER_MAX (8 * (size_t)ATTEST_BUNDLE_MAX)

void verify_verdict_clear(struct verify_verdict *v)
{
	attest_verified_clear(&v->provenance);
	json_decref(v->attestations);
	*v = (struct verify_verdict){0};
}

/* ---- in the confined process: nothing but bytes that are there already ------------------ */

/** The bundles, verified. */
struct judged {
	struct attest_verified v[VERIFY_BUNDLES_MAX];
	bool build[VERIFY_BUNDLES_MAX];   /**< it is a provenance of glovebox's */
	size_t n, main;                   /**< and the first of those */
};

static void judged_clear(struct judged *j)
{
	for (size_t i = 0; i < j->n; i++)
		attest_verified_clear(&j->v[i]);
}

static int judge_bundle(const struct verify_request *q, size_t i, struct judged *j, struct err *err)
{
	const struct verify_bundle *b = &q->bundles[i];
	const char *text = b->bytes.data == NULL ? "" : b->bytes.data;
	int result;

	/* One alone can only be a provenance, and is told what is wrong with it as one. */
	if (q->nbundles == 1) {
		result = attest_verify_bundle(text, b->bytes.len, &q->policy, &j->v[i], err);
		j->build[i] = true;
	} else {
		result = attest_verify_other(text, b->bytes.len, &q->policy, &j->v[i], &j->build[i], err);
	}
	if (result < 0)
		return err_ctx(err, "not verified: '%s'", b->path);
	j->n++;
	return 0;
}

/** A test result is that of a run which is given a provenance of. */
static int check_run(const struct judged *j, const struct attest_verified *v, struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < j->n && attest_is_kind(v, "test-result"); i++) {
		if (!j->build[i])
			continue;
		result = attest_same_run(&j->v[i], v, err);
		if (result == 0)
			break;
	}
	return result;
}

/** All of them are about the image that the provenance is about. */
static int check_about(const struct verify_request *q, const struct judged *j, struct err *err)
{
	struct digest image, tar;

	if (attest_image_subjects(j->v[j->main].statement, &image, &tar, err) < 0)
		return err_ctx(err, "not verified: '%s'", q->bundles[j->main].path);
	for (size_t i = 0; i < j->n; i++)
		if (attest_about(&j->v[i], &image, &tar, err) < 0 || check_run(j, &j->v[i], err) < 0)
			return err_ctx(err, "not verified: '%s'", q->bundles[i].path);
	return 0;
}

/** As many keys as are asked for have signed a provenance; one that has signed two counts once. */
static int check_threshold(const struct verify_request *q, const struct judged *j, struct err *err)
{
	unsigned n = 0;

	for (size_t i = 0; i < j->n; i++) {
		size_t k = 0;

		while (k < i && !(j->build[k] && strcmp(j->v[k].key_id, j->v[i].key_id) == 0))
			k++;
		n += j->build[i] && k == i;
	}
	if (n >= q->threshold)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "not verified: policy: %u of the keys signed a provenance, %u must have", n, q->threshold);
}

static int check_required(const struct judged *j, const char *kind, struct err *err)
{
	for (size_t i = 0; i < j->n; i++)
		if (attest_is_kind(&j->v[i], kind))
			return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "not verified: policy: there is no attestation '%s'", kind);
}

static int check_tests(const struct verify_request *q, const struct judged *j, struct err *err)
{
	for (size_t i = 0; i < j->n; i++) {
		const char *result = json_str(json_object_get(j->v[i].statement, "predicate"), "result");

		if (attest_is_kind(&j->v[i], "test-result") && (result == NULL || strcmp(result, "PASSED") != 0))
			return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s': policy: the tests' result is %s, must be PASSED",
				       q->bundles[i].path, result == NULL ? "not told" : result);
	}
	return check_required(j, "test-result", err);
}

static int judge(const struct verify_request *q, struct judged *j, struct err *err)
{
	for (size_t i = 0; i < q->nbundles; i++)
		if (judge_bundle(q, i, j, err) < 0)
			return -1;
	while (j->main < j->n && !j->build[j->main])
		j->main++;
	if (j->main == j->n)
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: none of the bundles is a provenance of glovebox run");
	if (check_about(q, j, err) < 0 || check_threshold(q, j, err) < 0)
		return -1;
	for (size_t i = 0; i < q->nrequire; i++)
		if (check_required(j, q->require[i], err) < 0)
			return -1;
	return q->file.tests_passed ? check_tests(q, j, err) : 0;
}

static json_t *attestation_json(const struct verify_bundle *b, const struct attest_verified *v)
{
	char digest[DIGEST_STR_SIZE];

	return json_pack("{s:o, s:s, s:s, s:s}", "file", json_bytes(b->path, strlen(b->path)), "keyId", v->key_id, "predicateType",
			 json_str(v->statement, "predicateType"), "statementDigest", digest_str(&v->statement_digest, digest));
}

/** Sends a document, its length first, and frees it. */
static int say(int out, json_t *j, struct err *err)
{
	auto_json owned = j;
	auto_buf row = {0};
	uint32_t n;

	if (owned == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "verify");
	json_to_row(owned, &row);
	n = (uint32_t)row.len;
	if (buf_check(&row, "verify", err) < 0 || io_write_all(out, &n, sizeof n, err) < 0)
		return -1;
	return io_write_all(out, row.data, row.len, err);
}

static int say_bundles(const struct verify_request *q, const struct judged *j, int out, struct err *err)
{
	const struct attest_verified *v = &j->v[j->main];
	char digest[DIGEST_STR_SIZE];
	auto_json list = json_array();

	for (size_t i = 0; i < j->n; i++)
		if (json_array_append_new(list, attestation_json(&q->bundles[i], &j->v[i])) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "verify");
	return say(out, json_pack("{s:O, s:s, s:s, s:O}", "attestations", list, "keyId", v->key_id, "statementDigest",
				     digest_str(&v->statement_digest, digest), "statement", v->statement), err);
}

/** What the confined process is given. */
struct work {
	const struct verify_request *q;
	int image;
};

static int work_apart(void *arg, int out, struct err *err)
{
	const struct work *w = arg;
	__attribute__((cleanup(judged_clear))) struct judged j = {0};
	auto_oci_image image = {0};
	char digest[DIGEST_STR_SIZE];

	if (judge(w->q, &j, err) < 0 || say_bundles(w->q, &j, out, err) < 0)
		return -1;
	if (attest_verify_content(&j.v[j.main], w->image, w->q->deep, &image, err) < 0)
		return err_ctx(err, "not verified: '%s'", w->q->image);
	return say(out, json_pack("{s:s}", "image", digest_str(&image.manifest_digest, digest)), err);
}

/* ---- this side ------------------------------------------------------------------------- */

/** The next document of its answer. */
static int take_document(struct answer *a, json_t **ret, struct err *err)
{
	auto_buf row = {0};
	uint32_t n;

	if (answer_take(a, &n, sizeof n, err) < 0)
		return -1;
	char *room = n > ANSWER_MAX ? NULL : buf_room(&row, n);
	if (room == NULL)
		return n > ANSWER_MAX ? answer_nonsense(a, err) : buf_check(&row, "the answer", err);
	if (answer_take(a, room, n, err) < 0)
		return -1;
	return json_from_row(room, n, ret) == 0 ? 0 : answer_nonsense(a, err);
}

/** Whether @p id is that of a key whose signature counts: nothing else is shown as one. */
static bool is_key(const struct verify_request *q, const char *id)
{
	char own[sizeof ((struct attest_verified *)NULL)->key_id];
	struct err ignored = {0};

	for (size_t i = 0; i < q->nkeys; i++)
		if (key_id(q->keys[i], own, &ignored) == 0 && strcmp(own, id) == 0)
			return true;
	return false;
}

static int take_bundles(const struct verify_request *q, const json_t *j, struct verify_verdict *v, struct err *err)
{
	const char *key = json_str(j, "keyId"), *digest = json_str(j, "statementDigest");

	v->attestations = json_incref(json_object_get(j, "attestations"));
	v->provenance.statement = json_incref(json_object_get(j, "statement"));
	if (v->attestations == NULL || v->provenance.statement == NULL || key == NULL || !is_key(q, key) ||
	    digest == NULL || !digest_parse(digest, &v->provenance.statement_digest))
		return err_set(err, ERR_INTERNAL, 0, "verify: the reader of the bundles has said something else");
	strcpy(v->provenance.key_id, key);
	return attest_check_statement(v->provenance.statement, err);
}

/** The archive's own hash: what decides, whatever the other process says, which shares the descriptor and may move its offset. */
static int check_archive(const struct verify_request *q, int fd, const struct verify_verdict *v, struct err *err)
{
	struct digest archive;

	if (hash_file(fd, &archive, err) < 0 || attest_verify_archive(&v->provenance, &archive, err) < 0)
		return err_ctx(err, "not verified: '%s'", q->image);
	return 0;
}

static int take_image(const json_t *j, struct verify_verdict *v, struct err *err)
{
	const char *text = json_str(j, "image");
	struct digest image, tar;

	if (attest_image_subjects(v->provenance.statement, &image, &tar, err) < 0)
		return -1;
	if (text == NULL || !digest_parse(text, &v->image) || !digest_eq(&v->image, &image))
		return err_set(err, ERR_INTERNAL, 0, "verify: the reader of the image has said something else");
	return 0;
}

static int take_verdict(const struct verify_request *q, int fd, struct answer *a, struct verify_verdict *v, struct err *err)
{
	auto_json bundles = NULL;
	auto_json image = NULL;

	if (take_document(a, &bundles, err) < 0 || take_bundles(q, bundles, v, err) < 0 || check_archive(q, fd, v, err) < 0 ||
	    take_document(a, &image, err) < 0)
		return -1;
	return take_image(image, v, err);
}

static int check_apart(const struct verify_request *q, int fd, struct verify_verdict *v, struct err *err)
{
	struct work work = { q, fd };
	const struct confine_conf conf = {
		.what = "the reader of the image", .fn = work_apart, .arg = &work, .fds = &fd, .nfds = 1, .kind = ERR_UNVERIFIED,
		.memory = READER_MEMORY, .cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};
	auto_confined c = CONFINED_NONE;
	auto_free struct answer *a = NULL;

	if (confine_start(&conf, &c, err) < 0 || answer_new(&c, -1, &a, err) < 0)
		return -1;
	int result = answer_end(a, &c, take_verdict(q, fd, a, v, err), err);
	/* An answer that makes no sense is no verdict. */
	if (result < 0 && err->kind == ERR_INPUT)
		err->kind = ERR_UNVERIFIED;
	return result;
}

/** People read image.digest: in an out directory it must not name another image than the one that was verified. */
static int check_digest_file(const char *path, const struct digest *actual, struct err *err)
{
	char expected[DIGEST_STR_SIZE];
	auto_buf text = {0};

	if (io_read_file(AT_FDCWD, path, 1024, &text, err) < 0) {
		if (err->sys == ENOENT)
			return 0;
		err->kind = ERR_UNVERIFIED;
		return err_ctx(err, "not verified");
	}
	digest_str(actual, expected);
	if (text.len == DIGEST_STR_SIZE && strncmp(text.data, expected, DIGEST_STR_SIZE - 1) == 0 &&
	    text.data[DIGEST_STR_SIZE - 1] == '\n')
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' names another image than %s", path, expected);
}

/** The level that whoever wrote the policy knows the builder to reach; without one, what any build has that is told of like this. */
static unsigned level_of(const struct verify_request *q, const json_t *statement)
{
	const json_t *run = json_object_get(json_object_get(statement, "predicate"), "runDetails");
	const char *builder = json_str(json_object_get(run, "builder"), "id");

	for (size_t i = 0; builder != NULL && i < q->policy.nbuilders; i++)
		if (strcmp(q->policy.builders[i].id, builder) == 0)
			return q->policy.builders[i].level;
	return 1;
}

int verify_check(const struct verify_request *q, struct verify_verdict *ret, struct err *err)
{
	auto_verify_verdict v = {0};
	struct stat st;
	auto_fd fd = q->image_fd >= 0 ? fcntl(q->image_fd, F_DUPFD_CLOEXEC, 0) : open(q->image, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_UNVERIFIED : ERR_INPUT, errno, "not verified: open '%s'", q->image);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' is not a regular file", q->image);
	if (check_apart(q, fd, &v, err) < 0 ||
	    (q->digest_file != NULL && check_digest_file(q->digest_file, &v.image, err) < 0) ||
	    verify_beside(q, &v.provenance, err) < 0)
		return -1;
	if (q->evidence.archive != NULL && evidence_file_inputs(&q->evidence, v.provenance.statement, NULL, err) < 0)
		return err_ctx(err, "not verified: '%s'", q->image);
	v.level = level_of(q, v.provenance.statement);
	*ret = v;
	v = (struct verify_verdict){0};
	return 0;
}
