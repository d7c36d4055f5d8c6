/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file untar.h
 * Reads a tar stream from front to back, strictly: the tar of a layer, which may
 * come from another tool. Private to oci/, but for inspect/, which lists archives with it.
 *
 * Understood: ustar and GNU headers, pax extended headers with the keywords
 * path, linkpath, size, uid, gid, and those that change nothing here (times, uname,
 * gname, hdrcharset, comment); GNU long names. Refused: everything else, by
 * name; wrong checksums; numbers that do not parse; bytes in padding;
 * two sources for one field; anything but zeros after the first zero block, of
 * which there must be two. A base's layer, whose bytes somebody vouches for, is read
 * with fewer questions (untar_ops.tolerant).
 */
#ifndef GB_OCI_UNTAR_H
#define GB_OCI_UNTAR_H

#include <stdint.h>

#include "base/base.h"
#include "oci/tar.h"

/** Longest pax header or GNU long name: two paths and some numbers need a third of it. */
#define UNTAR_EXTRA_MAX (32u << 10)
/** The same of a tolerant reading: extended attributes stand there too. */
#define UNTAR_EXTRA_TOLERANT_MAX (1u << 20)
/** Most pax records in one header. */
#define UNTAR_RECORDS_MAX 64

/** One entry. Strings are borrowed until the callback returns. */
struct untar_entry {
	enum tar_type type;  /**< TAR_FILE, TAR_HARDLINK, TAR_LINK or TAR_DIR; tolerant: TAR_SPECIAL too */
	const char *path;    /**< without a leading "./" and a closing slash; "" is the root itself */
	const char *link;    /**< TAR_LINK, TAR_HARDLINK (without a leading "./"), else NULL */
	unsigned mode;       /**< the lowest 12 bits */
	uint64_t uid, gid;
	uint64_t size;       /**< TAR_FILE */
	uint64_t offset;     /**< TAR_FILE: where its content begins in the tar */
	int64_t mtime;       /**< seconds, rounded down; 0 where the archive has no number there: images drop it */
	const char *uname, *gname; /**< names of the owner; "" where there is none. Images drop them too */
};

/** Where the bytes come from and where the entries go. */
struct untar_ops {
	/** Up to @p n bytes, fewer only at the end. */
	int (*read)(void *arg, void *data, size_t n, size_t *ret_got, struct err *err);
	/** Passes over @p n bytes of content, where the source can do that without reading them; or NULL. */
	int (*skip)(void *arg, uint64_t n, struct err *err);
	/** Called for every entry, before its content is passed over. */
	int (*entry)(void *arg, const struct untar_entry *e, struct err *err);
	void *arg;
	/** Another tool's layer, whose bytes somebody else vouches for: pax keywords that are not known, global headers, devices and
	 *  FIFOs are passed over or on, not refused, and the tar may end without its zero blocks, or have something behind them. */
	bool tolerant;
};

/** Walks the whole stream. What is wrong with it is ERR_UNVERIFIED and names the entry and the offset in the tar. */
int untar(const struct untar_ops *ops, struct err *err);

#endif
