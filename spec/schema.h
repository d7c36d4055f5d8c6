/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file schema.h
 * The schema table of a BuildSpec: one row a field. It drives the reader, the
 * defaults, freeing, the JSON Schema and the manual's field list, so that none of
 * them can disagree with another. Rows stand after their parent, in the order in
 * which people write the fields.
 */
#ifndef GB_SPEC_SCHEMA_H
#define GB_SPEC_SCHEMA_H

#include "spec/spec.h"

/** In this order: from SCHEMA_INT on, a value has a range. */
enum schema_type {
	SCHEMA_MAP,       /**< fixed keys: the rows below it */
	SCHEMA_LIST,      /**< list of maps with fixed keys: the rows "path[].…" */
	SCHEMA_STRING,    /**< char *; row->form says which */
	SCHEMA_STRINGS,   /**< struct spec_list; row->form for each */
	SCHEMA_PAIRS,     /**< struct spec_map; row->key_form for names, row->form for values */
	SCHEMA_WORD,      /**< one of row->words, stored as char * */
	SCHEMA_CHOICE,    /**< one of row->words, stored as an enum whose constants number the words */
	SCHEMA_BOOL,      /**< bool */
	SCHEMA_INT,       /**< whole number row->min..max, stored in row->width bytes */
	SCHEMA_NUMBER,    /**< decimal number row->min..max; only checked */
	SCHEMA_DURATION,  /**< uint64_t of milliseconds, row->min..max */
	SCHEMA_SIZE,      /**< uint64_t of bytes, row->min..max */
};

enum schema_status {
	SCHEMA_DONE,      /**< implemented */
	SCHEMA_AT_RUN,    /**< accepted and checked, listed in spec->unsupported: `run` refuses */
	SCHEMA_LATER,     /**< known, not implemented in this version: refused by name, with all below it */
};

/** What a string must look like. */
struct schema_form {
	const char *what;         /**< for messages: "a name: …" */
	const char *example;      /**< one that passes */
	const char *pattern;      /**< POSIX ERE that is also an ECMA 262 one; every string that passes matches it, and
	                               only forms that say so in `what` refuse some that match. NULL: any text */
	size_t max;               /**< bytes */
	bool (*ok)(const char *s); /**< the judge, besides max */
};

/** Offset of a member that is not stored. */
#define SCHEMA_NOWHERE ((size_t)-1)

struct schema_row {
	const char *path;         /**< "spec.sources[].mount"; "" is the document */
	enum schema_type type;
	enum schema_status status;
	bool required;            /**< within its map */
	bool or_zero;             /**< INT: 0 is good although it is below min */
	const char *dflt;         /**< as it would be written; NULL: none */
	int64_t min, max;         /**< numbers: the range; LIST and STRINGS: the number of entries */
	const char *const *words; /**< WORD, CHOICE; NULL-terminated */
	bool placeholders;        /**< PAIRS, STRINGS: facts are filled in (fact.c) */
	enum spec_fact or_fact;   /**< INT: instead of a number, this fact's placeholder is good; SPEC_NO_FACT: none is */
	const struct schema_form *form, *key_form;
	const char *const *one_of; /**< MAP, LIST: exactly one of these keys must be there; NULL-terminated */
	const char *help;         /**< one line */
	size_t at, width;         /**< offset and size of the member in the struct of the nearest LIST above, else in struct spec */
	bool noted;               /**< the value's position is kept too, in a struct spec_pos at offset pos_at */
	size_t pos_at;
	size_t n_at, item_size, item_pos_at; /**< LIST: offset of the count; size of an item; offset of its position in it */
};

/** The document itself. */
extern const struct schema_row schema_root;

/** The i-th row in the table's order, or NULL past the end. */
const struct schema_row *schema_at(size_t i);

/** The first field of a MAP or LIST (@p after NULL), or the one that follows @p after; NULL at the end. */
const struct schema_row *schema_next(const struct schema_row *parent, const struct schema_row *after);

/** The field @p key of a MAP or LIST, or NULL. */
const struct schema_row *schema_field(const struct schema_row *parent, const char *key);

/** The last part of a row's path. */
const char *schema_name(const struct schema_row *row);

/** Appends @p v of a DURATION or SIZE in its largest whole unit ("720h"); of other types as a number. */
void schema_quantity(struct buf *out, enum schema_type type, int64_t v);

/** Appends "MIN to MAX" of a row. */
void schema_range(struct buf *out, const struct schema_row *row);

/** Whether @p s passes. */
bool schema_form_ok(const struct schema_form *form, const char *s);

/** Longest string anywhere, and the kernel's longest argument (MAX_ARG_STRLEN less its NUL). */
#define SCHEMA_TEXT_MAX 131071

/** The forms, by what they describe (forms.c). */
extern const struct schema_form form_name, form_hostname, form_mount, form_host_path, form_image_path, form_glob,
	form_profile, form_rootfs, form_version, form_cpus, form_image_name, form_image_user, form_tag, form_when, form_vary, form_sbom, form_uri, form_url, form_inner_path, form_git_url,
	form_commit, form_git_ref, form_digest, form_env_name, form_label_name,
	form_script, form_argument, form_value, form_base, form_layer_from, form_mode, form_port, form_signal, form_line;

#endif
