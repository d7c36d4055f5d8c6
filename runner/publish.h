/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file publish.h
 * The end of a run that was told to publish: its image, with what attests it, to the registry that the spec names; tags last.
 * Private to runner/.
 */
#ifndef GB_RUNNER_PUBLISH_H
#define GB_RUNNER_PUBLISH_H

#include "runner/outdir.h"
#include "runner/plan.h"
#include "runner/publication.h"

/** How it ended. */
enum publish_outcome {
	PUBLISH_NOT,       /**< nothing was sent: `why` */
	PUBLISH_DRY,       /**< nothing was sent, for that was asked */
	PUBLISH_FAILED,    /**< `why`; the image may be there, and the first `ntagged` tags are */
	PUBLISH_DONE,
};

/** What is to be published, and what came of it. Zero-initialise; stays where it is. */
struct publishing {
	const struct plan *plan;
	const struct run_publish *how;
	struct fetch_net net;            /**< the caller's, trying again as the spec says */
	struct registry_conf conf;       /**< the caller's, with that */
	struct registry_ref ref;         /**< imageName */
	char *where;                     /**< URL of the repository, after the maps */
	const char **tags; size_t ntags; /**< of the spec, each once; borrowed strings */
	const char **left_out; size_t nleft_out; /**< those with a placeholder that stands for nothing here */

	enum publish_outcome outcome;
	struct buf why;
	bool have_image;                 /**< `image` is known */
	struct digest image;
	bool is_signed;
	bool sent;                       /**< all but the tags is there */
	size_t ntagged;                  /**< of @c tags, so many are there */
	size_t nattached;
	struct registry_pushed pushed;
};
void publishing_clear(struct publishing *p);

/** Finds out what is to go where, before anything runs. ERR_USAGE at its place in the spec: no image name, or one of no registry, or of one
 *  that may not be spoken to. */
int publishing_begin(const struct plan *plan, const struct run_publish *how, struct publishing *p, struct err *err);

/** Says that there is nothing to publish. */
void publishing_give_up(struct publishing *p, const char *why);

/** A whole image. */
struct publish_what {
	int image_fd;                    /**< image.tar */
	const struct digest *image;      /**< manifest digest */
	const struct outdir *out;        /**< where its attestations lie */
	bool is_signed;                  /**< there are some */
};

/** Sends all but the tags, then tag after tag, and stops at the first that fails. ERR_PUBLISH, also where the fault is on this side;
 *  ERR_INTERRUPTED, ERR_INTERNAL. Success as well where nothing was to be sent. */
int publishing_run(struct publishing *p, const struct publish_what *what, struct err *err);

/** What came of it in one line for people, once more in words. */
int publishing_text(const struct publishing *p, struct buf *out, struct err *err);

/** `published` of result.json: new reference. @p out_dir: where the image will be found by who wants to push it later. */
int publishing_json(const struct publishing *p, const char *out_dir, json_t **ret, struct err *err);

#endif
