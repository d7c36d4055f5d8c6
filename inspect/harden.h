/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file harden.h
 * What a hardened image would not have, or would have: findings, each with its reason and its cure. Private to inspect/.
 *
 * A finding is {"id", "count", "where": [paths, names], "why", "cure"}. It says what is so, not that it is wrong: an image for debugging has a
 * shell on purpose.
 */
#ifndef GB_INSPECT_HARDEN_H
#define GB_INSPECT_HARDEN_H

#include "inspect/overlay.h"

/** Most places that a finding lists; `count` counts them all. */
#define HARDEN_WHERE_MAX 20
/** Bytes of a file's beginning that are searched for secrets, and the largest file that is searched. */
#define HARDEN_HEAD 4096
#define HARDEN_FILE_MAX (1u << 20)

enum finding {
	FINDING_ROOT, FINDING_LABELS, FINDING_SECRET_ENV,
	/* of files: */
	FINDING_SETUID, FINDING_WRITABLE_FILE, FINDING_WRITABLE_DIR, FINDING_PROGRAM_OWNER, FINDING_SHELL, FINDING_PACKAGE_MANAGER,
	FINDING_PRIVATE_KEY, FINDING_CREDENTIALS, FINDING_REPOSITORY,
	FINDINGS,
};

/** Appends the findings in an image's config to @p list, without reasons. */
int harden_config(const json_t *config, json_t *list, struct err *err);
/** The same of its files (laid). Secrets are found in what upper layers hide, too: it is in the image nevertheless. */
int harden_files(const struct overlay *o, json_t *list, struct err *err);
/** Takes a list of whatever wrote it: what is no finding is ERR_INPUT; reasons and cures are added. */
int harden_believe(json_t *list, struct err *err);

#endif
