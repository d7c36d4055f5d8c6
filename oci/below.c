/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/below.h"

#include <errno.h>
#include <string.h>

#include "oci/unlayer.h"

/** What a reader may take: the largest window of a codec is 128 MiB. It mostly waits for disks, or for this process. */
#define READER_MEMORY (512ull << 20)
#define READER_CPU_S 3600
#define READER_WALL_MS (24u * 3600 * 1000)
/** Rows go out in pieces of about this size. */
#define OUT_CHUNK (64u << 10)

struct oci_below {
	struct rules *rules;
};

/** What the confined reader of a layer says: a row and a path for each entry; at the end a row of type 0, and a struct oci_blob. */
struct row {
	uint32_t type;      /**< enum tar_type */
	uint32_t path_len;
};

/** A layer, in its reader. */
struct reading {
	struct slice blob;
	enum oci_compression codec;
	int out;
	struct buf rows;    /**< not written yet */
};

/* ---- in the child ------------------------------------------------------------------ */

static int flush(struct reading *r, struct err *err)
{
	if (buf_check(&r->rows, "row", err) < 0 || io_write_all(r->out, r->rows.data, r->rows.len, err) < 0)
		return -1;
	buf_clear(&r->rows);
	return 0;
}

static int put_entry(void *arg, const struct untar_entry *e, struct err *err)
{
	struct reading *r = arg;
	const char *path = e->path + strspn(e->path, "/");
	const char *why = path[0] == '\0' ? NULL : rules_path(path);

	if (why != NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "%s", why);
	buf_add(&r->rows, &(struct row){ e->type, (uint32_t)strlen(path) }, sizeof(struct row));
	buf_adds(&r->rows, path);
	return r->rows.len < OUT_CHUNK ? 0 : flush(r, err);
}

static int read_apart(void *arg, int out, struct err *err)
{
	struct reading *r = arg;
	struct oci_blob actual;

	r->out = out;
	if (unlayer_each(r->blob, r->codec, put_entry, r, &actual, err) < 0)
		return -1;
	buf_add(&r->rows, &(struct row){ 0 }, sizeof(struct row));
	buf_add(&r->rows, &actual, sizeof actual);
	return flush(r, err);
}

/* ---- here --------------------------------------------------------------------------- */

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

static int take_path(struct oci_below *below, struct answer *a, const struct row *row, struct err *err)
{
	char path[TAR_PATH_MAX + 1];

	if (row->type < TAR_FILE || row->type > TAR_DIR || row->path_len > TAR_PATH_MAX)
		return answer_nonsense(a, err);
	if (answer_string(a, path, row->path_len, err) < 0)
		return -1;
	return rules_note(below->rules, &(struct untar_entry){ .type = (enum tar_type)row->type, .path = path }, err);
}

static int take_rows(struct oci_below *below, struct answer *a, struct oci_blob *ret, struct err *err)
{
	struct row row;

	for (;;) {
		if (answer_take(a, &row, sizeof row, err) < 0)
			return -1;
		if (row.type == 0)
			return answer_take(a, ret, sizeof *ret, err);
		if (take_path(below, a, &row, err) < 0)
			return -1;
	}
}

/** Has a layer read, and remembers its paths; @p ret is what its reader found it to be. */
static int read_layer(struct oci_below *below, struct reading *r, struct oci_blob *ret, struct err *err)
{
	const struct confine_conf conf = {
		.what = "the reader of the layer", .fn = read_apart, .arg = r, .fds = &r->blob.fd, .nfds = 1, .kind = ERR_INPUT,
		.memory = READER_MEMORY, .cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};
	auto_confined c = CONFINED_NONE;
	auto_free struct answer *a = NULL;

	if (confine_start(&conf, &c, err) < 0 || answer_new(&c, -1, &a, err) < 0)
		return -1;
	rules_next_layer(below->rules);
	return answer_end(a, &c, take_rows(below, a, ret, err), err);
}

int oci_below_read(struct oci_below *below, int fd, enum oci_compression codec, const struct oci_blob *blob, struct err *err)
{
	struct reading r = { .blob = { fd, 0, blob->size }, .codec = codec };
	struct oci_blob actual;
	char text[DIGEST_STR_SIZE];

	if (read_layer(below, &r, &actual, err) < 0) {
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
