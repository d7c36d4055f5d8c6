/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file node.h
 * The report while it is made: a tree of JSON objects, one for each thing that differs. Private to inspect/.
 *
 *     path       what it is called, in what it lies in
 *     kind       "changed", "added", "removed", "moved"
 *     to         moved: the path in B
 *     format     what was looked into: "tar", "ELF", …
 *     metadata   [{field, a, b}]
 *     content    {sizeA, sizeB, offset, contextA, contextB}: the first byte that differs; the contexts are hex and begin at `from`
 *     strings    [{a, b}], some that differ (null: only one side has one)
 *     causes     [{cause, evidence, count}]
 *     inside     [node]
 *     more       how many differences more there are inside that are not told of
 *     note       why it was not looked into, or what else there is to say
 */
#ifndef GB_INSPECT_NODE_H
#define GB_INSPECT_NODE_H

#include "base/json.h"
#include "inspect/bytes.h"
#include "inspect/cause.h"

/** Most nodes of a report, and how deep they lie in one another. */
#define NODES_MAX 5000
#define NODES_DEPTH 16
/** Most strings shown of one thing, and bytes of one. */
#define NODE_STRINGS 8
#define NODE_STRING_BYTES 160
/** Bytes of context before and after the first that differs. */
#define NODE_BEFORE 8
#define NODE_CONTEXT 32

/** A comparison at work, in this process or in a confined one. */
struct look {
	int scratch;       /**< regular file that what is decompressed goes to, at its end; */
	uint64_t end;      /**< here. Who adds to it sets it back */
	size_t nodes;      /**< so far */
	bool apart;        /**< formats are looked into in a confined process */
	bool failed;       /**< memory was short while the report was made; asked for once, at the end */
};

/** Makes a node in @p parent's `inside` (borrowed reference). NULL: there are too many (counted in `more`), or no memory (`failed`). */
json_t *node_add(struct look *l, json_t *parent, const char *path, const char *kind);
/** The functions below do nothing on a NULL node. */
void node_text(struct look *l, json_t *node, const char *key, const char *text);
/** A field of metadata and the cause of its difference, where it has one. */
void node_field(struct look *l, json_t *node, const char *field, const char *a, const char *b, enum cause cause);
void node_field_number(struct look *l, json_t *node, const char *field, uint64_t a, uint64_t b, enum cause cause);
/** Seconds since 1970. */
void node_field_time(struct look *l, json_t *node, const char *field, int64_t a, int64_t b);
/** Names a cause; a second time it is only counted. */
void node_cause(struct look *l, json_t *node, enum cause cause, const char *evidence);
/** Names the causes of two strings' difference, with the strings as evidence behind @p what ("": nothing is put before). */
void node_causes(struct look *l, json_t *node, cause_set causes, const char *what, struct words a, struct words b);
/** Asks two strings, and names what they show: node_field() with cause_of_words(). */
void node_field_words(struct look *l, json_t *node, const char *field, const char *a, const char *b);
/** Two strings that differ; one may be NULL. */
void node_strings(struct look *l, json_t *node, const struct words *a, const struct words *b);
/** "'a' in A, 'b' in B", each brief. */
void node_evidence(struct buf *out, struct words a, struct words b);
/** The first byte that differs (BYTES_SAME: nothing is said), and what lies around it. */
int node_content(struct look *l, json_t *node, const struct slice *a, const struct slice *b, uint64_t at, struct err *err);
/** Whether the node says nothing but its name. */
bool node_is_empty(const json_t *node);

/** Takes an answer of an untrusted process: only what a node may have, of the types it may have, in limits. ERR_INPUT otherwise. */
int node_check(const json_t *node, int depth, size_t *count, struct err *err);

#endif
