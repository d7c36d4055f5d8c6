/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file yaml.h
 * YAML text to a tree of nodes that know where they stand. Only the part of YAML
 * 1.1/1.2 that reads the same everywhere: one document of maps with string keys,
 * lists and scalars. Anchors, aliases, tags, directives, merge keys and duplicate
 * keys are refused, as is text that does not look like what it says.
 */
#ifndef GB_SPEC_YAML_H
#define GB_SPEC_YAML_H

#include "spec/spec.h"

/** Deepest nesting of maps and lists; the schema needs 8. */
#define SPEC_DEPTH_MAX 16
/** Most nodes (scalars, lists and maps, keys not counted) in one text. */
#define SPEC_NODES_MAX 65536
/** Most entries of one map or list. */
#define SPEC_ENTRIES_MAX 1024
/** Longest key in bytes. */
#define SPEC_KEY_MAX 256

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/** One node of the tree; owned by its parent, the root by the caller. */
struct node {
	enum node_kind kind;
	bool plain;                  /**< scalar: written without quotes and not as a block, so it may mean a number, a boolean or nothing */
	char *text;                  /**< scalar: its value, UTF-8 without NUL */
	char *key;                   /**< inside a map: its key; else NULL */
	bool plain_key;              /**< the key was written without quotes */
	struct spec_pos pos;         /**< of the value */
	struct spec_pos key_pos;     /**< of the key; of the value where there is none */
	struct node *up;             /**< the map or list this stands in; NULL for the root */
	struct node *first, *last;   /**< entries of a map or list, in the order of the text */
	struct node *next;
	size_t n;                    /**< number of entries */
};

/** Parses, in a confined child (base/confine.h). Failures as spec_parse(): ERR_USAGE with FILE:LINE:COL, ERR_INTERNAL when memory is short;
 *  ERR_HOST where this host cannot confine. Costs about a millisecond. */
int yaml_read(const char *file, const char *text, size_t n, struct node **ret, struct err *err);
/** What runs there. */
int yaml_read_here(const char *file, const char *text, size_t n, struct node **ret, struct err *err);
/** What it says (yaml_apart.c has the form), whatever bytes those are. @return 0, or -1: no tree that yaml_read_here() could give. */
int yaml_from_rows(const char *data, size_t n, struct node **ret);

/** Puts @p node, which is in no other, behind the entries of @p in. */
void node_append(struct node *in, struct node *node);

void node_free(struct node *node);
static inline void own_node(struct node **n)
{
	node_free(*n);
}
#define auto_node __attribute__((cleanup(own_node))) struct node *

/** The entry @p key of a map; NULL when it is absent, or @p map is NULL or no map. */
const struct node *node_get(const struct node *map, const char *key);

/** What a scalar means to a YAML reader. */
enum scalar_kind {
	SCALAR_STRING,
	SCALAR_NULL,
	SCALAR_BOOL,     /**< true or false */
	SCALAR_INT,      /**< decimal, -?(0|[1-9][0-9]*) */
	SCALAR_FLOAT,
	SCALAR_UNCLEAR,  /**< readers disagree: yes, no, on, off, True, 010, 0x1f, 1_000 */
};

/** What @p text means when written without quotes. */
enum scalar_kind scalar_kind(const char *text);

/** Checks that text is UTF-8 that looks like what it is: no NUL, no control characters, no invisible or
 *  direction-changing ones, no line breaks that editors do not show. Failures as yaml_read(). */
int charset_check(const char *file, const char *text, size_t n, struct err *err);

/** Fills @p err with ERR_USAGE "FILE:LINE:COL: …". @return -1. */
int yaml_error(const char *file, struct spec_pos pos, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** Room for quote(). */
#define QUOTE_SIZE 300

/** Writes @p s for a message: in single quotes, printable, cut to about 60 bytes. @return @p out. */
const char *quote(char out[QUOTE_SIZE], const char *s);

#endif
