/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tar.h
 * The one form in which glovebox writes tar members (POSIX.1-2017 pax, ustar
 * headers). Private to oci/.
 *
 * - A header is ustar: magic "ustar\0" "00", numbers in octal with leading zeros
 *   and a closing NUL, empty uname and gname, device numbers 0, NUL elsewhere.
 * - A directory's name ends with a slash. A name over 100 bytes is split into
 *   prefix and name at the last slash that the prefix can hold.
 * - What ustar cannot hold goes into an extended header "././@PaxHeader" just
 *   before, with records in this order, each only where needed:
 *   hdrcharset, path, linkpath, size, uid, gid. The ustar field then holds 0, or
 *   for names the first 100 bytes.
 * - Names are bytes. ustar fields hold them raw; a pax value that is not UTF-8 is
 *   announced by `hdrcharset=BINARY`: libarchive needs it, GNU tar, Go and Python
 *   take the raw bytes with or without it.
 * - An archive ends with two zero blocks and nothing after them: no filling up to
 *   a 10,240 byte record, which is for tapes.
 */
#ifndef GB_OCI_TAR_H
#define GB_OCI_TAR_H

#include <stdint.h>

#include "base/buf.h"

#define TAR_BLOCK 512
/** Zero bytes that close an archive. */
#define TAR_END (2 * TAR_BLOCK)

#define TAR_NAME_MAX 100
#define TAR_PREFIX_MAX 155
/** Largest uid and gid of seven octal digits. */
#define TAR_ID_MAX 07777777u
/** Largest size and time of eleven octal digits: 8 GiB - 1. */
#define TAR_NUMBER_MAX 077777777777ull
/** Longest path or link target that glovebox writes or reads, in bytes (PATH_MAX less its NUL). */
#define TAR_PATH_MAX 4095

/** A header block as it lies in the file (POSIX.1-2017, pax, "ustar Interchange Format"). */
struct tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char chksum[8];
	char typeflag;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char pad[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a tar header is one block");

/** Type flags. */
enum tar_type {
	TAR_FILE = '0',
	TAR_HARDLINK = '1',
	TAR_LINK = '2',
	TAR_SPECIAL = '3',   /**< a character device; stands for all devices and FIFOs */
	TAR_DIR = '5',
	TAR_PAX = 'x',
	TAR_PAX_GLOBAL = 'g',
	TAR_GNU_NAME = 'L',
	TAR_GNU_LINK = 'K',
};

/** One member. Strings are borrowed, at most TAR_PATH_MAX bytes; the path has no closing slash. */
struct tar_member {
	enum tar_type type;
	const char *path;
	const char *link;   /**< TAR_LINK and TAR_HARDLINK, else NULL */
	unsigned mode;
	uint64_t uid, gid;
	uint64_t size;      /**< TAR_FILE, else 0 */
	uint64_t mtime;     /**< at most TAR_NUMBER_MAX */
};

/** Appends the blocks that stand before @p m's content: an extended header where needed, and the header.
 *  Ask buf_check() for failure. */
void tar_add_member(const struct tar_member *m, struct buf *out);

/** The checksum of a header: the sum of its bytes, its own field taken as spaces. */
unsigned tar_checksum(const struct tar_header *h);

/** Zero bytes that follow @p size bytes of content up to the next block. */
static inline unsigned tar_padding(uint64_t size)
{
	return (unsigned)(-size % TAR_BLOCK);
}

#endif
