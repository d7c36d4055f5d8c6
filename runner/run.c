/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attest/attest.h"
#include "runner/build.h"
#include "runner/evidence_file.h"
#include "runner/limit.h"
#include "runner/publish.h"
#include "runner/report.h"
#include "runner/sbom.h"
#include "runner/signer.h"
#include "runner/tested.h"
#include "runner/vary.h"

void run_report_clear(struct run_report *r)
{
	json_decref(r->result);
	r->result = NULL;
}

static int refuse_builder_id(const struct plan *plan, const char *builder_id, struct err *err)
{
	const char *required = plan->spec->require_builder_id;

	if (required == NULL || strcmp(required, builder_id) == 0)
		return 0;
	return err_set(err, ERR_REFUSED, 0,
		       "%s: spec.provenance.requireBuilderId: '%s' is required, this run has '%s'; "
		       "the builder id comes from the invocation (--builder-id)", plan->spec->file, required, builder_id);
}

/** Most bytes of what was found different that are told in a line. */
#define ACCOUNT_SHOWN 500

/** Everything a run carries from one phase to the next. */
struct running {
	struct store *store;
	const struct plan *plan;
	const struct run_options *opt;
	const char *builder_id;
	struct signer signer;    /**< SIGNER_NONE: unsigned */
	struct outdir *out;
	struct report *report;
	struct build build;
	struct built_image image;
	bool have_image;
	int image_fd;            /**< image.tar, once it is there; else -1 */
	struct run_sboms sboms;
	struct manifests manifests; /**< of its trees */
	struct buf statement, bundle; /**< the provenance; bundle is empty without a key */
	struct tested tested;    /**< what its tests came to */
	struct buf tests_statement, tests_bundle; /**< that likewise; both empty without tests */
	struct target evidence;  /**< --evidence: its file */
	char failure[640];       /**< a step or required test that failed; empty: none */
	struct reproduce_report again; /**< what the spec's check of the build has found */
	struct publishing publishing;
	bool unpublished;        /**< it could not be published: */
	struct err publish_err;
};

/** Packs image.tar and records it. */
static int pack_image_tar(struct running *r, int fd, struct err *err)
{
	struct build *b = &r->build;
	auto_store_scratch scratch = NULL;
	auto_buf text = {0};
	struct err why = {0};

	/* A scratch of its own: with every step from the cache there is none yet. */
	if (report_phase(r->report, "pack image.tar", err) < 0 || store_scratch_open(r->store, &scratch, err) < 0 ||
	    image_build(r->store, r->plan, &b->left.output.tree, b->output_path, store_scratch_fd(scratch), fd, r->opt->cancel_fd, &r->image,
			err) < 0)
		return -1;
	if (cache_record_image(r->store, &b->image, fd, &r->image, &why) == 0)
		return 0;
	buf_addf(&text, "image.tar is not kept for later runs: %s", why.msg);
	return buf_check(&text, "note", err) < 0 ? -1 : report_note(r->report, NULL, text.data, err);
}

/** Writes image.tar to @p fd, from the store where that has it. */
static int fill_image(struct running *r, int fd, struct err *err)
{
	struct build *b = &r->build;

	if (b->image.hit && report_phase(r->report, "take image.tar from the store", err) < 0)
		return -1;
	if (!b->image.hit || !cache_take_image(r->store, &b->image, fd))
		return pack_image_tar(r, fd, err);
	r->image = b->image.built;
	return 0;
}

/** Takes image.tar from the earlier run where it is what the store has; *@p ret_fd is -1 where not. */
static int keep_image(struct running *r, int *ret_fd, struct err *err)
{
	struct build *b = &r->build;

	if (b->image.key == NULL && cache_ask_image(r->store, r->plan, &b->left.output.tree, b->use, &b->image, err) < 0)
		return -1;
	if (!b->image.hit)
		return 0;
	if (outdir_take_image(r->out, &b->image.built.tar, b->image.built.tar_size, ret_fd, err) < 0)
		return -1;
	if (*ret_fd == -1)
		return 0;
	r->image = b->image.built;
	return report_phase(r->report, "keep image.tar of the earlier run", err);
}

