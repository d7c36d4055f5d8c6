/* SPDX-License-Identifier: Apache-2.0 */
/* What came of publishing: for result.json, and in a line. */
#include <errno.h>
#include <string.h>

#include "runner/publish.h"

static const char *const outcomes[] = {
	[PUBLISH_NOT] = "notPublished", [PUBLISH_DRY] = "dryRun", [PUBLISH_FAILED] = "failed", [PUBLISH_DONE] = "published",
};

static const char *const verbs[] = {
	[PUBLISH_NOT] = "not published", [PUBLISH_DRY] = "dry run, would publish", [PUBLISH_FAILED] = "publishing failed",
	[PUBLISH_DONE] = "published",
};

/** "HOST/PATH", ":TAG" and so on behind it. */
static void add_repository(const struct publishing *p, struct buf *out)
{
	buf_addf(out, "%s/%s", p->ref.host, p->ref.path);
}

int publishing_text(const struct publishing *p, struct buf *out, struct err *err)
{
	char digest[DIGEST_STR_SIZE];

	buf_adds(out, verbs[p->outcome]);
	if (p->outcome == PUBLISH_NOT || p->outcome == PUBLISH_FAILED) {
		buf_addf(out, ": %s", p->why.data == NULL ? "" : p->why.data);
		return buf_check(out, "message", err);
	}
	buf_addc(out, ' ');
	add_repository(p, out);
	buf_addf(out, "@%s", digest_str(&p->image, digest));
	for (size_t i = 0; i < p->ntags; i++)
		buf_addf(out, "%s%s", i == 0 ? " as " : ", ", p->tags[i]);
	buf_addf(out, "%s to %s%s", p->ntags == 0 ? ", without a tag," : "", p->where,
		 p->is_signed ? ", with its attestations" : ", unsigned (no --key was given)");
	return buf_check(out, "message", err);
}

/* ---- result.json -------------------------------------------------------------------- */

static json_t *text_or_null(struct buf *text)
{
	return text->failed ? NULL : json_string(text->data == NULL ? "" : text->data);
}

/** The name of the image by digest, or by @p tag. */
static json_t *reference(const struct publishing *p, const char *tag)
{
	char digest[DIGEST_STR_SIZE];
	auto_buf text = {0};

	add_repository(p, &text);
	if (tag != NULL)
		buf_addf(&text, ":%s", tag);
	else
		buf_addf(&text, "@%s", digest_str(&p->image, digest));
	return text_or_null(&text);
}

static json_t *tags_json(const struct publishing *p)
{
	auto_json all = json_array();

	for (size_t i = 0; all != NULL && i < p->ntags; i++)
		if (json_array_append_new(all, json_pack("{s:s, s:o, s:b}", "tag", p->tags[i], "reference", reference(p, p->tags[i]),
							 "given", (int)(i < p->ntagged))) < 0)
			return NULL;
	return move_ptr(all);
}

static void add_options(struct buf *out, const char *option, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addf(out, " --%s ", option);
		text_shell(out, values[i]);
	}
}

/** The command that pushes it under @p tag (NULL: none) from the out directory. */
static json_t *later(const struct publishing *p, const char *out_dir, const char *tag)
{
	auto_buf text = {0};

	buf_adds(&text, "glovebox image push ");
	/* What begins with a dash is an option to it. */
	if (out_dir[0] == '-')
		buf_adds(&text, "./");
	text_shell(&text, out_dir);
	buf_addc(&text, ' ');
	add_repository(p, &text);
	if (tag != NULL)
		buf_addf(&text, ":%s", tag);
	if (p->is_signed)
		buf_adds(&text, " --attestations");
	add_options(&text, "registry-map", p->conf.maps, p->conf.nmaps);
	add_options(&text, "insecure-registry", p->conf.insecure, p->conf.ninsecure);
	return text_or_null(&text);
}

static json_t *all_later(const struct publishing *p, const char *out_dir)
{
	json_t *all = json_array();

	for (size_t i = p->ntagged; i < p->ntags; i++)
		json_array_append_new(all, later(p, out_dir, p->tags[i]));
	if (p->ntags == 0)
		json_array_append_new(all, later(p, out_dir, NULL));
	return all;
}

/** Of an image that is there, or would be. */
static int add_image(const struct publishing *p, json_t *j)
{
	char digest[DIGEST_STR_SIZE];

	if (p->outcome == PUBLISH_NOT || (p->outcome == PUBLISH_FAILED && !p->sent))
		return 0;
	if (json_object_set_new(j, "digest", json_string(digest_str(&p->image, digest))) < 0 ||
	    json_object_set_new(j, "reference", reference(p, NULL)) < 0)
		return -1;
	if (!p->sent)
		return 0;
	return json_object_set_new(j, "blobs", json_pack("{s:I, s:I, s:I}", "sent", (json_int_t)p->pushed.sent, "mounted",
							 (json_int_t)p->pushed.mounted, "present", (json_int_t)p->pushed.present)) < 0 ||
	       json_object_set_new(j, "fallbackTag", json_boolean(p->pushed.fallback)) < 0 ||
	       json_object_set_new(j, "attached", json_integer((json_int_t)p->nattached)) < 0 ? -1 : 0;
}

int publishing_json(const struct publishing *p, const char *out_dir, json_t **ret, struct err *err)
{
	auto_buf repository = {0};

	add_repository(p, &repository);
	if (buf_check(&repository, "result.json", err) < 0)
		return -1;
	auto_json j = json_pack("{s:s, s:s*, s:s, s:s, s:o, s:o}", "outcome", outcomes[p->outcome], "reason",
				p->why.len > 0 ? p->why.data : NULL, "repository", repository.data, "url", p->where,
				"tags", tags_json(p), "tagsLeftOut", json_strings(p->left_out, p->nleft_out));
	if (j == NULL || add_image(p, j) < 0 ||
	    (p->outcome == PUBLISH_FAILED && json_object_set_new(j, "later", all_later(p, out_dir)) < 0))
		return err_set(err, ERR_INTERNAL, ENOMEM, "write result.json");
	*ret = move_ptr(j);
	return 0;
}
