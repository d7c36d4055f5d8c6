/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outer.h
 * image.tar as an archive: which members it has, in which order, in which bytes.
 * Writer and reader share this one definition. Private to oci/.
 *
 *     oci-layout            file  0644
 *     index.json            file  0644
 *     blobs/                dir   0755
 *     blobs/sha256/         dir   0755
 *     blobs/sha256/HEX      file  0644, one a blob, ascending
 *     two zero blocks, end of file
 *
 * Every header has owner 0:0 and mtime 315532800, every padding is zero, there is
 * no extended header. So each byte is either content or has one right value.
 */
#ifndef GB_OCI_OUTER_H
#define GB_OCI_OUTER_H

#include "oci/oci.h"
#include "oci/slice.h"

#define OUTER_LAYOUT "oci-layout"
#define OUTER_INDEX "index.json"
#define OUTER_BLOBS "blobs"
#define OUTER_SHA256 "blobs/sha256"

/** "blobs/sha256/", 64 hex digits and NUL. */
#define OUTER_BLOB_NAME_SIZE (sizeof OUTER_SHA256 + DIGEST_HEX_SIZE)

/** Writes the member name of a blob; returns @p out. */
char *outer_blob_name(const struct digest *d, char out[OUTER_BLOB_NAME_SIZE]);

/** Appends the header of a file, or of a directory. Ask buf_check() for failure. */
void outer_file_header(const char *name, uint64_t size, struct buf *out);
void outer_dir_header(const char *name, struct buf *out);

/** As what a descriptor has named a blob. */
enum outer_role { OUTER_UNUSED, OUTER_DOCUMENT, OUTER_LAYER };

/** A blob in an archive that is being read. Its bytes are not checked yet. */
struct outer_blob {
	struct digest digest;   /**< its name */
	struct slice content;
	enum outer_role role;
};

/** An archive whose form has been checked. outer_clear() frees it. */
struct outer {
	struct slice layout, index;
	struct outer_blob *blobs;   /**< ascending by digest */
	size_t nblobs;
};

/** Checks the form of the archive in @p fd, every byte that is not content. ERR_UNVERIFIED names member and offset. */
int outer_scan(int fd, struct outer *ret, struct err *err);
void outer_clear(struct outer *o);
#define auto_outer __attribute__((cleanup(outer_clear))) struct outer

/** The blob of that name, or NULL. */
struct outer_blob *outer_find(const struct outer *o, const struct digest *d);

#endif