static int write_image(struct running *r, struct err *err)
{
	char digest[DIGEST_STR_SIZE + 1];
	auto_fd fd = -1;

	if (keep_image(r, &fd, err) < 0 || (fd == -1 && (outdir_create_image(r->out, &fd, err) < 0 || fill_image(r, fd, err) < 0)) ||
	    outdir_publish_image(r->out, fd, err) < 0)
		return -1;
	r->have_image = true;
	r->image_fd = move_fd(&fd);
	digest_str(&r->image.manifest, digest);
	strcat(digest, "\n");
	return outdir_write(r->out, "image.digest", digest, strlen(digest), err);
}

static bool is_signed(const struct running *r)
{
	return r->opt->key_path != NULL;
}

/** With a key: writes the bundle over a statement as @p name. */
static int sign(struct running *r, const struct buf *statement, struct buf *bundle, const char *name, struct err *err)
{
	if (!is_signed(r))
		return 0;
	return signer_sign(&r->signer, statement, bundle, err) < 0 ? -1 : outdir_write(r->out, name, bundle->data, bundle->len, err);
}

/** Writes a statement as @p name, and with a key the bundle over it as @p bundle_name. */
static int attest(struct running *r, const struct buf *statement, const char *name, struct buf *bundle, const char *bundle_name, struct err *err)
{
	return sign(r, statement, bundle, bundle_name, err) < 0 ? -1 : outdir_write(r->out, name, statement->data, statement->len, err);
}

/** A document beside the image, and with a key the bundle over the statement about it. */
static int write_sbom(struct running *r, enum sbom_format format, struct err *err)
{
	const char *name = sbom_kinds[format].file;
	const struct buf *text = &r->sboms.text[format];
	auto_buf statement = {0};
	auto_buf bundle = {0};
	auto_buf bundle_name = {0};

	if (text->len == 0)
		return 0;
	if (outdir_write(r->out, name, text->data, text->len, err) < 0)
		return -1;
	if (!is_signed(r))
		return 0;
	buf_addf(&bundle_name, "%s" RUN_BUNDLE_SUFFIX, name);
	if (buf_check(&bundle_name, "bundle", err) < 0 || run_sbom_statement(r->plan, &r->image, &r->sboms, format, &statement, err) < 0)
		return -1;
	return sign(r, &statement, &bundle, bundle_name.data, err);
}

static int write_sboms(struct running *r, struct err *err)
{
	const struct run_sbom_facts facts = {
		.store = r->store, .plan = r->plan, .output = r->build.left.output.tree, .output_path = r->build.output_path,
		.image_fd = r->image_fd, .image = &r->image, .cached = !r->opt->no_cache,
	};

	if (report_phase(r->report, "list what is in the image", err) < 0 || run_sboms_make(&facts, &r->sboms, err) < 0)
		return -1;
	for (enum sbom_format i = 0; i < SBOM_FORMATS; i++)
		if (write_sbom(r, i, err) < 0)
			return -1;
	return 0;
}

static int write_manifests(struct running *r, struct err *err)
{
	return manifests_of(r->plan, &r->build.left.output.tree, &r->manifests, err) < 0 ? -1 : manifests_write(&r->manifests, r->store, r->out, err);
}

static int write_provenance(struct running *r, struct err *err)
{
	int64_t now = time(NULL);
	struct run_facts facts = {
		.plan = r->plan, .image = &r->image, .output = r->build.left.output.tree, .receipt = r->build.outcome.result.receipt,
		.cached = r->report->cached,
		.logs = r->report->logs, .nlogs = r->report->nlogs, .sboms = &r->sboms, .manifests = &r->manifests, .tests = &r->tests_statement,
		.builder_id = r->builder_id,
		/* The clock may have been set back meanwhile; no build ends before it starts. */
		.started = r->report->started, .finished = now < r->report->started ? r->report->started : now,
	};

	if (report_phase(r->report, is_signed(r) ? "sign provenance" : "write provenance (unsigned)", err) < 0 ||
	    provenance_statement(&facts, &r->statement, err) < 0)
		return -1;
	return attest(r, &r->statement, EVIDENCE_STATEMENT, &r->bundle, EVIDENCE_BUNDLE, err);
}

