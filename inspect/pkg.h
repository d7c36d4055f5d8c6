/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pkg.h
 * Readers of files that tell of packages, one a format, and what they fill. Private to inspect/. All of pkg_*.c but pkg_files.c and pkg_apart.c
 * runs in the confined process, on hostile bytes.
 *
 * A reader that cannot make sense of its file returns ERR_INPUT: what it had added stays, and the file becomes a note.
 */
#ifndef GB_INSPECT_PKG_H
#define GB_INSPECT_PKG_H

#include "base/json.h"
#include "inspect/packages.h"
#include "oci/slice.h"

/** What a file that tells of packages is, in the order in which they are read: of two packages that claim a file, the first one owns it. */
enum pkg_format {
	PKG_OS_RELEASE, PKG_COPYRIGHT,
	PKG_DPKG_STATUS, PKG_DPKG_STATUS_D, PKG_DPKG_LIST, PKG_DPKG_SUMS, PKG_APK_INSTALLED, PKG_RPM_SQLITE, PKG_RPM_NDB, PKG_RPM_BDB,
	PKG_PIP_METADATA, PKG_PIP_RECORD, PKG_PIP_FILES, PKG_NPM_PACKAGE, PKG_NPM_LOCK, PKG_GO_BINARY, PKG_GO_MOD, PKG_CARGO_LOCK,
	PKG_FORMATS,
	PKG_NO_FORMAT = PKG_FORMATS,
};

/** What the file at @p path may be, by its path alone. */
enum pkg_format pkg_format_of(const char *path);
/** Whether its reader reads pieces of the file itself, which can be large, and no text. */
bool pkg_reads_bytes(enum pkg_format format);
/** The largest file of that format that is read. */
uint64_t pkg_file_max(enum pkg_format format);

/** A name by which a package can be needed. */
struct pkg_alias {
	enum package_kind kind;
	char *name;
	size_t package;
	size_t next;             /**< in its bucket: place + 1 */
};

#define PKG_BUCKETS (1u << 14)

/** A package being found. */
struct pkg {
	struct package p;
	char *where;             /**< npm: the directory that it stands in or would; or NULL */
	char **wants;            /**< names of what it needs, in its kind's words; "a|b": either */
	size_t nwants, wants_room;
};

/** What the readers have found so far. Zero-initialise with contents; pkg_found_clear(). */
struct pkg_found {
	const struct contents *contents;
	struct pkg *v;
	size_t n, room;
	struct pkg_alias *aliases; /**< each package's own name among them */
	size_t naliases, aliases_room;
	size_t *buckets;         /**< PKG_BUCKETS places + 1, by the hash of the name */
	size_t *owner, *told;    /**< for each of the contents: who owns it, and whom it tells of first; or PACKAGE_NONE */
	struct pkg_licence {     /**< of dpkg's packages: what stands in usr/share/doc */
		size_t file;
		char *expression;
	} *licences;
	size_t nlicences, licences_room;
	char *os_id, *os_version, *os_name;
	struct package_note *notes;
	size_t nnotes, notes_room;
};
int pkg_found_begin(struct pkg_found *f, const struct contents *c, struct err *err);
void pkg_found_clear(struct pkg_found *f);
#define auto_pkg_found __attribute__((cleanup(pkg_found_clear))) struct pkg_found

/** What a reader reads. */
struct pkg_file {
	size_t at;               /**< its place in the contents */
	const char *path;
	char *text;              /**< all of it, and a NUL; the reader may cut it up. NULL where pkg_reads_bytes() */
	size_t n;
	struct slice bytes;
};
typedef int pkg_reader(struct pkg_found *f, const struct pkg_file *file, struct err *err);
pkg_reader pkg_read_os_release, pkg_read_copyright, pkg_read_dpkg_status, pkg_read_dpkg_list, pkg_read_dpkg_sums, pkg_read_pip_metadata,
	pkg_read_pip_record, pkg_read_pip_files, pkg_read_npm_package, pkg_read_npm_lock, pkg_read_apk,
	pkg_read_rpm_sqlite, pkg_read_rpm_ndb, pkg_read_rpm_bdb, pkg_read_go_binary, pkg_read_go_mod, pkg_read_cargo;

