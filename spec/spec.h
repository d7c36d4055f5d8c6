/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file spec.h
 * spec/: a BuildSpec (`platform.build/v1`, glovebox-spec(5)) from YAML text to
 * typed structures, or one error at file:line:col. Its one job; it knows nothing
 * of stores, of repositories, or of the file system at all: callers bring texts and facts.
 *
 * One schema table (schema.h, private) drives parsing, defaults, `check --schema`
 * and the field list of glovebox-spec(5).
 */
#ifndef GB_SPEC_H
#define GB_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/** Largest spec text: 1 MiB. */
#define SPEC_TEXT_MAX (1u << 20)

/** Largest file that a spec includes: 256 KiB. */
#define SPEC_INCLUDE_MAX (256u << 10)

/** Where a value stands, line and column from 1; columns count characters. line 0: the value is a default. */
struct spec_pos {
	unsigned line, col;
	unsigned file;  /**< 0: the spec's own text; from 1: that of the included file before it in the list */
};

/** What a placeholder stands for: a fact that git knows of the checkout that the spec lies in. */
enum spec_fact {
	SPEC_NO_FACT,
	SPEC_COMMIT,       /**< {git.sha}: the commit's whole hash */
	SPEC_COMMIT_TIME,  /**< {git.commitTime}: in seconds since 1970 */
	SPEC_VERSION,      /**< {semver}: of its tag vX.Y.Z, without the v */
	SPEC_FACTS
};

/** A list of strings. */
struct spec_list {
	char **v;   /**< n strings, then NULL */
	size_t n;
};

/** One KEY: VALUE of a map of strings, in the order of the text. */
struct spec_pair {
	char *name, *value;
	struct spec_pos pos;
};
struct spec_map {
	struct spec_pair *v;
	size_t n;
};

/** spec.sandbox.network, tests[].network. */
enum spec_network { SPEC_NET_NONE, SPEC_NET_LOOPBACK };
/** spec.sandbox.workdir: pristine sources in a tmpfs, or on disk. */
enum spec_workdir { SPEC_WORKDIR_MEMORY, SPEC_WORKDIR_DISK };
/** spec.sandbox.limits: what happens where this host cannot enforce one. */
enum spec_enforcement { SPEC_LIMITS_ENFORCE, SPEC_LIMITS_BEST_EFFORT };
/** spec.build.artifact.compression. */
enum spec_compression { SPEC_GZIP, SPEC_ZSTD, SPEC_UNCOMPRESSED };

/** What to run: exactly one of the two is set. */
struct spec_command {
	char *shell;           /**< runs as /bin/sh -e -c SHELL; NULL when argv is used */
	struct spec_list argv; /**< runs as it is; n = 0 when shell is used */
	struct spec_pos pos;
};

struct spec_limits {       /**< 0: not given */
	char *cpu;         /**< processors, as text_parse_cpus() takes them; NULL: not given */
	uint64_t memory;   /**< bytes, swap included */
	uint64_t pids;
	uint64_t tmp;      /**< bytes of /tmp */
	uint64_t files;    /**< open files */
	uint64_t file_size; /**< bytes of one file */
	uint64_t work;     /**< bytes in the work directory */
	uint64_t work_files; /**< files and directories there */
	uint64_t output;   /**< bytes of stdout and stderr together */
};

/** A source: exactly one of @c path, @c url and @c git_url is set. */
struct spec_source {
	char *name;              /**< [A-Za-z0-9][A-Za-z0-9._-]{0,99}, unique */
	char *path;              /**< a directory, relative to the spec, or absolute; default source: "." */
	struct spec_list exclude; /**< glob patterns in .gitignore syntax, relative to the source */
	bool gitignore;          /**< heed .gitignore files inside; default false, for the default source true */
	char *url;               /**< a file: https:, http: or file: */
	char *digest;            /**< of that file: sha256:…; NULL: the lock pins it */
	uint64_t size;           /**< of that file; 0: not given */
	bool unpack;             /**< it is an archive, and the source what is in it */
	char *git_url;           /**< a repository: a path, relative to the spec or absolute, or https:, http: or file: */
	char *git_commit;        /**< 40 or 64 hex digits; NULL: the lock pins @c git_ref */
	char *git_ref;           /**< branch or tag; NULL where the commit is given */
	bool git_submodules;
	char *mount;             /**< absolute clean path, unique; default "/" + name */
	struct spec_pos pos;
};

