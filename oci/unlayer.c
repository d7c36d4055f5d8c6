/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/unlayer.h"

#include <errno.h>

#include "oci/plain.h"
#include "oci/untar.h"

/** From the file to the tar: plain bytes → diff ID → untar → whoever takes the entries. */
struct pipe {
	struct plain *plain;
	struct hasher *diff;
	uint64_t diff_size;
	unlayer_entry *fn;
	void *arg;
};

static int read_tar(void *arg, void *data, size_t n, size_t *ret_got, struct err *err)
{
	struct pipe *p = arg;
	size_t got = 0;

	if (plain_read(p->plain, data, n, &got, err) < 0)
		return -1;
	p->diff_size += got;
	if (p->diff_size > OCI_DIFF_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "decompresses to more than %llu bytes", OCI_DIFF_MAX);
	hasher_add(p->diff, data, got);
	*ret_got = got;
	return 0;
}

static int check_entry(void *rules, const struct untar_entry *e, struct err *err)
{
	return rules_check(rules, e, err);
}

static int note_entry(void *rules, const struct untar_entry *e, struct err *err)
{
	return rules_note(rules, e, err);
}

static int take_entry(void *arg, const struct untar_entry *e, struct err *err)
{
	const struct pipe *p = arg;

	return p->fn(p->arg, e, err);
}

static int read_layer(struct slice blob, enum oci_compression codec, unlayer_entry *fn, void *arg, bool tolerant, struct oci_blob *ret,
		      struct err *err)
{
	auto_hasher diff = hasher_new();
	auto_plain plain = NULL;
	struct pipe p = { .diff = diff, .fn = fn, .arg = arg };
	struct untar_ops ops = { .read = read_tar, .entry = take_entry, .arg = &p, .tolerant = tolerant };
	struct oci_blob result = { .size = blob.size };

	if (diff == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a layer");
	if (plain_open(blob, codec, &plain, err) < 0)
		return -1;
	p.plain = plain;
	if (untar(&ops, err) < 0 || plain_end(plain, &result.digest, err) < 0 ||
	    hasher_final(diff, &result.diff_id, err) < 0)
		return -1;
	result.diff_size = p.diff_size;
	*ret = result;
	return 0;
}

int unlayer(struct slice blob, enum oci_compression codec, struct rules *rules, struct oci_blob *ret, struct err *err)
{
	rules_next_layer(rules);
	return read_layer(blob, codec, check_entry, rules, false, ret, err);
}

int unlayer_kept(struct slice blob, enum oci_compression codec, struct rules *rules, struct oci_blob *ret, struct err *err)
{
	rules_next_layer(rules);
	return read_layer(blob, codec, note_entry, rules, true, ret, err);
}

int unlayer_each(struct slice blob, enum oci_compression codec, unlayer_entry *fn, void *arg, struct oci_blob *ret, struct err *err)
{
	return read_layer(blob, codec, fn, arg, true, ret, err);
}