/** What a program made by Go has in it before what it says of its modules, at a place that 16 divides. */
#define PKG_GO_MAGIC "\xff Go buildinf:"
/** Most bytes from there on that are read. */
#define PKG_GO_MAX (1u << 20)
/** Whether these bytes are such a place, of a form that is read. */
bool pkg_is_go_head(const char *at, size_t n);
/** Whether it can be a program of Go's: the smallest are larger than a mebibyte. */
bool pkg_may_be_program(const struct content *file);
/** Finds that place in a file, by its bytes alone: nothing of it is taken apart. @p ret is the file's size where there is none. */
int pkg_go_place(const struct slice *file, uint64_t *ret, struct err *err);

/** Reads a file by its format. */
int pkg_read(struct pkg_found *f, enum pkg_format format, const struct pkg_file *file, struct err *err);
/** After all files: licences of dpkg's packages, files below npm's, and who needs whom. */
int pkg_finish(struct pkg_found *f, struct err *err);
/** The parts of that, where they are. */
int pkg_finish_dpkg(struct pkg_found *f, struct err *err);
int pkg_finish_npm(struct pkg_found *f, struct err *err);
int pkg_finish_needs(struct pkg_found *f, struct err *err);

/* ---- for readers --------------------------------------------------------------------- */

/** Adds a package; texts are copied, of which NULL and "" are none. One without a name, or with a text that is too long, is ERR_INPUT.
 *  @p ret (may be NULL) is valid until the next call. */
int pkg_add(struct pkg_found *f, const struct package *p, struct pkg **ret, struct err *err);
/** Notes that the latest package needs what is called @p name ("": nothing is noted). */
int pkg_want(struct pkg_found *f, const char *name, struct err *err);
/** Notes that the latest package can be needed by another name too. */
int pkg_alias(struct pkg_found *f, const char *name, struct err *err);
/** Gives a file of the contents to a package, unless another has it. */
void pkg_own(struct pkg_found *f, size_t package, size_t file);
/** The same by path: absolute or not, maybe "./x", maybe through links. A path that is not there, or no file's, is nothing. */
void pkg_own_path(struct pkg_found *f, size_t package, const char *path);
/** The first package of @p kind that is called @p name, by its own name or another, or PACKAGE_NONE. @p arch: the one of that, or NULL. */
size_t pkg_named(const struct pkg_found *f, enum package_kind kind, const char *name, const char *arch);
/** The package that the file at @p from tells of, or PACKAGE_NONE. */
size_t pkg_from(const struct pkg_found *f, size_t from);
/** Takes an address off "Name <address>", or is the address where there is nothing else. Cuts @p text up. */
char *pkg_person(char *text);
/** ERR_INPUT: that makes no sense. */
int pkg_bad(const char *what, struct err *err);

/** Cuts the next line off *@p at, without its end; NULL where there is none. */
char *pkg_line(char **at);
/** Cuts the next word off *@p at, up to one of @p ends; NULL where there is none. */
char *pkg_word(char **at, const char *ends);
/** Takes white space off both ends. */
char *pkg_trim(char *s);

/** Most fields of a stanza that are kept. */
#define STANZA_MAX 128
/** Fields of Debian's control files, of RFC 822 and of Python's metadata: "Name: value", and lines that go on begin with white space. */
struct stanza {
	struct {
		char *name, *value;   /**< the value with the line ends in it */
	} v[STANZA_MAX];
	size_t n;
};
/** Cuts the next stanza off *@p at; an empty line ends it. @return false: there is none. */
bool stanza_next(char **at, struct stanza *s);
/** The value of the first field called @p name, whatever the case, or NULL. */
char *stanza_get(const struct stanza *s, const char *name);

#endif
