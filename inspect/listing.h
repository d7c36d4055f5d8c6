/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file listing.h
 * The members of a directory or of an archive, and how those of two are paired. Private to inspect/.
 */
#ifndef GB_INSPECT_LISTING_H
#define GB_INSPECT_LISTING_H

#include "inspect/node.h"

/** Most members of one side, and bytes of their names and targets. */
#define LISTING_MAX 1000000u
#define LISTING_NAMES_MAX (128u << 20)
/** Longest name of an owner that is kept. */
#define LISTING_OWNER_MAX 32

enum member_type { MEMBER_FILE, MEMBER_DIR, MEMBER_LINK, MEMBER_HARD, MEMBER_OTHER };

/** One member. Fields that its kind of archive has not are 0, and equal. */
struct member {
	char *path;
	char *link;              /**< MEMBER_LINK, MEMBER_HARD; else NULL */
	enum member_type type;
	unsigned mode;           /**< permission bits, setuid, setgid, sticky */
	uint64_t uid, gid;
	char uname[LISTING_OWNER_MAX], gname[LISTING_OWNER_MAX];
	int64_t mtime;
	uint64_t offset, size;   /**< of the content, in the listing's slice: as it is stored, unless `packed` says otherwise */
	size_t index;            /**< in the archive's own order */
	bool packed;             /**< zip: deflated; `stored` bytes lie at `offset`, with checksum `crc` when unpacked */
	uint64_t stored;
	uint32_t crc;
	unsigned method, made_by; /**< zip */
	uint64_t head, head_size, head_sum; /**< tar: where in the slice its header and what extends it lie, and a number that follows from their bytes */
};

/** All of one side. Zero-initialise but for `dir`; listing_clear(). */
struct listing {
	struct member *v;
	size_t n, room;
	uint64_t name_bytes;
	int dir;                 /**< a directory: contents are opened below it (borrowed); -1: an archive */
	struct slice from;       /**< an archive: where it is */
};
#define LISTING_OF(slice) ((struct listing){ .dir = -1, .from = (slice) })

void listing_clear(struct listing *l);
#define auto_listing __attribute__((cleanup(listing_clear))) struct listing

/** Adds a member; its path and link are copied. ERR_INPUT over a limit. */
int listing_add(struct listing *l, const struct member *m, struct err *err);
/** Fills in the members of a directory, through no link and into no special file. */
int listing_read_dir(struct listing *l, struct err *err);
/** Sorts two listings, pairs what has one path, then what moved, and tells @p node what differs. @p depth is that of the members' content. */
int pair_listings(struct look *l, json_t *node, struct listing *a, struct listing *b, int depth, struct err *err);

#endif
