/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file packages.h
 * The packages of an image: what its package managers' databases say, what installed packages of languages say of themselves, and what lock
 * files list.
 *
 * The files that tell of packages come from a step or a base image. They are read by one confined process (base/confine.h), which has the
 * texts, the list of files and nothing else; what it answers is checked here. A file that cannot be understood is a note, no failure: the
 * image is what it is, and the list says that it is not complete. So the same image gives the same list everywhere.
 *
 *     contents ── which of them tell of packages (pkg_files.c) ── their texts ──→ │ readers (pkg_*.c) │ ──→ struct packages
 */
#ifndef GB_INSPECT_PACKAGES_H
#define GB_INSPECT_PACKAGES_H

#include "inspect/contents.h"

/** Most packages of an image. */
#define PACKAGES_MAX 200000u
/** Longest name, version, licence of one, in bytes. */
#define PACKAGE_TEXT_MAX 1024
/** Most packages that one needs. */
#define PACKAGE_NEEDS_MAX 4096
/** Largest file that tells of packages, largest database that is read piece by piece, and bytes of all the others. */
#define PACKAGE_FILE_MAX (32u << 20)
#define PACKAGE_DATABASE_MAX (1u << 30)
#define PACKAGE_FILES_MAX (256u << 20)
/** Most notes that are kept. */
#define PACKAGE_NOTES_MAX 1000
/** "No package." */
#define PACKAGE_NONE SIZE_MAX

/** By what tells of it. */
enum package_kind { PACKAGE_DEB, PACKAGE_APK, PACKAGE_RPM, PACKAGE_NPM, PACKAGE_PYPI, PACKAGE_GOLANG, PACKAGE_CARGO, PACKAGE_KINDS };
/** The kind's name, as package URLs have it: "deb". Static. */
const char *package_kind_name(enum package_kind kind);

/** A package. Texts may hold any bytes but NUL. */
struct package {
	enum package_kind kind;
	char *name;              /**< as its kind writes it: "libc6", "@scope/name", "github.com/x/y" */
	char *version;           /**< NULL: nothing says */
	char *arch;              /**< NULL: nothing says */
	char *supplier;          /**< who made or maintains it, by its own words; or NULL */
	char *licence;           /**< a SPDX licence expression (licence.h), or NULL */
	size_t from;             /**< the file that tells of it: its place in the contents */
	bool listed;             /**< a lock file lists it: nothing says that it is installed */
	size_t *needs;           /**< places in the list of packages that are there and that it says it needs, ascending */
	size_t nneeds;
};

/** Something about the list that is not complete. */
struct package_note {
	size_t file;             /**< place in the contents */
	char *why;
};

/** The packages of an image. Zero-initialise; packages_clear(). */
struct packages {
	struct package *v;
	size_t n;
	size_t *owner;           /**< for each of the contents the package that owns it, or PACKAGE_NONE */
	char *os_id, *os_version, *os_name; /**< of os-release: ID, VERSION_ID, NAME; or NULL */
	struct package_note *notes;
	size_t nnotes;
};
void packages_clear(struct packages *p);
#define auto_packages __attribute__((cleanup(packages_clear))) struct packages

/** Opens the content of a file for reading, from its start on. ERR_INPUT where it is not there. */
typedef int packages_open_fn(void *arg, const struct content *file, int *ret_fd, struct err *err);
/** The same with a store, which is @p arg. */
packages_open_fn packages_open_in_store;

/** Finds the packages of @p c (laid), whose files @p open opens. ERR_INPUT: a file is not there, or the reader ran into its limits; ERR_HOST: this
 *  host cannot confine it. */
int packages_find(const struct contents *c, packages_open_fn *open, void *arg, struct packages *ret, struct err *err);

/** Appends the package URL (purl) of a package: percent-encoded as the specification has it, with arch and distro where they are known. Ask
 *  buf_check() for failure. */
void package_purl(const struct packages *all, const struct package *p, struct buf *out);

#endif
