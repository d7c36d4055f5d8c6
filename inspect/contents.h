/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file contents.h
 * What an image holds, file by file: the trees of its layers, laid one over the other. Nothing is read but manifests, so every digest here is the
 * store's.
 */
#ifndef GB_INSPECT_CONTENTS_H
#define GB_INSPECT_CONTENTS_H

#include "store/store.h"

/** Most entries of all layers together. */
#define CONTENTS_MAX 1000000u
/** Most links on the way to a file. */
#define CONTENTS_LINKS_MAX 16
/** "There is no such file." */
#define CONTENTS_NONE SIZE_MAX

/** A file or link of the image. */
struct content {
	char *path;              /**< "usr/bin/env" */
	enum tree_type type;     /**< TREE_FILE or TREE_LINK; directories are not kept */
	unsigned mode;
	unsigned layer;          /**< the one that it is from, from 0 */
	uint64_t size;
	struct digest digest;    /**< files */
	struct sha1 sha1;        /**< files, where contents_add_tree() was given it */
	char *link;              /**< links */
	bool kept;               /**< while layers are laid */
};

/** All of them. Zero-initialise; contents_clear(). */
struct contents {
	struct content *v;       /**< once laid: in the order of paths, what is in a directory straight after its name */
	size_t n, room;
};
void contents_clear(struct contents *c);
#define auto_contents __attribute__((cleanup(contents_clear))) struct contents

/** Adds one entry of layer @p layer, of any type, at @p path ("" is the root and nothing is added). Strings are copied. ERR_INPUT over the limit. */
int contents_add(struct contents *c, const struct tree_entry *e, const char *path, unsigned layer, struct err *err);
/** Adds a tree of the store's as layer @p layer, at @p to, an absolute clean path. @p sha1: its files' (tree_sha1(), @p nsha1 of them), or NULL. ERR_INPUT
 *  where it is not there. */
int contents_add_tree(struct contents *c, struct store *store, const struct digest *tree, const char *to, unsigned layer,
		      const struct sha1 *sha1, size_t nsha1, struct err *err);
/** After the last one: what a later layer replaces is gone, and so are directories; c->v is in order. */
void contents_lay(struct contents *c);

/** The place in c->v of the file or link with exactly this path, or CONTENTS_NONE. */
size_t contents_find(const struct contents *c, const char *path);
/** The same for a path that may lead through links to directories ("bin/ls" where bin is a link); its last name is not followed. */
size_t contents_resolve(const struct contents *c, const char *path);
/** The places [*ret_from, *ret_to) of all that lies below the directory @p dir ("": all). */
void contents_below(const struct contents *c, const char *dir, size_t *ret_from, size_t *ret_to);

#endif