/** The build, or one test. */
struct spec_step {
	char *name;              /**< "build", or the test's name; unique */
	struct spec_command command;
	char *workdir;           /**< absolute, at or below a source's mount; default the first source's. Never NULL after spec_parse() */
	uint64_t timeout_ms;     /**< 0: not given */
	enum spec_network network; /**< default: none for the build, loopback for tests */
	struct spec_limits limits;
	bool required;           /**< tests: default true. build: true */
	char *kind;              /**< tests: free text such as "unit"; NULL when not given */
	char *junit;             /**< tests: pattern of its JUnit reports, seen from its work directory; by default of all .xml in reports/ */
	struct spec_pos junit_pos; /**< line 0: the default, which nothing need match */
	struct spec_pos pos;
};

/** How to ask whether the program in the image is well (docker's extension of the config). */
struct spec_health {
	struct spec_command command; /**< neither shell nor argv: none was given */
	uint64_t interval_ms, timeout_ms, start_period_ms; /**< 0: not given */
	uint64_t retries;            /**< 0: not given */
};

/** The image's configuration (OCI image-spec v1.1, config.md). */
struct spec_image_config {
	struct spec_list entrypoint, cmd;
	struct spec_map env, labels;
	char *user, *workdir;    /**< NULL when not given */
	struct spec_list ports;  /**< "8080", "53/udp" */
	struct spec_list volumes;
	char *stop_signal, *author; /**< NULL when not given */
	struct spec_health health;
};

/** One layer of the image. */
struct spec_layer {
	char *from;              /**< a source's name, or "build:NAME": the build's output, known by the source it was made in */
	char *to;                /**< absolute clean path */
	uint32_t uid, gid;       /**< of all in it */
	char *mode;              /**< octal, of all files in it; NULL: as they are */
	struct spec_pos pos;
};

struct spec_artifact {
	char *image_name;        /**< reference without tag; NULL when not given */
	struct spec_pos image_name_pos;
	char *base;              /**< "rootfs" (default), "scratch", or "oci:…@sha256:…" */
	struct spec_pos base_pos;
	struct spec_layer *layers; /**< none: the build's output at its own path */
	size_t nlayers;
	struct spec_image_config config;
	enum spec_compression compression;
	struct spec_pos pos;
};

/** Whether the build is to be run again, to see that it leaves the same. */
struct spec_reproducible {
	uint32_t check;          /**< how often it runs altogether; 0: not asked for */
	struct spec_list vary;   /**< variations of glovebox-reproduce(1); none: each time as it is */
};

/** How a registry is tried again. */
struct spec_retry {
	uint32_t attempts;          /**< requests, not only those after the first */
	uint64_t first_ms, most_ms; /**< waits between them, doubled each time */
};

/** A partial spec that one includes. */
struct spec_include {
	char *path;              /**< relative to the spec's directory, without '.' or '..' */
	char *digest;            /**< sha256:… of its bytes */
	struct spec_pos pos, digest_pos;
	char *file;              /**< the file name errors are reported under */
	struct buf text;         /**< its bytes */
};

/** A field that `check` and `plan` accept and that `run` must refuse, because this
 *  version can't carry it out (qualityGates.*): refusing late keeps such specs checkable. */
struct spec_unsupported {
	char *field;             /**< dotted, "spec.qualityGates.coverageMinPct" */
	struct spec_pos pos;
};

