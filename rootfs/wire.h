/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file wire.h
 * What a confined reader of an archive (unpack.h) tells the process that started it: a row of messages, each a struct wire_head and
 * what that says follows. The receiver believes none of it: every number is checked against its limit, paths and types against the
 * rules of import_tar.c, so that a reader taken over by its archive can say nothing that another archive could not.
 *
 *     ENTRY  path, link
 *     DATA   bytes of the file at hand, in order     (only after an ENTRY that is a file)
 *     HOLE   zeros of the file at hand               (likewise)
 *     END    the archive's end was sound; nothing follows
 *
 * Both ends are the same program: the bytes are those of the structure.
 */
#ifndef GB_ROOTFS_WIRE_H
#define GB_ROOTFS_WIRE_H

#include <stdint.h>

/** Longest path or link target as an archive has it, before it is made clean. */
#define WIRE_NAME_MAX (64u << 10)
/** Most bytes of one DATA. */
#define WIRE_DATA_MAX (256u << 10)

enum wire_type { WIRE_ENTRY = 1, WIRE_DATA, WIRE_HOLE, WIRE_END };

/** What an entry is. */
enum wire_kind { WIRE_DIR = 1, WIRE_FILE, WIRE_LINK, WIRE_HARD, WIRE_ODD };

/** A message. What its type does not need is 0. */
struct wire_head {
	uint32_t type;      /**< enum wire_type */
	uint32_t kind;      /**< ENTRY: enum wire_kind */
	uint32_t mode;      /**< ENTRY: permission bits, setuid and setgid too */
	uint32_t path_len;  /**< ENTRY: bytes of the path that follow */
	uint32_t link_len;  /**< ENTRY: bytes of the target that follow those */
	uint32_t zero;
	uint64_t uid, gid;  /**< ENTRY */
	uint64_t size;      /**< ENTRY: of the content, whatever its kind; DATA, HOLE: bytes */
};

#endif
