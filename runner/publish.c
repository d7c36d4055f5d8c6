/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/publish.h"

#include <errno.h>
#include <string.h>

void publishing_clear(struct publishing *p)
{
	registry_ref_clear(&p->ref);
	buf_free(&p->why);
	free(p->where);
	free(p->tags);
	free(p->left_out);
	*p = (struct publishing){0};
}

/* ---- before anything runs -------------------------------------------------------- */

static bool is_among(const char *const *tags, size_t n, const char *tag)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tags[i], tag) == 0)
			return true;
	return false;
}

/** Each tag once: several placeholders may stand for the same. */
static int take_tags(struct publishing *p, struct err *err)
{
	const struct spec_list *tags = &p->plan->spec->publish_tags;

	p->tags = calloc(tags->n + 1, sizeof *p->tags);
	p->left_out = calloc(tags->n + 1, sizeof *p->left_out);
	if (p->tags == NULL || p->left_out == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the tags");
	for (size_t i = 0; i < tags->n; i++) {
		bool filled = strchr(tags->v[i], '{') == NULL;
		const char **list = filled ? p->tags : p->left_out;
		size_t *n = filled ? &p->ntags : &p->nleft_out;

		if (!is_among(list, *n, tags->v[i]))
			list[(*n)++] = tags->v[i];
	}
	return 0;
}

static int find_registry(struct publishing *p, struct err *err)
{
	const struct spec *spec = p->plan->spec;
	const char *name = spec->artifact.image_name;

	if (name == NULL)
		return spec_error(spec, spec->artifact.pos, ERR_USAGE, err,
				  "spec.build.artifact.imageName is not given: --publish has to know where to, such as registry.example.com/team/app");
	if (registry_ref_parse(name, &p->ref, err) < 0 || registry_where(&p->conf, &p->ref, &p->where, err) < 0) {
		(void)err_ctx(err, "spec.build.artifact.imageName");
		return spec_ctx(spec, spec->artifact.image_name_pos, err);
	}
	return 0;
}

int publishing_begin(const struct plan *plan, const struct run_publish *how, struct publishing *p, struct err *err)
{
	const struct spec_retry *retry = &plan->spec->publish_retry;

	p->plan = plan;
	p->how = how;
	p->net = *how->registry->net;
	p->net.attempts = retry->attempts;
	p->net.first_wait_ms = retry->first_ms;
	p->net.most_wait_ms = retry->most_ms;
	p->conf = *how->registry;
	p->conf.net = &p->net;
	publishing_give_up(p, "the run did not get so far");
	return take_tags(p, err) < 0 ? -1 : find_registry(p, err);
}

void publishing_give_up(struct publishing *p, const char *why)
{
	p->outcome = PUBLISH_NOT;
	buf_clear(&p->why);
	text_printable(&p->why, why, strlen(why));
}

/* ---- when there is an image ---------------------------------------------------------- */

/** Reads the image, and beside it what attests it, which only the caller may be able to read. */
static int read_publication(const struct publish_what *what, struct publication **ret, struct err *err)
{
	const struct ident *id = what->out->id;

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, publication_read(what->image_fd, what->is_signed ? what->out->fd : -1, ret, err), err);
}

static int tag_all(struct publishing *p, const struct publication *publication, struct err *err)
{
	struct registry_ref ref = p->ref;

	for (; p->ntagged < p->ntags; p->ntagged++) {
		/* Borrowed for the call. */
		ref.tag = (char *)p->tags[p->ntagged];
		if (publication_tag(publication, &p->conf, &ref, err) < 0)
			return -1;
	}
	return 0;
}

static int send_all(struct publishing *p, const struct publish_what *what, struct err *err)
{
	auto_publication publication = NULL;

	if (read_publication(what, &publication, err) < 0 ||
	    publication_send(publication, &p->conf, &p->ref, NULL, 0, &p->pushed, err) < 0)
		return -1;
	p->sent = true;
	p->nattached = publication_attached(publication);
	return tag_all(p, publication, err);
}

int publishing_run(struct publishing *p, const struct publish_what *what, struct err *err)
{
	p->have_image = true;
	p->image = *what->image;
	p->is_signed = what->is_signed;
	if (p->plan->held_back.len > 0) {
		publishing_give_up(p, p->plan->held_back.data);
		return 0;
	}
	buf_clear(&p->why);
	p->outcome = p->how->dry_run ? PUBLISH_DRY : PUBLISH_DONE;
	if (p->how->dry_run || send_all(p, what, err) == 0)
		return 0;
	if (err->kind != ERR_INTERRUPTED && err->kind != ERR_INTERNAL)
		err->kind = ERR_PUBLISH;
	(void)err_ctx(err, "publish");
	p->outcome = PUBLISH_FAILED;
	text_printable(&p->why, err->msg, strlen(err->msg));
	return -1;
}
