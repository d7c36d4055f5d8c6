/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file reader.h
 * From the tree of nodes to struct spec, by the schema table.
 */
#ifndef GB_SPEC_READER_H
#define GB_SPEC_READER_H

#include "spec/schema.h"
#include "spec/yaml.h"

/** What a reading needs. Borrowed. */
struct reader {
	const char *file;
	struct spec *spec;
	struct err *err;
	bool partial;   /**< an included file: what a whole spec must have may be missing */
};

/** Reads the whole document into r->spec, which is zeroed but for `file`; fills in the table's defaults. */
int read_document(struct reader *r, const struct node *root);

/** Checks one value against its row and stores it in @p base (the struct that the row's offsets are of).
 *  Not for MAP and LIST. */
int read_value(struct reader *r, const struct schema_row *row, const struct node *node, void *base);

/** Reads the list of included files alone, into r->spec. @p node is its node. */
int read_includes(struct reader *r, const struct node *node);

/** Reads an included file to the end, which has only a part of what a spec has, into r->spec, to be thrown away. */
int read_part(struct reader *r, const struct node *root);

/** Notes that @p fact is used at @p node; @p needed: it cannot be done without. */
void note_fact(const struct reader *r, enum spec_fact fact, bool needed, const struct node *node);

/** Notes the facts whose placeholders are in a text; refuses those that nobody knows. */
int note_facts(const struct reader *r, const struct schema_row *row, const struct node *node);

/** Brings the included files, checks each, and merges them below @p root (include.c). */
int merge_includes(struct reader *r, struct node *root, spec_include_fn *bring, void *arg);

/** What the table cannot say: names and mounts that must differ, implied values. After read_document(). */
int apply_rules(struct reader *r, const struct node *root);

/** Frees what the rows below @p parent have stored in @p base, and zeroes those members. */
void clear_values(const struct schema_row *parent, void *base);

/** ERR_USAGE "FILE:LINE:COL: spec.tests[0].name: …" for the value @p node. @return -1. */
int value_error(const struct reader *r, const struct node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** The same at the node's key. */
int key_error(const struct reader *r, const struct node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** "expected EXPECTED, found FOUND; HINT" for a value that should be of type @p want. @return -1. */
int type_error(const struct reader *r, const struct node *node, enum schema_type want, const char *expected);

/** ERR_INTERNAL: memory is short. @return -1. */
int reader_no_memory(const struct reader *r);

#endif
