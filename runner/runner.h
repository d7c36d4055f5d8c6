/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file runner.h
 * runner/: the engine. A spec is resolved to an immutable plan in which every
 * input is pinned by digest; the plan's steps run in the sandbox; what they
 * leave is harvested, packed into an image and attested; and the same plan can be
 * taken from a provenance and run again.
 *
 *     spec ─ plan.c ─→ plan ─ steps.c ─→ tree ─ image.c ─→ image.tar ─ provenance.c ─→ bundle
 *                        ↑ evidence.c reads it back from a provenance (reproduce.c)
 */
#ifndef GB_RUNNER_H
#define GB_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "fetch/registry.h"
#include "oci/oci.h"
#include "sandbox/sandbox.h"
#include "spec/spec.h"
#include "store/store.h"

/** The builder id of a run on somebody's own machine (SLSA v1: L1 at most). */
#define RUNNER_LOCAL_BUILDER "https://glovebox.dev/builders/local/v1"

/** What the engine tells while it works. Borrowed, valid during the call. */
enum run_event_type {
	RUN_PHASE,        /**< text: what begins ("snapshot sources") */
	RUN_STEP_STARTED, /**< step */
	RUN_STEP_ENDED,   /**< step; ok; text: how it ended; ms */
	RUN_NOTE,         /**< text: something worth knowing that is no failure */
};
struct run_event {
	enum run_event_type type;
	const char *step;
	const char *text;
	bool ok;
	uint64_t ms;
};
typedef void run_event_fn(void *arg, const struct run_event *event);

/* ---- plan ------------------------------------------------------------ */

struct plan;
void plan_free(struct plan *plan);
static inline void own_plan(struct plan **p)
{
	plan_free(*p);
}
#define auto_plan __attribute__((cleanup(own_plan))) struct plan *

/** How a spec is resolved. Borrowed. */
struct plan_options {
	const char *out_dir;         /**< left out of sources that contain it; or NULL */
	const char *key_path;        /**< inside a source it is ERR_USAGE; or NULL */
	const struct fetch_net *net; /**< how to reach what is not in the store yet */
	bool publish;                /**< the image shall be published: git is asked whether spec.publish.when has it so */
	const struct registry_conf *registry; /**< how to reach images that are not; NULL: not at all */
};

/** Resolves the spec file @p path, with the buildspec.lock beside it where it leaves anything open: snapshots and fetches its sources
 *  into the store, finds its rootfs and profile, pins all by digest. ERR_USAGE with file:line:col, ERR_INPUT for a missing input. */
int plan_resolve(struct store *store, const char *path, const struct plan_options *opt, struct plan **ret, struct err *err);

/** The plan as JSON (glovebox-plan schema 1): new reference. */
int plan_json(const struct plan *plan, json_t **ret, struct err *err);

/** What each step of the plan would take from the step cache now, and why: an array of {"name", "cache", "reason", "stepKey"}. New reference. */
int plan_explain_cache(struct store *store, const struct plan *plan, json_t **ret, struct err *err);

/** Pins what the spec file @p path leaves open, and writes that into buildspec.lock beside it, as the caller. @p rootfs: the name in
 *  the store of the root filesystem, or an image in a registry, "oci:HOST/PATH[:TAG][@sha256:…]", which is fetched; NULL: what the spec
 *  calls it. @p registry is how to reach those. @p ret_text (appended): what was written. */
int lock_write(struct store *store, const char *path, const char *rootfs, const struct fetch_net *net,
	       const struct registry_conf *registry, struct buf *ret_text, struct err *err);

/** Reads and parses the spec file @p path and what it includes, with the caller's rights, without a store. Errors as spec_parse_with(). */
int spec_read(const char *path, struct spec **ret, struct err *err);

/** Checks the lock beside the spec file @p path against its text, where there is one and the spec needs one. With the caller's
 *  rights, without a store. ERR_USAGE with file:line:col. */
int lock_check(const char *path, const struct spec *spec, struct err *err);

/* ---- run ------------------------------------------------------------- */

/** Who knows the passphrase of an encrypted key. Borrowed. */
struct key_passphrase {
	/** Puts the passphrase of the key @p what into @p ret, which has room for ATTEST_PASSPHRASE_MAX + 1 bytes and is the caller's
	 *  to wipe. Called in a process apart, with all signals blocked; gives up when @p hangup_fd (-1: none) becomes readable. */
	int (*ask)(void *arg, const char *what, int hangup_fd, struct buf *ret, struct err *err);
	void *arg;
};

struct registry_conf;

/** That a run's image shall go to a registry. Borrowed. */
struct run_publish {
	const struct registry_conf *registry; /**< how to reach it; how often and when to try again, the spec says */
	bool dry_run;             /**< say what would go where, and ask nobody */
};