/** What the tests came to, where there are any. */
static int write_test_result(struct running *r, struct err *err)
{
	if (r->plan->spec->ntests == 0)
		return 0;
	if (tested_statement(&r->tested, r->plan, &r->image, &r->tests_statement, err) < 0)
		return -1;
	return attest(r, &r->tests_statement, EVIDENCE_TESTS_STATEMENT, &r->tests_bundle, EVIDENCE_TESTS_BUNDLE, err);
}

/** All that an auditor needs, in one file. */
static int write_evidence(struct running *r, struct err *err)
{
	struct evidence_parts parts = {
		.store = r->store, .plan = r->plan, .image_fd = r->image_fd, .statement = &r->statement, .bundle = &r->bundle,
		.tests_statement = &r->tests_statement, .tests_bundle = &r->tests_bundle, .manifests = &r->manifests,
		.cancel_fd = r->opt->cancel_fd,
	};

	if (r->opt->evidence == NULL)
		return 0;
	if (report_phase(r->report, "write the evidence", err) < 0 || evidence_file_write(&parts, r->evidence.fd, err) < 0)
		return -1;
	return target_publish(store_ident(r->store), r->opt->evidence, &r->evidence, err);
}

/** Runs a test on its copy of the built tree, and notes it; a required one that fails is the run's failure. */
static int run_test(struct running *r, size_t i, struct err *err)
{
	const struct spec_step *test = &r->plan->spec->tests[i];
	auto_step_outcome o = { .result.view_fd = -1 };

	if (build_test(&r->build, r->report, i, &o, err) < 0 || tested_add(&r->tested, &o, err) < 0)
		return -1;
	if (!o.ok && test->required && r->failure[0] == '\0')
		snprintf(r->failure, sizeof r->failure, "required test '%s' failed: %s (see logs/%s.log)", test->name, o.how,
			 test->name);
	return 0;
}

/** A limit that this host cannot enforce is told before anything runs, also that of the last test. */
static int check_limits(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i <= spec->ntests; i++) {
		const struct spec_step *step = i == 0 ? &spec->build : &spec->tests[i - 1];
		const struct sandbox_limits limits = limit_of_step(spec, step, 0);

		if (sandbox_check_limits(&limits, err) < 0)
			return err_ctx(err, "step '%s'", step->name);
	}
	return 0;
}

/** The variations that the spec asks for, as a list; nothing where it asks for none. */
static int add_variations(const struct plan *plan, struct buf *list, struct err *err)
{
	const struct spec_list *names = &plan->spec->reproducible.vary;

	for (size_t i = 0; i < names->n; i++)
		buf_addf(list, "%s%s", i == 0 ? "" : ",", names->v[i]);
	return buf_check(list, "variations", err);
}

/** Builds again as often as the spec asks. A build that leaves something else has failed. */
static int run_again(struct running *r, struct err *err)
{
	const struct spec_reproducible *ask = &r->plan->spec->reproducible;
	auto_buf list = {0};

	if (ask->check == 0)
		return 0;
	if (add_variations(r->plan, &list, err) < 0)
		return -1;
	/* Of builds that are not varied, the first has been. */
	const struct reproduce_options opt = {
		.vary = list.data, .by_spec = true, .rounds = list.data == NULL ? ask->check : ask->check - 1,
		.grace_ms = r->opt->grace_ms, .cancel_fd = r->opt->cancel_fd, .event = r->opt->event, .event_arg = r->opt->event_arg,
	};
	if (vary_run(r->store, r->plan, &opt, &r->build.left.output.tree, &r->again, err) < 0)
		return -1;
	if (r->again.broken_by == NULL)
		return 0;
	/* It has names of files in it, and result.json takes no half of a character. */
	auto_buf account = {0};
	text_brief(&account, r->again.account, strlen(r->again.account), ACCOUNT_SHOWN);
	if (buf_check(&account, "message", err) < 0)
		return -1;
	snprintf(r->failure, sizeof r->failure, "step '%s' is not reproducible: %s", r->plan->spec->build.name, account.data);
	return 0;
}

