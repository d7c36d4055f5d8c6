/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pkg_rpm.h
 * Databases of rpm's: three forms of file, in which one header a package lies. Private to inspect/; runs in the confined process, on hostile bytes.
 *
 *     pkg_rpm.c         a header: a package, its files and what it needs
 *     pkg_rpm_sqlite.c  rpmdb.sqlite, a table of SQLite's (sqlite.org/fileformat2)
 *     pkg_rpm_ndb.c     Packages.db, rpm's own
 *     pkg_rpm_bdb.c     Packages, a hash of Berkeley DB's: rpm before 4.16
 *
 * All that is wanted of SQLite and Berkeley DB is every row of one table, in any order, from a file that nobody writes: that is a walk over pages, and no
 * library of theirs is needed for it. Nothing in such a file is read twice, so the work is bounded by its size.
 */
#ifndef GB_INSPECT_PKG_RPM_H
#define GB_INSPECT_PKG_RPM_H

#include "inspect/bytes.h"
#include "inspect/pkg.h"

/** Largest header. rpm takes up to 256 MiB; that of a package of 100,000 files has some 20. */
#define RPM_HEADER_MAX (64u << 20)
/** Most entries of a header's index: rpm's own limit. */
#define RPM_ENTRIES_MAX 65535u
/** Most files of all packages, and directories of one. */
#define RPM_FILES_MAX 4000000u
#define RPM_DIRS_MAX 1000000u

/** A database being read. */
struct rpm_db {
	struct pkg_found *found;
	const struct pkg_file *file;
	uint64_t headers;        /**< so many have been read */
	uint64_t bytes_left;     /**< of headers: they lie beside one another in the file */
	uint64_t files_left;
};

/** Begins a database. ERR_INPUT where another one has told of packages: which of the two rpm would take is not known. */
int rpm_begin(struct rpm_db *db, struct pkg_found *f, const struct pkg_file *file, struct err *err);
/** Says that a header of @p n bytes is about to be read. ERR_INPUT: it is too large, or there are more than the file can hold. */
int rpm_expect(struct rpm_db *db, uint64_t n, struct err *err);
/** Adds the package that a header tells of. One that makes no sense is noted, and others go on. */
int rpm_take(struct rpm_db *db, const unsigned char *header, size_t n, struct err *err);

/** Reads exactly @p n bytes of the file from @p at on. */
int rpm_read(const struct slice *bytes, uint64_t at, void *to, size_t n, struct err *err);
/** ERR_INPUT: that makes no sense, and what lies behind it is not read. */
int rpm_bad(const char *what, struct err *err);

/** A file of pages, read whole pages at a time. */
struct rpm_pages {
	struct slice bytes;
	uint32_t size;           /**< of a page */
	uint64_t n;
	uint64_t left;           /**< how many are still read: each is needed once, so one that leads back is found out */
};
/** Reads page @p number, from 0, into @p to. */
int rpm_page(struct rpm_pages *p, uint64_t number, unsigned char *to, struct err *err);

/** Numbers as headers and SQLite have them, the greatest byte first. */
static inline uint32_t rpm_be16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}
static inline uint32_t rpm_be32(const unsigned char *p)
{
	return rpm_be16(p) << 16 | rpm_be16(p + 2);
}

#endif
