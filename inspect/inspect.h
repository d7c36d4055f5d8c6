/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file inspect.h
 * inspect/: look into trees and images: where two of them differ, and what the likely cause is; what an image holds and which packages.
 *
 *     diff.c        what A and B are, and which way they are compared
 *     image.c       two images: config and history, layers by their diff IDs
 *     tree.c        a directory as a listing
 *     listing.c     members of a tree or an archive;   pair.c  those of two, by path, then by content
 *     look.c        two byte strings of one name: their format, first differing byte, strings
 *     look_*.c      one level in: tar, ar (deb), zip, codecs, ELF, .pyc, PNG
 *     apart.c       the same in a confined process (base/confine.h), and what is believed of its answer
 *     pieces.c      lines of a text, strings of a binary
 *     cause.c       names of causes and their cures;   words.c, times.c  causes from two strings
 *     node.c        the report while it is made;   render.c  the report as text
 *
 *     contents.c   an image file by file: the trees of its layers laid one over the other
 *     packages.c   its packages; pkg_apart.c  the wall they are read behind; pkg_*.c  a reader for each format
 *     overlay.c    the entries of any image's layers laid one over the other, whiteouts and all
 *     summary.c    what is in an image: counts, largest files, packages;   summary_apart.c  the wall it is made behind
 *     harden.c     what a hardened image would not have;   pkg_here.c  packages of layers that are in no store
 *     licence.c    what packages call their licences, as SPDX expressions;   purl.c  package URLs
 *     sbom.c       bills of materials;   sbom_cdx.c, sbom_spdx.c  their two forms;   tree_sha1.c  what SPDX wants of files
 *
 * The report is one JSON object, which glovebox-diff(1) documents. Whatever parses bytes from outside runs in a confined process that has
 * two files and a scratch file; only which bytes differ at all is found out here: nothing that is parsed makes two things the same.
 * Memory does not grow with the size of contents, but with the number of entries (LISTING_MAX).
 */
#ifndef GB_INSPECT_H
#define GB_INSPECT_H

#include <stdbool.h>

#include "base/base.h"

/** What to compare. Borrowed strings. */
struct diff_options {
	const char *a, *b;      /**< paths: two directories, two images (a file, a layout's directory, an out directory), or two files */
	const char *ref;        /**< images: which one of several; NULL: the only one */
	const char *platform;   /**< images: OS/ARCH[/VARIANT]; NULL: this host's */
	const char *tmp;        /**< a directory for the file without a name that compressed contents are unpacked to */
};

/** Compares, and gives the report (new reference). ERR_USAGE: two things that cannot be compared; ERR_INPUT: what cannot be read. */
int diff_paths(const struct diff_options *opt, json_t **ret, struct err *err);
/** Compares two image archives that are open (read with pread; @p a_name and @p b_name are for the report). @p scratch is an empty regular
 *  file that may be written to. */
int diff_images(int a, const char *a_name, int b, const char *b_name, int scratch, json_t **ret, struct err *err);

/** Opens a file without a name in @p dir, that compressed contents are unpacked to. */
int inspect_scratch(const char *dir, int *ret, struct err *err);

/** Whether a report says that all is the same. */
bool diff_is_same(const json_t *report);
/** Appends the report as text for people, safe for a terminal, lines ended. */
int diff_text(const json_t *report, struct buf *out, struct err *err);
/** Appends what differs in one line: the causes, each with where it was first seen. */
int diff_summary(const json_t *report, struct buf *out, struct err *err);

#endif
