/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file summary.h
 * What is in an image, whoever made its layers: how much of what, the largest files, packages, setuid files, and findings (harden.h).
 *
 *     {"layers": [counts], "total": counts, "biggest": [{path, size, layer}], "setuid": [{path, mode, uid, gid}], "findings": [finding],
 *      "packages": {count, kinds: {KIND: count}, os, list: [{kind, name, version, arch, listed}], notes: [{path, why}]}}
 *     counts: {files, directories, links, hardLinks, others, whiteouts, unpackedBytes}
 *
 * Layers' numbers are from 1. Texts may hold any bytes, as json_bytes() writes them.
 */
#ifndef GB_INSPECT_SUMMARY_H
#define GB_INSPECT_SUMMARY_H

#include "base/json.h"
#include "oci/slice.h"

/** How many of the largest files are told of. */
#define SUMMARY_BIGGEST 10
/** Most setuid and setgid files that are told of one by one; the finding counts all. */
#define SUMMARY_SETUID_MAX 1000

/** Reads the layers of an image, @p layers of one file, from the lowest on, as they are stored: tar, or compressed. A confined process does it
 *  (base/confine.h), which has that file and @p scratch, an empty regular file that takes what is unpacked: all layers, at most 32 GiB.
 *  @p config is the image's, already read. @p ret: new reference. ERR_INPUT: a layer that is damaged or over a limit (LISTING_MAX entries, ...). */
int summary_find(const json_t *config, const struct slice *layers, size_t n, int scratch, json_t **ret, struct err *err);

/** The same in this very process, and without the config's findings and all reasons. Private to inspect/. */
int summary_find_here(const struct slice *layers, size_t n, int scratch, json_t **ret, struct err *err);
/** Takes that of whatever wrote it, about @p nlayers layers: ERR_INPUT where it is no such thing. Adds what it lacks. Private to inspect/. */
int summary_believe(json_t *summary, const json_t *config, size_t nlayers, struct err *err);

#endif
