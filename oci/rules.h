/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rules.h
 * The layer rules: what an entry of a layer may be, whoever made the layer.
 * Private to oci/, but for rules_whiteout(), which the import of layers uses.
 *
 * - Types: file, directory, symbolic link, hard link to a file that came before.
 * - Paths and hard link targets: relative, no empty, "." or ".." component, at
 *   most TAR_PATH_MAX bytes, once a layer, never through something that is not a
 *   directory (an earlier link in this layer or one below it).
 * - Modes: permission bits and the sticky bit; no setuid, no setgid.
 * - Whiteouts (`.wh.NAME`, `.wh..wh..opq`): empty files, no other `.wh..wh.` name.
 *
 * A kept layer, one of a base image that is pinned by its digest, may be anything: of it only
 * the paths are remembered, for the layers above it.
 */
#ifndef GB_OCI_RULES_H
#define GB_OCI_RULES_H

#include <stdbool.h>

#include "oci/untar.h"

/** Why @p path may not be an entry's path, or NULL when it may. Static text. */
const char *rules_path(const char *path);
/** Why @p mode may not be an entry's mode, or NULL. */
const char *rules_mode(unsigned mode);
/** Why @p target may not be a symbolic link's target, or NULL. */
const char *rules_link_target(const char *target);
/** Whether any component of @p path begins with ".wh.". */
bool rules_is_whiteout(const char *path);

/** What a name in a layer means. */
enum rules_mark {
	RULES_PLAIN,     /**< itself */
	RULES_WHITEOUT,  /**< ".wh.NAME": NAME, of the layers below, is gone, and all that is in it */
	RULES_OPAQUE,    /**< ".wh..wh..opq": what the layers below have in its directory is gone */
};
/** What an entry at @p path means; @p victim gets what it is about: NAME with its directory, or the directory ("" is the root). Why that may
 *  not be, or NULL. Ask buf_check() for failure. */
const char *rules_whiteout(const char *path, bool is_empty_file, enum rules_mark *ret, struct buf *victim);

/** What the layers of one image have said so far: every path and what it is. */
struct rules;

/** @return a new state before the first layer, or NULL when memory is short. */
struct rules *rules_new(void);
void rules_free(struct rules *r);
static inline void own_rules(struct rules **r)
{
	rules_free(*r);
}
#define auto_rules __attribute__((cleanup(own_rules))) struct rules *

/** The next layer begins. */
void rules_next_layer(struct rules *r);
/** Checks one entry and remembers it. A broken rule is ERR_UNVERIFIED. */
int rules_check(struct rules *r, const struct untar_entry *e, struct err *err);
/** Remembers an entry of a layer that somebody else vouches for, whatever it is: only a path that leads nowhere certain (an empty, "." or
 *  ".." component, too long) is ERR_UNVERIFIED. */
int rules_note(struct rules *r, const struct untar_entry *e, struct err *err);
/** Remembers a link that the layer now written puts at @p path, or what else it puts in place of one. */
int rules_put(struct rules *r, const char *path, enum tar_type type, struct err *err);
/** Whether the layers so far have left a symbolic link at @p path. */
bool rules_is_link(const struct rules *r, const char *path);

#endif
