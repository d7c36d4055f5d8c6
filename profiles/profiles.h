/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file profiles.h
 * profiles/: seccomp policy files and their compilation to BPF (seccomp(2),
 * glovebox-profile(5)). Policy is data: `*.yaml` here, in the vocabulary of the
 * OCI runtime-spec's `linux.seccomp` section. Shipped profiles are compiled when
 * glovebox is built and embedded; files of the user are compiled when used.
 */
#ifndef GB_PROFILES_H
#define GB_PROFILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <linux/filter.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"

#define PROFILE_TEXT_MAX (1u << 20)
/** The kernel takes no longer program (BPF_MAXINSNS). */
#define PROFILE_BPF_MAX 4096

/** One comparison of one argument (64 bits, unsigned); op as libseccomp's enum scmp_compare. */
struct profile_cond {
	uint8_t index, op;
	uint64_t value;     /**< for a masked comparison the mask */
	uint64_t value_two; /**< what the masked argument must be */
};

/** A rule that refuses a call with an errno other than ENOSYS, and where its name stands in the text. */
struct profile_refusal {
	uint16_t nr, nconds;
	uint32_t first_cond;
	uint32_t line, col; /**< from 1; col in bytes */
};

/** All of a profile's, for one architecture: by number, and within one number in the order of the text. */
struct profile_refusals {
	const struct profile_refusal *rows;
	size_t n;
	const struct profile_cond *conds;
};

/** A profile that is part of the program. Static. */
struct profile_builtin {
	const char *name;              /**< "default", "strict", "debug" */
	const char *text;              /**< the YAML */
	size_t text_len;
	const struct sock_filter *bpf; /**< for the architecture this was built for */
	size_t bpf_len;
	struct profile_refusals refusals;
	struct digest text_digest;     /**< SHA-256 of text */
	struct digest bpf_digest;      /**< SHA-256 of the program's bytes */
};

/** The shipped profile of that name, or NULL. */
const struct profile_builtin *profile_builtin(const char *name);
/** The i-th shipped profile in the order of names, or NULL past the end. */
const struct profile_builtin *profile_builtin_at(size_t i);
/** The floor (`floor.yaml`): what no profile may allow. To be loaded below every profile that is not shipped (the shipped
 *  ones allow nothing that it refuses): the kernel asks all filters, and the strictest answer holds. It is no profile to
 *  choose: profile_builtin() does not know it. */
const struct profile_builtin *profile_floor(void);

/** A compiled profile, owned. */
struct profile_program {
	struct sock_filter *bpf;
	size_t bpf_len;
	struct profile_refusal *refusals;
	size_t nrefusals;
	struct profile_cond *conds;
	size_t nconds;
	struct digest text_digest, bpf_digest;
};
static inline void profile_program_clear(struct profile_program *p)
{
	free(p->bpf);
	free(p->refusals);
	free(p->conds);
	*p = (struct profile_program){ 0 };
}
#define auto_profile_program __attribute__((cleanup(profile_program_clear))) struct profile_program

/** Parses profile text (YAML or JSON) and compiles it for the native architecture, all others killed; the same
 *  text gives the same bytes on every host. Of a call's rules the first in the text that matches decides. System call
 *  names that libseccomp does not know are ERR_USAGE, but in a group with `optional: true` and in Docker's and Podman's
 *  files (known by their archMap); names of other architectures' calls are skipped. Errors are "FILE:LINE:COL: …";
 *  ERR_HOST on an architecture other than x86_64 and aarch64. */
int profile_compile(const char *file, const char *text, size_t n, struct profile_program *ret, struct err *err);

/** A compiled profile as bytes, for a cache; appended to @p out. Only for hosts of the same kind. */
int profile_pack(const struct profile_program *p, struct buf *out, struct err *err);
/** Back. ERR_INPUT for bytes that profile_pack() did not write; whether they are the text's is for the key to say. */
int profile_unpack(const char *data, size_t n, struct profile_program *ret, struct err *err);
/** What a packed profile depends on: the text, this compiler, libseccomp's version, the architecture. */
int profile_pack_key(const void *text, size_t n, struct digest *ret, struct err *err);

/** The rule that refuses this call, which the kernel has said is refused; NULL when no rule but the default does. */
const struct profile_refusal *profile_find_refusal(const struct profile_refusals *r, int nr, const uint64_t args[6]);

/* ---- explaining and checking: explain.c, check.c --------------------------------------- */

/** What a profile's text says to the call @p call (a name, or a number), with up to six arguments as words (a number, a name such as
 *  AF_VSOCK, several with | between, or _ for any; any, where there are fewer). *ret, a new reference:
 *  {"profile", "call", "number",
 *   "rules": [those that can decide, in order: {"line", "answer": "allowed", "refused", "killed", "trapped" or "logged", "errno", "error",
 *             "where": [conditions in words], "comment", "default": true at the default}],
 *   "floor": [the same of the floor; only where @p file is no shipped profile's name],
 *   "opens": [what it, or these arguments of it, would open: clauses]}.
 *  ERR_USAGE for an unknown call, an argument that is none, a text that is no profile. */
int profile_explain(const char *file, const char *text, size_t n, const char *call, const char *const *args, size_t nargs,
		    json_t **ret, struct err *err);

/** Looks for what a profile's text, though it may be loaded, hardly means. *ret, a new reference: [{"line", "column", "severity": "error" or
 *  "warning", "message"}], in the order of lines; empty where all is well. An error is what keeps it from being loaded, what
 *  contradicts itself, and what lets nothing run; files of container engines, which are written for engines that read them
 *  otherwise, get warnings for what contradicts itself. -1 only where that could not be found out. */
int profile_check(const char *file, const char *text, size_t n, json_t **ret, struct err *err);
/** Whether there is an error among what it found. */
bool profile_found_error(const json_t *findings);

/* ---- learning: learn.c, learn_write.c ------------------------------------------------- */

/** What was seen of a command's calls. */
struct profile_learner;

/** Begins to learn what a command needs of @p within, the ceiling that it runs under: what is learnt never allows more. */
int profile_learner_new(const struct profile_builtin *within, struct profile_learner **ret, struct err *err);
void profile_learner_free(struct profile_learner *l);
static inline void own_profile_learner(struct profile_learner **l)
{
	profile_learner_free(*l);
}
#define auto_profile_learner __attribute__((cleanup(own_profile_learner))) struct profile_learner *

/** Takes note of one call. @return NULL, or, where such a call is new, the place for the name of who made it: a string of malloc(),
 *  which the learner owns from then on. */
char **profile_learn(struct profile_learner *l, int nr, const uint64_t args[6]);

/** Appends the smallest profile under which these calls get the answers that they got, and nothing else is allowed: a file for
 *  profile_compile(). Each of its rules says how often it was used and by whom first; what was refused is named, with what it would
 *  have opened. @p command is for people. It is checked before it is handed out: ERR_INTERNAL where it would allow what its ceiling
 *  does not. */
int profile_learner_write(const struct profile_learner *l, const char *command, struct buf *out, struct err *err);

/** Appends the call as a C programmer would write it, `socket(AF_INET, 0x80001, 0)`: the name as it stands in the text at
 *  the rule, arguments that are numbers; "…" for those that point to memory, which nobody here has looked at. */
void profile_describe_call(const struct profile_refusal *rule, const char *text, size_t n, const uint64_t args[6],
			   struct buf *out);

#endif
