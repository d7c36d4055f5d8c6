/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what oci/ reads from outside. The first byte of the input chooses:
 * 'I' an image.tar, 'T' a layer's tar, 'Z' a gzip'ed layer, 'S' one in zstd, each being the rest
 * of the input. An image's hashes keep a fuzzer out of its layers, hence the two
 * ways straight to them. Promise under test: no crash, no leak, a message that
 * says something, and a kind that is ERR_UNVERIFIED: memory and files cannot fail here.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "oci/unlayer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_one(char way, int fd, uint64_t size, struct err *err)
{
	auto_oci_image image = { 0 };
	auto_rules rules = rules_new();
	struct oci_blob blob;

	if (way == 'I')
		return oci_image_read(fd, true, &image, err);
	return unlayer((struct slice){ fd, 0, size }, way == 'Z' ? OCI_GZIP : way == 'S' ? OCI_ZSTD : OCI_NONE, rules, &blob, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };

	if (size == 0)
		return 0;
	auto_fd fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd == -1 || io_write_all(fd, data + 1, size - 1, &err) < 0)
		abort();
	if (read_one((char)data[0], fd, size - 1, &err) < 0 && (err.kind != ERR_UNVERIFIED || err.msg[0] == '\0'))
		abort();
	return 0;
}
