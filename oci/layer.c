/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "oci/below.h"
#include "oci/codec.h"
#include "oci/rules.h"
#include "oci/show.h"
#include "oci/tar.h"

/** More than an entry can take beside its content: two headers, two paths in pax records, padding, the end. */
#define ENTRY_OVERHEAD_MAX (16u << 10)

struct oci_layer {
	struct codec *codec;
	struct oci_below *below; /* borrowed, or NULL */
	struct hasher *content; /* of the current entry's content */
	struct buf head;   /* blocks before the current entry's content; kept for its memory */
	uint64_t mtime;
	uint64_t entries;
	uint64_t path_bytes;
	bool broken;       /* a failed call leaves half an entry behind: nothing may follow it */
};

int oci_layer_begin(int out_fd, enum oci_compression codec, int64_t mtime, struct oci_layer **ret, struct err *err)
{
	if (mtime < 0 || (uint64_t)mtime > TAR_NUMBER_MAX)
		return err_set(err, ERR_USAGE, 0, "start a layer: a tar header cannot hold the time %lld (0 to %llu)",
			       (long long)mtime, TAR_NUMBER_MAX);
	auto_oci_layer layer = calloc(1, sizeof *layer);
	if (layer == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "start a layer");
	layer->mtime = (uint64_t)mtime;
	layer->content = hasher_new();
	if (layer->content == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "start a layer");
	if (codec_begin(out_fd, codec, &layer->codec, err) < 0)
		return -1;
	*ret = move_ptr(layer);
	return 0;
}

void oci_layer_free(struct oci_layer *layer)
{
	if (layer == NULL)
		return;
	codec_free(layer->codec);
	hasher_free(layer->content);
	buf_free(&layer->head);
	free(layer);
}

void oci_layer_on(struct oci_layer *layer, struct oci_below *below)
{
	layer->below = below;
	below_next_layer(below);
}

/** What oci_image_read() would refuse must not be written in the first place. */
static int check_entry(const struct oci_entry *e, struct err *err)
{
	const char *why = rules_path(e->path);

	if (why == NULL)
		why = rules_mode(e->mode);
	if (why == NULL && e->type == OCI_LINK)
		why = rules_link_target(e->link);
	if (why == NULL && rules_is_whiteout(e->path))
		why = "a name that begins with .wh. deletes files in an OCI layer; rename it";
	if (why == NULL && e->type == OCI_FILE && e->size > OCI_DIFF_MAX)
		why = "the file is larger than a layer may be";
	return why == NULL ? 0 : err_set(err, ERR_INPUT, 0, "%s", why);
}

/** Keeps the layer within what oci_image_read() takes. */
static int count_entry(struct oci_layer *layer, const struct oci_entry *e, struct err *err)
{
	uint64_t size = e->type == OCI_FILE ? e->size : 0;

	layer->entries++;
	layer->path_bytes += strlen(e->path);
	if (layer->entries > OCI_ENTRIES_MAX || layer->path_bytes > OCI_PATH_BYTES_MAX ||
	    codec_size(layer->codec) + size + ENTRY_OVERHEAD_MAX > OCI_DIFF_MAX)
		return err_set(err, ERR_INPUT, 0,
			       "the layer grows past a limit (%u entries, %u bytes of paths, %llu bytes in all)",
			       OCI_ENTRIES_MAX, OCI_PATH_BYTES_MAX, OCI_DIFF_MAX);
	return 0;
}

static int add_head(struct oci_layer *layer, const struct oci_entry *e, struct err *err)
{
	static const enum tar_type types[] = {
		[OCI_DIR] = TAR_DIR, [OCI_FILE] = TAR_FILE, [OCI_LINK] = TAR_LINK,
	};
	struct tar_member m = {
		.type = types[e->type],
		.path = e->path,
		.link = e->type == OCI_LINK ? e->link : NULL,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.size = e->type == OCI_FILE ? e->size : 0,
		.mtime = layer->mtime,
	};

	buf_clear(&layer->head);
	tar_add_member(&m, &layer->head);
	if (buf_check(&layer->head, "a tar header", err) < 0)
		return -1;
	return codec_add(layer->codec, layer->head.data, layer->head.len, err);
}