static int run_steps(struct running *r, struct err *err)
{
	const struct build_conf conf = {
		.store = r->store, .plan = r->plan, .grace_ms = r->opt->grace_ms, .cancel_fd = r->opt->cancel_fd, .report = r->report,
		.use = !r->plan->spec->caching ? CACHE_NONE : r->opt->no_cache ? CACHE_RECORD : CACHE_FULL,
	};

	if (build_run(&r->build, &conf, err) < 0)
		return -1;
	if (!r->build.outcome.ok) {
		snprintf(r->failure, sizeof r->failure, "step '%s' failed: %s (see logs/%s.log)", r->plan->spec->build.name,
			 r->build.outcome.how, r->plan->spec->build.name);
		return 0;
	}
	if (run_again(r, err) < 0)
		return -1;
	for (size_t i = 0; r->failure[0] == '\0' && i < r->plan->spec->ntests; i++)
		if (run_test(r, i, err) < 0)
			return -1;
	return 0;
}

static int note(struct running *r, const char *text, struct err *err)
{
	return report_event(r->report, &(struct run_event){ .type = RUN_NOTE, .text = text }, err);
}

/** A failure leaves the run's results as they are, and is told in them. */
static int publish(struct running *r, struct err *err)
{
	struct publishing *p = &r->publishing;
	const struct publish_what what = {
		.image_fd = r->image_fd, .image = &r->image.manifest, .out = r->out, .is_signed = is_signed(r),
	};
	auto_buf text = {0};

	if (report_phase(r->report, r->opt->publish->dry_run ? "publish (dry run)" : "publish", err) < 0)
		return -1;
	r->unpublished = publishing_run(p, &what, &r->publish_err) < 0;
	if (r->unpublished)
		return 0;
	for (size_t i = 0; i < p->nleft_out; i++) {
		auto_buf left = {0};

		buf_addf(&left, "tag '%s' is left out: the commit has no version tag", p->left_out[i]);
		if (buf_check(&left, "message", err) < 0 || note(r, left.data, err) < 0)
			return -1;
	}
	return publishing_text(p, &text, err) < 0 ? -1 : note(r, text.data, err);
}

/** The phases, in order; a failed step ends them without being an error of glovebox's. */
static int run_phases(struct running *r, struct err *err)
{
	if (run_steps(r, err) < 0)
		return -1;
	if (r->failure[0] != '\0')
		return 0;
	/* The provenance names what is written before it. */
	if (write_image(r, err) < 0 || write_sboms(r, err) < 0 || write_manifests(r, err) < 0 || write_test_result(r, err) < 0 ||
	    write_provenance(r, err) < 0 || write_evidence(r, err) < 0)
		return -1;
	return r->opt->publish == NULL ? 0 : publish(r, err);
}

static int finish(struct running *r, const char *outcome, const char *message, json_t **ret, struct err *err)
{
	auto_json published = NULL;

	/* Before result.json says that all is done. */
	if (outdir_tidy(r->out, err) < 0 ||
	    (r->opt->publish != NULL && publishing_json(&r->publishing, r->opt->out_dir, &published, err) < 0))
		return -1;
	struct run_end end = {
		.outcome = outcome, .message = message, .image = r->have_image ? &r->image : NULL,
		.output = r->build.have_output ? &r->build.left.output : NULL,
		.is_signed = r->have_image && is_signed(r), .key_id = is_signed(r) ? r->signer.key_id : NULL,
		.builder_id = r->builder_id, .sboms = &r->sboms, .published = published,
		.again = r->plan->spec->reproducible.check == 0 ? NULL : &r->again,
	};

	return report_finish(r->report, &end, ret, err);
}