struct run_options {
	const char *out_dir;      /**< made when missing; must be empty, or hold an earlier run's result */
	bool out_implied;         /**< nobody named it: a link at its place (a repository's, say) is not followed */
	const char *key_path;     /**< private key (PEM), or NULL: an unsigned statement */
	const struct key_passphrase *passphrase; /**< asked once, before anything runs, where the key is encrypted; or NULL */
	const char *evidence;     /**< file for image, attestation and all inputs, or NULL */
	const char *builder_id;   /**< or NULL: RUNNER_LOCAL_BUILDER */
	const struct run_publish *publish; /**< or NULL: nothing leaves the host */
	uint64_t grace_ms;        /**< 0: the sandbox's default */
	bool no_cache;            /**< takes no result from the store; records all the same */
	int cancel_fd;            /**< see sandbox_conf; -1: none */
	run_event_fn *event; void *event_arg; /**< or NULL */
};

/** What a run gave. */
struct run_report {
	json_t *result;                /**< result.json: new reference; set also when a step or test failed */
	bool have_image;
	struct digest image;           /**< manifest digest */
	struct digest image_tar;
};
void run_report_clear(struct run_report *r);
#define auto_run_report __attribute__((cleanup(run_report_clear))) struct run_report

/** Runs a whole plan, fills the out directory, and publishes what is in it where that is asked for. A failed step or required test is
 *  ERR_STEP, a failure to publish ERR_PUBLISH (ERR_INTERRUPTED, ERR_INTERNAL), both with @p ret filled all the same; other failures leave it
 *  untouched. ERR_INTERRUPTED when cancelled. A plan that cannot be published is ERR_USAGE before anything runs. */
int run_plan(struct store *store, const struct plan *plan, const struct run_options *opt, struct run_report *ret,
	     struct err *err);

/* ---- reproduce ------------------------------------------------------- */

struct reproduce_options {
	const char *evidence;          /**< out directory of a run, or a file of its evidence */
	const struct key *const *keys; size_t nkeys; /**< 0: --unverified */
	const char *vary;              /**< variations, see reproduce_vary_check(), or NULL */
	bool by_spec;                  /**< a spec asks for them, and not whoever started this: it has no say in whose rights are used */
	unsigned rounds;               /**< how often, at least 1 */
	bool fragile;                  /**< then also change what a build may depend on, but had better not */
	const char *keep_dir;          /**< where the rebuilt image.tar goes, or NULL */
	uint64_t grace_ms;
	int cancel_fd;
	run_event_fn *event; void *event_arg;
};

/** Checks a list of variations with commas between them, each in a build of its own; or "all", of the host at once, and one by one where
 *  that gives something else. ERR_USAGE names what is none. */
int reproduce_vary_check(const char *list, struct err *err);

/** How far the rebuilt image is the same (design.md, fact 10): all bytes; layers and config; neither. */
enum reproduce_verdict { REPRODUCED_IMAGE, REPRODUCED_CONTENT, NOT_REPRODUCED };

struct reproduce_report {
	enum reproduce_verdict verdict;
	struct digest expected, got;   /**< manifest digests */
	char account[2048];            /**< where they differ and why, in a line for people; empty when identical */
	json_t *differences;           /**< owned: the report of inspect/inspect.h; NULL when identical, or with nothing to compare */
	const char *broken_by;         /**< the variation under which it was not the same (static): "nothing": another run as it is, "all": none alone;
	                                    or NULL */
	unsigned rounds;               /**< in which one; else how many there were. 0: not the same in the first build already */
	json_t *varied;                /**< owned: names of the variations that it was the same under; NULL unless it was under all */
	json_t *fragile;               /**< owned: a list of {"varied", "account"}, of those of class B that change it; NULL: not asked */
	json_t *statement;             /**< owned: the provenance that this is about */
};
void reproduce_report_clear(struct reproduce_report *r);
#define auto_reproduce_report __attribute__((cleanup(reproduce_report_clear))) struct reproduce_report

/** Builds again from what the provenance names, and compares. ERR_UNVERIFIED when the evidence does not hold, ERR_INPUT when an
 *  input is not in the store. A verdict of NOT_REPRODUCED is a success of this function. */
int reproduce(struct store *store, const struct reproduce_options *opt, struct reproduce_report *ret, struct err *err);

/* ---- an image of a directory ------------------------------------------ */

struct image_pack_options {
	const char *dir;               /**< packed in the sources' normal form, all of it */
	const char *out;               /**< the archive; an older one is replaced once the new one is whole */
	const char *to;                /**< where in the image: absolute clean path */
	const char *base;              /**< "scratch", a root filesystem of the store, "oci:PATH@sha256:…", or one in a registry */
	const struct registry_conf *registry; /**< how to reach that; NULL: not at all */
	enum oci_compression codec;
	const char *name;              /**< reference name in index.json, or NULL */
	const struct oci_config *config; /**< but for its base */
	int cancel_fd;                 /**< -1: none */
};