static int read_some(int fd, void *to, size_t n, size_t *ret_got, struct err *err)
{
	ssize_t got;

	do
		got = read(fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(err, ERR_INTERNAL, errno, "read");
	*ret_got = (size_t)got;
	return 0;
}

/** Exactly @p size bytes and then the end of the file: a file that changes under us must not become a layer. */
static int add_content(struct oci_layer *layer, int fd, uint64_t size, bool hashed, struct err *err)
{
	char more;
	size_t got;

	for (uint64_t left = size; left > 0; left -= got) {
		size_t room;
		void *to = codec_room(layer->codec, &room);

		if (read_some(fd, to, left < room ? (size_t)left : room, &got, err) < 0)
			return -1;
		if (got == 0)
			return err_set(err, ERR_INPUT, 0, "ends after %llu of %llu bytes: it changed meanwhile",
				       (unsigned long long)(size - left), (unsigned long long)size);
		if (hashed)
			hasher_add(layer->content, to, got);
		if (codec_commit(layer->codec, got, err) < 0)
			return -1;
	}
	if (fd == -1)
		return 0;
	if (read_some(fd, &more, 1, &got, err) < 0)
		return -1;
	if (got != 0)
		return err_set(err, ERR_INPUT, 0, "has more than %llu bytes: it changed meanwhile", (unsigned long long)size);
	return 0;
}

/** What the content was promised to be, it must be: nothing else may get under a digest that is attested. */
static int check_content(struct oci_layer *layer, const struct digest *expected, struct err *err)
{
	struct digest actual;

	if (hasher_final(layer->content, &actual, err) < 0)
		return -1;
	if (!digest_eq(&actual, expected))
		return err_set(err, ERR_INPUT, 0, "its content is damaged: it does not have the digest it is kept under");
	return 0;
}

static int add_padding(struct oci_layer *layer, uint64_t size, struct err *err)
{
	static const char zeros[TAR_BLOCK];

	return codec_add(layer->codec, zeros, tar_padding(size), err);
}

static int add_entry(struct oci_layer *layer, const struct oci_entry *e, int content_fd, struct err *err)
{
	if (check_entry(e, err) < 0 || (layer->below != NULL && below_check(layer->below, e, err) < 0) ||
	    count_entry(layer, e, err) < 0 || add_head(layer, e, err) < 0)
		return -1;
	if (e->type != OCI_FILE)
		return 0;
	if (add_content(layer, content_fd, e->size, e->digest != NULL, err) < 0 ||
	    (e->digest != NULL && check_content(layer, e->digest, err) < 0))
		return -1;
	return add_padding(layer, e->size, err);
}

/** Fails when an earlier call failed. */
static int check_whole(const struct oci_layer *layer, struct err *err)
{
	if (layer->broken)
		return err_set(err, ERR_INTERNAL, 0, "go on with a layer after an error in it");
	return 0;
}

int oci_layer_add(struct oci_layer *layer, const struct oci_entry *entry, int content_fd, struct err *err)
{
	if (check_whole(layer, err) < 0)
		return -1;
	if (add_entry(layer, entry, content_fd, err) == 0)
		return 0;
	layer->broken = true;
	char name[SHOW_SIZE];
	return err_ctx(err, "layer entry '%s'", show_name(entry->path, strlen(entry->path), name));
}

int oci_layer_end(struct oci_layer *layer, struct oci_blob *ret, struct err *err)
{
	static const char end[TAR_END];

	if (check_whole(layer, err) < 0)
		return -1;
	layer->broken = true;
	if (codec_add(layer->codec, end, sizeof end, err) < 0)
		return -1;
	return codec_end(layer->codec, ret, err);
}
