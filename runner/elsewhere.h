/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file elsewhere.h
 * A second store for a while, at another path, where root asks for it of another step user: with what a plan's build takes, and nothing
 * else. It lies in a scratch of the first one, and goes with this process, however that ends. Private to runner/.
 */
#ifndef GB_RUNNER_ELSEWHERE_H
#define GB_RUNNER_ELSEWHERE_H

#include "runner/plan.h"

struct elsewhere {
	const struct ident *home;     /**< the first store's */
	struct store_scratch *scratch;
	struct apart remover;         /**< takes it away once this process has let go of it, or is gone: the first store's user could not */
	struct store *store;
};
#define ELSEWHERE_NONE ((struct elsewhere){ .remover = APART_NONE })

/** Makes it, and copies the root filesystem and the sources. @p other_user: only for root. ERR_INTERRUPTED. */
int elsewhere_open(struct store *home, const struct plan *plan, bool other_user, int cancel_fd, struct elsewhere *ret, struct err *err);
/** From here to the end this process works as the user of elsewhere->store, and not as that of the first: only one of the two stores can
 *  be written to. */
int elsewhere_begin(const struct elsewhere *e, struct err *err);
/** Ends it after work that gave @p result, and gives that, or -1. */
int elsewhere_end(const struct elsewhere *e, int result, struct err *err);
void elsewhere_close(struct elsewhere *e);
#define auto_elsewhere __attribute__((cleanup(elsewhere_close))) struct elsewhere

#endif
