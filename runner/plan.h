/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file plan.h
 * The plan: what a run will do, with every input pinned by digest. Made once,
 * by plan.c from a spec's directory or by evidence.c from a provenance, and
 * constant from then on. Private to runner/.
 */
#ifndef GB_RUNNER_PLAN_H
#define GB_RUNNER_PLAN_H

#include "profiles/profiles.h"
#include "runner/base.h"
#include "runner/runner.h"
#include "spec/lock.h"

/** A source, snapshotted or fetched. */
struct plan_source {
	const char *name;    /**< borrowed from the spec */
	const char *mount;
	struct digest tree;
	struct snapshot_stats stats;
	struct digest file;  /**< of a url: the file's, as the spec or the lock pins it */
	uint64_t size;       /**< of that file; STORE_ANY_SIZE: not pinned */
	const char *commit;  /**< of a git source; borrowed from the spec or the lock. NULL for others */
};

/** The seccomp profile in force. */
struct plan_profile {
	char *name;
	const struct sock_filter *filter; /**< the shipped program, or `own.bpf` */
	size_t filter_len;
	const struct sock_filter *floor;  /**< loaded below a profile that is not a shipped one; NULL for those */
	size_t floor_len;
	struct digest text, bpf;
	const char *source;               /**< the text: the shipped one's, or `own_text` */
	size_t source_len;
	struct profile_refusals refusals; /**< lines of it */
	struct profile_program own;
	char *own_text;
};

/** What the spec's placeholders stand for. */
struct plan_facts {
	const char *v[SPEC_FACTS];   /**< as text, which is below; NULL: not used */
	char commit[FETCH_COMMIT_SIZE];
	char time[24];
	char version[sizeof ((struct fetch_git_facts *)0)->semver];
};

struct plan {
	struct spec *spec;
	struct buf text;             /**< the spec's bytes */
	struct digest text_digest;
	struct buf lock_text;        /**< of buildspec.lock; empty where the spec leaves nothing open */
	struct digest lock_digest;
	struct spec_lock lock;
	const char *rootfs_ref;      /**< pinned by digest; borrowed from the spec or the lock */
	struct digest rootfs;
	bool rootfs_is_image;        /**< of a registry: */
	struct digest rootfs_image;  /**< the manifest of the image that the tree is made of */
	struct plan_profile profile;
	struct plan_source *sources; /**< spec->nsources */
	struct plan_facts facts;
	struct base_image base;      /**< artifact.base, where it is an OCI image */
	struct buf held_back;        /**< why it is not published although that was asked for (spec.publish.when); empty: it is */
};

/** Parses the spec text into @p plan (taking the text over) and hashes it. @p bring brings what it includes. */
int plan_load_spec(struct plan *plan, const char *file, struct buf *text, spec_include_fn *bring, void *arg, struct err *err);

/** Asks git for the facts that the spec uses, where it uses any, and fills them in; of plan_options.publish, decides by them. */
int plan_find_facts(struct plan *plan, struct store *store, const struct plan_options *opt, int spec_dirfd, struct err *err);
/** Finds the image of a registry that the plan's rootfs is, and its tree: in the store, or as @p registry says (NULL: nowhere else). */
int plan_fetch_rootfs(struct plan *plan, struct store *store, const struct registry_conf *registry, struct err *err);

/** Fills in the facts as plan_facts_json() wrote them, or NULL: exactly those that the spec uses have to be there, a version that only tags
 *  use perhaps; else ERR_UNVERIFIED. */
int plan_load_facts(struct plan *plan, const json_t *recorded, struct err *err);

/** The facts that are used, as an object: new reference. NULL: memory is short. */
json_t *plan_facts_json(const struct plan *plan);

/** Takes the lock's text over and pins by it what the spec leaves open. With no text (of length 0) the spec has to leave nothing open
 *  (ERR_USAGE at its place in the spec). */
int plan_load_lock(struct plan *plan, const char *file, struct buf *text, struct err *err);

void plan_profile_clear(struct plan_profile *p);
/** Compiles the text of a profile that is not a shipped one into @p p, whose name is set, with the floor below it; or finds that in the
 *  store's cache. */
int plan_compile_profile(struct store *store, struct plan_profile *p, const struct buf *text, struct err *err);

/** The argument vector of a command: its argv, or /bin/sh -e -c SHELL. @p ret: NULL-terminated, of borrowed strings; free() the array. */
int plan_argv(const struct spec_command *command, const char ***ret, struct err *err);

/** The whole environment of a step (design.md, fact 7) as "K=V" strings. Free with plan_env_free(). */
int plan_env(const struct spec *spec, char ***ret, struct err *err);
/** Puts @p value (NULL: nothing is to change) in place of what glovebox itself gives under that name; what the spec says stays. */
int plan_env_replace(const struct spec *spec, char **env, const char *name, const char *value, struct err *err);
void plan_env_free(char **env);

/** The environment every sandbox starts from, before a spec adds to it: SOURCE_DATE_EPOCH as given. */
int plan_base_env(int64_t epoch, const struct spec_pair *add, size_t nadd, char ***ret, struct err *err);

/** What the image is called in its attestations. Borrowed from the spec. */
const char *plan_image_name(const struct plan *plan);

/** ERR_USAGE where the spec has something that this version cannot carry out: a gate that cannot be evaluated must
 *  not look as if it had passed. */
int plan_refuse_unsupported(const struct plan *plan, struct err *err);

#endif