struct image_pack_report {
	struct digest image;           /**< manifest digest */
	struct digest tar;             /**< of the archive */
	uint64_t tar_size;
};

/** Packs the directory, which is read once; the store holds scratch and bases, nothing of it. ERR_INPUT for what is not there or cannot be in an image, ERR_USAGE for an archive
 *  that cannot be written where it should go, or that would lie in the directory. */
int image_pack(struct store *store, const struct image_pack_options *opt, struct image_pack_report *ret, struct err *err);

/* ---- profiles -------------------------------------------------------- */

struct plan_profile;
/** Finds the seccomp profile @p name; @p ret is zero-initialised. */
typedef int plan_profile_fn(struct store *store, int dirfd, const char *name, struct plan_profile *ret, struct err *err);
/** A shipped profile, else a file relative to @p dirfd. Its text goes into the store, so that reproduce finds it. */
plan_profile_fn plan_load_profile;
/** A shipped profile alone; ERR_USAGE for another. For a program without the compiler of profiles. */
plan_profile_fn plan_load_shipped_profile;

/* ---- exec ------------------------------------------------------------ */

/** One `SRC:DST` (--ro, --rw) or `PATH=DIR` (--output) of exec. */
struct exec_bind {
	const char *outside, *inside;
};

/** Where a receipt will appear: a name in a directory that is held open. Zero-initialise with EXEC_NO_RECEIPT. */
struct exec_receipt {
	int dir;                       /**< -1: none is wanted */
	char *name;
	mode_t mode;
	struct ident caller;           /**< whose it will be */
};
#define EXEC_NO_RECEIPT ((struct exec_receipt){ .dir = -1 })
void exec_receipt_clear(struct exec_receipt *r);
#define auto_exec_receipt __attribute__((cleanup(exec_receipt_clear))) struct exec_receipt

/** Opens the directory of @p path. Before a store is opened: with the caller's rights. ERR_USAGE unless the name is new, or that of a
 *  regular file. @p option names it in messages. */
int exec_receipt_open(const char *option, const char *path, struct exec_receipt *ret, struct err *err);
/** Makes a file of these bytes appear whole in that place, as the caller's. */
int exec_receipt_publish(const struct exec_receipt *r, const void *data, size_t n, struct err *err);
/** Makes the receipt appear whole, in place of an older one, with @p exit_code in it: that of a command, or, where @p report is
 *  NULL, of @p failure. Nothing when none is wanted. */
int exec_receipt_write(const struct exec_receipt *r, json_t *report, const struct err *failure, int exit_code, struct err *err);

struct exec_options {
	const char *rootfs;
	const char *profile;           /**< name or file, */
	plan_profile_fn *load_profile; /**< and what finds it */
	bool loopback;
	const struct exec_bind *ro, *rw, *outputs;
	size_t nro, nrw, noutputs;
	const char *const *env; size_t nenv; /**< "K=V" */
	const char *workdir;           /**< or NULL: "/" */
	struct sandbox_limits limits;
	const char *const *argv;       /**< NULL-terminated */
	const int *relay;              /**< see sandbox_conf: where the command's stdout and stderr go */
	int cancel_fd;
	sandbox_call_fn *learn; void *learn_arg; /**< see sandbox_conf, or NULL */
	struct exec_receipt *receipt;  /**< or NULL; its place is checked, and left (exec_receipt_clear()) where it cannot be */
};

struct exec_report {
	int exit_code;                 /**< as glovebox-exec(1) passes it on */
	const char *end;               /**< how it ended, in the receipt's words: "exited", "timeout", … Static. */
	int code;                      /**< exit status, signal or errno, by `end` */
	enum sandbox_limit limit;      /**< the one it ran into, with its figure, or SANDBOX_NO_LIMIT */
	uint64_t limit_value;
	json_t *refused;               /**< calls that the filter refused, as in the receipt, or NULL: new reference */
	json_t *receipt;               /**< new reference; NULL where none is wanted */
	char *notes;                   /**< what people should be told besides: printable lines, each ended; or NULL */
};
void exec_report_clear(struct exec_report *r);
#define auto_exec_report __attribute__((cleanup(exec_report_clear))) struct exec_report

/** Runs one command in the box. -1 when glovebox failed before or around the command. Places outside are opened before the
 *  command: what it does to the paths that led there means nothing. */
int exec_command(struct store *store, const struct exec_options *opt, struct exec_report *ret, struct err *err);

/** exec_options.learn for a profile_learner as its argument: takes note of a call, and names who made it first by /proc. */
sandbox_call_fn exec_learn;

#endif