/** Turns what the phases gave into the report and the verdict. */
static int conclude(struct running *r, int result, struct run_report *ret, struct err *err)
{
	auto_json j = NULL;
	struct err later = {0};

	if (result < 0) {
		/* The first failure is the one to tell; an out directory that can't be written to says so on its own. */
		(void)finish(r, "error", err->msg, &j, &later);
		return -1;
	}
	bool failed = r->failure[0] != '\0';
	if (failed)
		publishing_give_up(&r->publishing, r->failure);
	const char *message = failed ? r->failure : r->unpublished ? r->publishing.why.data : NULL;
	if (finish(r, failed || r->unpublished ? "failed" : "passed", message, &j, err) < 0)
		return -1;
	*ret = (struct run_report){
		.result = move_ptr(j), .have_image = r->have_image, .image = r->image.manifest, .image_tar = r->image.tar,
	};
	if (r->unpublished)
		*err = r->publish_err;
	return failed ? err_set(err, ERR_STEP, 0, "%s", r->failure) : r->unpublished ? -1 : 0;
}

static int run_signed(struct running *r, struct run_report *ret, struct err *err)
{
	if (outdir_open(r->opt->out_dir, !r->opt->out_implied, store_ident(r->store), r->out, err) < 0 ||
	    report_begin(r->plan, r->out, r->opt->event, r->opt->event_arg, r->report, err) < 0)
		return -1;
	/* Before anything is built: a place that cannot be written to is told at once. */
	if (r->opt->evidence != NULL && target_open(store_ident(r->store), r->opt->evidence, &r->evidence, err) < 0)
		return err_ctx(err, "--evidence");
	int result = conclude(r, run_phases(r, err), ret, err);
	build_clear(&r->build);
	reproduce_report_clear(&r->again);
	own_fd(&r->image_fd);
	return result;
}

/** What can be refused before anything runs. */
static int check(struct running *r, struct err *err)
{
	auto_buf list = {0};

	if (add_variations(r->plan, &list, err) < 0 || vary_check(list.data, store_ident(r->store), true, err) < 0)
		return spec_ctx(r->plan->spec, r->plan->spec->build.pos, err);
	if (plan_refuse_unsupported(r->plan, err) < 0 || check_limits(r->plan->spec, err) < 0 ||
	    refuse_builder_id(r->plan, r->builder_id, err) < 0)
		return -1;
	return r->opt->publish == NULL ? 0 : publishing_begin(r->plan, r->opt->publish, &r->publishing, err);
}

int run_plan(struct store *store, const struct plan *plan, const struct run_options *opt, struct run_report *ret,
	     struct err *err)
{
	auto_outdir out = OUTDIR_NONE;
	auto_report report = {0};
	struct running r = {
		.store = store, .plan = plan, .opt = opt, .signer = SIGNER_NONE, .evidence = TARGET_NONE, .image_fd = -1, .out = &out, .report = &report,
		.builder_id = opt->builder_id != NULL ? opt->builder_id : RUNNER_LOCAL_BUILDER,
	};

	int result = tested_begin(&r.tested, err) < 0 ? -1 : check(&r, err);
	if (result == 0 && opt->key_path != NULL &&
	    signer_start(store_ident(store), opt->key_path, opt->passphrase, opt->cancel_fd, &r.signer, err) < 0)
		result = err_ctx(err, "--key");
	if (result == 0)
		result = run_signed(&r, ret, err);
	target_clear(store_ident(store), &r.evidence);
	run_sboms_clear(&r.sboms);
	manifests_clear(&r.manifests);
	buf_free(&r.statement);
	buf_free(&r.bundle);
	buf_free(&r.tests_statement);
	buf_free(&r.tests_bundle);
	signer_end(&r.signer);
	tested_clear(&r.tested);
	publishing_clear(&r.publishing);
	return result;
}