/** A whole BuildSpec. Owned by the caller; free with spec_free(). All strings are valid UTF-8 without NUL. */
struct spec {
	char *file;              /**< the file name errors are reported under */
	char *name;              /**< metadata.name */
	struct spec_map labels;  /**< metadata.labels */
	char *language, *runtime_version; /**< NULL when not given */
	char *rootfs_ref;        /**< NAME@sha256:…, sha256:…, oci:…@sha256:…, or a bare NAME; NULL when not given */
	struct spec_pos rootfs_pos;
	char *profile;           /**< default "default" */
	struct spec_pos profile_pos;
	enum spec_network network; /**< the build's */
	uint32_t uid, gid;       /**< inside; default 1000 (0 or 1000..65533) */
	char *hostname;          /**< default "glovebox" */
	int64_t source_date_epoch; /**< default 315532800; with a use of SPEC_COMMIT_TIME in its place, 0 until spec_fill() */
	struct spec_pos epoch_pos;
	bool epoch_is_fact;      /**< it is the commit's time */
	struct spec_pos facts[SPEC_FACTS]; /**< where each is used first, if possible where it is needed; line 0: nowhere */
	bool facts_needed[SPEC_FACTS]; /**< used by more than tags, which can do without */
	struct spec_map env;     /**< what the spec adds to every step's environment */
	enum spec_workdir workdir;
	enum spec_enforcement limits;
	struct spec_source *sources; /**< at least one: the default source where none is given */
	size_t nsources;
	bool default_source;     /**< sources holds only the implied one */
	struct spec_step build;
	struct spec_step *tests;
	size_t ntests;
	struct spec_reproducible reproducible; /**< of the build */
	struct spec_artifact artifact;
	bool caching;            /**< caching.enabled; default true */
	struct spec_list caching_keys;
	struct spec_list publish_tags; /**< after spec_fill() each is a tag, or has the placeholder of a fact that is not there */
	struct spec_list publish_when; /**< "tag", "main"; none: any commit */
	struct spec_pos publish_when_pos;
	struct spec_retry publish_retry;
	struct spec_list sbom_formats; /**< none: without a position (line 0), all */
	struct spec_pos sbom_formats_pos;
	char *require_builder_id; /**< provenance.requireBuilderId; NULL when not given */
	struct spec_include *includes; /**< already merged into all this */
	size_t nincludes;
	struct spec_unsupported *unsupported;
	size_t nunsupported;
};

/** Brings the text of an included file: appends its bytes. Errors (ERR_INPUT: not there) without a place; spec_parse_with() puts it before. */
typedef int spec_include_fn(void *arg, const struct spec_include *include, struct buf *ret, struct err *err);

/** Parses and validates. Every failure is ERR_USAGE with "FILE:LINE:COL: what, why, what next"
 *  (ERR_INTERNAL when memory is short). @p text need not end in NUL. */
int spec_parse(const char *file, const char *text, size_t n, struct spec **ret, struct err *err);

/** The same for a spec that may include others, which @p bring brings, in order; NULL: such a spec is refused. A file whose bytes have another
 *  digest than the spec says, or that cannot be brought, is ERR_INPUT, at its place in the spec. */
int spec_parse_with(const char *file, const char *text, size_t n, spec_include_fn *bring, void *arg, struct spec **ret,
		    struct err *err);
void spec_free(struct spec *spec);
static inline void own_spec(struct spec **s)
{
	spec_free(*s);
}
#define auto_spec __attribute__((cleanup(own_spec))) struct spec *

/** The name of the file that @p pos is in. */
const char *spec_file(const struct spec *spec, struct spec_pos pos);

/** The placeholder of a fact, "{git.sha}". */
const char *spec_fact_name(enum spec_fact fact);

/** Whether any fact is used. */
bool spec_needs_facts(const struct spec *spec);

/** Fills in what the placeholders stand for, as text, by enum spec_fact; those that are needed are not NULL. A tag with another that is NULL
 *  stays as it is written. Once. ERR_INPUT at the place in the spec where the outcome is not what may stand there: a time out of range, a
 *  version that no tag can have. */
int spec_fill(struct spec *spec, const char *const facts[SPEC_FACTS], struct err *err);

/** Puts FILE:LINE:COL before an error. @return -1. */
int spec_ctx(const struct spec *spec, struct spec_pos pos, struct err *err);

/** Makes an ERR_USAGE (or other kind) error that starts with FILE:LINE:COL. For what only callers
 *  can find out ("no such directory"). @return -1. */
int spec_error(const struct spec *spec, struct spec_pos pos, enum err_kind kind, struct err *err,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** Whether @p value could stand at @p field, a string, an entry of a list of strings, or a name in a map of strings, by its dotted path
 *  ("spec.build.artifact.config.user"): for those who take the same things elsewhere, such as on a command line. ERR_USAGE says what is
 *  expected and what was found. */
int spec_check_value(const char *field, const char *value, struct err *err);

/** Appends the JSON Schema (draft 2020-12) of a BuildSpec, generated from the table, pretty-printed. */
int spec_json_schema(struct buf *out, struct err *err);

/** Appends the field list for glovebox-spec(5) as scdoc, generated from the table. */
int spec_fields_scdoc(struct buf *out, struct err *err);

#endif
