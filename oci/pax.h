/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pax.h
 * What stands in front of a tar entry and says more of it than its header can:
 * pax extended headers (POSIX.1-2017) and GNU long names. Private to oci/.
 */
#ifndef GB_OCI_PAX_H
#define GB_OCI_PAX_H

#include <stdint.h>

#include "base/buf.h"

/** Which fields were given. */
enum pax_has {
	PAX_PATH = 1, PAX_LINK = 2, PAX_SIZE = 4, PAX_UID = 8, PAX_GID = 16,
	PAX_HEADER = 32,  /**< there was a pax header at all */
	/* What images drop; nothing about them is an error. */
	PAX_MTIME = 64, PAX_UNAME = 128, PAX_GNAME = 256,
};

/** Zero-initialise. Owns its buffers; pax_free(). */
struct pax_fields {
	unsigned has;     /**< enum pax_has */
	struct buf path, link;
	uint64_t size, uid, gid;
	int64_t mtime;           /**< seconds, where PAX_MTIME */
	struct buf uname, gname; /**< where PAX_UNAME, PAX_GNAME */
};

/** Takes over what the records in @p content say. A second header for one entry, a keyword
 *  that is not known to be harmless (but with @p tolerant), a keyword twice, bad form: ERR_UNVERIFIED. */
int pax_parse(struct pax_fields *f, const struct buf *content, bool tolerant, struct err *err);
/** Takes over a GNU long name (@p which is PAX_PATH) or link target (PAX_LINK). */
int pax_gnu_name(struct pax_fields *f, enum pax_has which, const struct buf *content, struct err *err);
/** Forgets the fields once their entry has come; keeps the memory. */
void pax_clear(struct pax_fields *f);
void pax_free(struct pax_fields *f);

#endif
