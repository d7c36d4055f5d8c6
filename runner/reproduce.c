/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "runner/build.h"
#include "runner/evidence.h"
#include "runner/sbom.h"
#include "runner/vary.h"

/** What is rebuilt, and where. */
struct rebuild {
	struct build build;
	struct built_image built;
	struct oci_image image;
	int fd;                  /**< the new image.tar, in the scratch */
};

static void rebuild_clear(struct rebuild *r)
{
	own_fd(&r->fd);
	oci_image_clear(&r->image);
	build_clear(&r->build);
}

static void tell(const struct reproduce_options *opt, const char *text)
{
	if (opt->event != NULL)
		opt->event(opt->event_arg, &(struct run_event){ .type = RUN_PHASE, .text = text });
}

static int rebuild(struct store *store, const struct plan *plan, const struct reproduce_options *opt, struct rebuild *r,
		   struct err *err)
{
	tell(opt, "build again");
	/* Never by the cache: that would only show that it still has what it had. */
	const struct build_conf conf = {
		.store = store, .plan = plan, .grace_ms = opt->grace_ms, .cancel_fd = opt->cancel_fd, .use = CACHE_NONE,
	};
	if (build_run(&r->build, &conf, err) < 0)
		return -1;
	if (!r->build.outcome.ok)
		return err_set(err, ERR_STEP, 0, "step '%s' failed this time: %s", plan->spec->build.name,
			       r->build.outcome.how);
	int scratch = store_scratch_fd(r->build.work.scratch);
	r->fd = openat(scratch, "image.tar", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (r->fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make image.tar in the scratch");
	tell(opt, "pack image.tar");
	return image_build(store, plan, &r->build.left.output.tree, r->build.output_path, scratch, r->fd, opt->cancel_fd, &r->built, err);
}

/** Compares the two images, and tells of it in a line or two. That it cannot be told changes no verdict. */
static int compare_images(const struct evidence *e, const struct rebuild *r, json_t **ret, struct buf *line, struct err *err)
{
	auto_json report = NULL;
	auto_fd scratch = openat(store_scratch_fd(r->build.work.scratch), "diff.tmp", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (scratch < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a temporary file in the scratch");
	if (diff_images(e->image_fd, "image.tar", r->fd, "image.tar, rebuilt", scratch, &report, err) < 0 ||
	    diff_summary(report, line, err) < 0)
		return -1;
	*ret = move_ptr(report);
	return 0;
}

/** Without the image: the files in which the recorded manifest and that of what was built now differ. */
static int compare_outputs(const struct evidence *e, const struct rebuild *r, struct buf *line, struct err *err)
{
	auto_tree_reader then = NULL;
	auto_tree_reader now = NULL;
	int fd = fcntl(e->output_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "read the recorded manifest");
	if (tree_reader_from_fd(fd, "the recorded manifest", &then, err) < 0 ||
	    store_read_tree(r->build.work.store, &r->build.left.output.tree, &now, err) < 0)
		return -1;
	return vary_compare(then, now, line, err);
}

/** Where the two differ; what is known already stands in @p known, or "". */
static void account(const struct evidence *e, const struct rebuild *r, const char *known, struct reproduce_report *ret)
{
	const char *separator = known[0] == '\0' ? "" : "; ";
	auto_buf line = {0};
	struct err why = {0};

	if (!e->have_image && e->output_fd >= 0 && compare_outputs(e, r, &line, &why) == 0 && line.len > 0)
		snprintf(ret->account, sizeof ret->account, "%s%s%s", known, separator, line.data);
	else if (!e->have_image)
		snprintf(ret->account, sizeof ret->account, "%s%sthe original image.tar is not there, so only digests could be compared", known,
			 separator);
	else if (compare_images(e, r, &ret->differences, &line, &why) < 0)
		snprintf(ret->account, sizeof ret->account, "%s%swhere they differ cannot be told: %.1000s", known, separator, why.msg);
	else
		snprintf(ret->account, sizeof ret->account, "%s%s%s", known, separator, line.data);
}

static void account_output(const struct evidence *e, const struct digest *recorded, const struct rebuild *r, struct reproduce_report *ret)
{
	char x[DIGEST_STR_SIZE], y[DIGEST_STR_SIZE], known[256];

	snprintf(known, sizeof known, "the build left another tree (%s) than the recorded one (%s)",
		 digest_str(&r->build.left.output.tree, y), digest_str(recorded, x));
	account(e, r, known, ret);
}

/** The same output, but not the same archive: how far apart. Only here is the rebuilt archive read. */
static int judge_difference(const struct evidence *e, struct rebuild *r, struct reproduce_report *ret, struct err *err)
{
	if (oci_image_read(r->fd, false, &r->image, err) < 0)
		return -1;
	/* The config names every diff ID, so its digest stands for the content. */
	if (e->have_image && digest_eq(&e->image.config_digest, &r->image.config_digest))
		ret->verdict = REPRODUCED_CONTENT;
	account(e, r, ret->verdict == REPRODUCED_CONTENT ? "content identical, compression differs" : "", ret);
	return 0;
}

/** All bytes of the image are the same: so must be what was written about it. */
static int judge_sboms(struct store *store, const struct plan *plan, const struct evidence *e, const struct rebuild *r, struct reproduce_report *ret,
		       struct err *err)
{
	const struct run_sbom_facts facts = {
		.store = store, .plan = plan, .output = r->build.left.output.tree, .output_path = r->build.output_path, .image_fd = r->fd,
		.image = &r->built,
	};
	auto_buf others = {0};

	if (run_sboms_compare(&facts, e->provenance.statement, &others, err) < 0)
		return -1;
	ret->verdict = others.len == 0 ? REPRODUCED_IMAGE : NOT_REPRODUCED;
	if (others.len > 0)
		snprintf(ret->account, sizeof ret->account, "the image is the same, and its bill of materials is not: %s", others.data);
	return 0;
}

static int judge(struct store *store, const struct plan *plan, const struct evidence *e, const struct digest *output, struct rebuild *r,
		 struct reproduce_report *ret, struct err *err)
{
	*ret = (struct reproduce_report){ .verdict = NOT_REPRODUCED, .expected = e->manifest, .got = r->built.manifest };
	if (!digest_eq(output, &r->build.left.output.tree)) {
		account_output(e, output, r, ret);
		return 0;
	}
	if (digest_eq(&e->manifest, &r->built.manifest) && digest_eq(&e->tar, &r->built.tar))
		return judge_sboms(store, plan, e, r, ret, err);
	return judge_difference(e, r, ret, err);
}

static int copy_out(const char *dir, const struct rebuild *r, struct err *err)
{
	auto_fd dirfd = -1;

	if (io_mkdirs(AT_FDCWD, dir, 0777, err) < 0)
		return -1;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_set(err, ERR_USAGE, errno, "open '%s'", dir);
	auto_fd fd = openat(dirfd, "image.tar", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_set(err, ERR_USAGE, errno, "make '%s/image.tar'", dir);
	if (lseek(r->fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "read the rebuilt image.tar");
	return io_copy(r->fd, fd, r->built.tar_size, err);
}

/** Leaves the rebuilt image where the caller wants it. */
static int keep(const struct ident *id, const char *dir, const struct rebuild *r, struct err *err)
{

	if (dir == NULL)
		return 0;
	if (ident_caller_begin(id, err) < 0)
		return -1;
	int result = copy_out(dir, r, err);
	result = ident_caller_done(id, result, err);
	return result < 0 ? err_ctx(err, "--keep") : 0;
}

void reproduce_report_clear(struct reproduce_report *r)
{
	json_decref(r->differences);
	json_decref(r->varied);
	json_decref(r->fragile);
	json_decref(r->statement);
	*r = (struct reproduce_report){0};
}

int reproduce(struct store *store, const struct reproduce_options *opt, struct reproduce_report *ret, struct err *err)
{
	auto_evidence e = EVIDENCE_NONE;
	auto_plan plan = NULL;
	struct rebuild r = { .fd = -1 };
	struct digest output;

	tell(opt, "read the evidence");
	if (vary_check(opt->vary, store_ident(store), opt->by_spec, err) < 0 || evidence_read(store, opt->evidence, opt->keys, opt->nkeys, &e, err) < 0 ||
	    evidence_plan(store, &e, &plan, err) < 0 || evidence_output(&e, &output, err) < 0)
		return -1;
	auto_reproduce_report report = {0};
	int result = rebuild(store, plan, opt, &r, err);
	if (result == 0)
		result = keep(store_ident(store), opt->keep_dir, &r, err);
	if (result == 0)
		result = judge(store, plan, &e, &output, &r, &report, err);
	rebuild_clear(&r);
	/* What is not the same as it is needs no variation to show it. */
	if (result == 0 && report.verdict != NOT_REPRODUCED)
		result = vary_run(store, plan, opt, &output, &report, err);
	if (result < 0)
		return -1;
	report.statement = json_incref(e.provenance.statement);
	*ret = report;
	report = (struct reproduce_report){0};
	return 0;
}
