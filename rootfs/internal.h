/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file internal.h
 * What the files of rootfs/ share among themselves.
 *
 *     resolve.c       references to trees
 *     import.c        a directory or an archive becomes a named rootfs
 *     import_tar.c    an archive, trusting nothing
 *     import_table.c  its entries until the end: later ones change earlier ones
 *     pyc.c           Python's compiled files that carry their source's time
 *     materialise.c   a tree laid out
 *     ensure.c        a rootfs laid out once
 */
#ifndef GB_ROOTFS_INTERNAL_H
#define GB_ROOTFS_INTERNAL_H

#include "rootfs/rootfs.h"

/** How many bytes of a path an error shows: the reason must still fit behind it. */
#define SHOWN "%.1000s"

/* ---- pyc.c ------------------------------------------------------------ */

/** Bytes that pyc_amend() looks at: magic, flags, mtime, size (PEP 552). */
#define PYC_HEADER 16

/** Gives a compiled Python file that is checked by its source's mtime the mtime that all files have here, so that Python does not
 *  compile anew at every start. By the file's name and its first @p n bytes; files that are checked by hash are left alone. */
void pyc_amend(const char *path, void *head, size_t n);

/* ---- import_tar.c ----------------------------------------------------- */

/** Reads the archive in @p fd. Contents go through @p writer, entries to @p b. Needs neither the store nor any right but to read @p fd. */
int import_tar(int fd, struct store_writer *writer, struct tree_builder *b, struct err *err);

#endif
