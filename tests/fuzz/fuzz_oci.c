/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what oci/ reads from outside. The first byte of the input chooses:
 * 'I' an image.tar, 'T' a layer's tar, 'Z' a gzip'ed layer, 'S' one in zstd, 'K' the tar of a base's layer,
 * 'L' a layout in a tar, 'M' a base's manifest, 'C' its config, each being the rest of the input. An image's hashes keep a fuzzer out of its layers, hence the two
 * ways straight to them. Promise under test: no crash, no leak, a message that
 * says something, and a kind that is ERR_UNVERIFIED (of a base: ERR_INPUT):
 * memory and files cannot fail here.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "oci/unlayer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_here.h"

static int read_base(char way, int fd, const char *data, size_t size, struct err *err)
{
	auto_oci_base base = { 0 };
	auto_oci_layout layout = NULL;

	if (way == 'L')
		return oci_layout_open(fd, &layout, err);
	if (way == 'M')
		return oci_base_manifest(data, size, &base, err);
	if (hash_bytes(data, size, &base.config_digest, err) < 0)
		return -1;
	base.layers = calloc(1, sizeof *base.layers);
	base.nlayers = 1;
	return base.layers == NULL ? -1 : oci_base_config(&base, data, size, err);
}

static int read_one(char way, int fd, const char *data, uint64_t size, struct err *err)
{
	auto_oci_image image = { 0 };
	auto_rules rules = rules_new();
	struct oci_blob blob;

	if (way == 'I')
		return oci_image_read(fd, true, &image, err);
	if (way == 'L' || way == 'M' || way == 'C')
		return read_base(way, fd, data, size, err);
	if (way == 'K')
		return unlayer_kept((struct slice){ fd, 0, size }, OCI_NONE, rules, &blob, err);
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
	enum err_kind kind = memchr("LMC", data[0], 3) != NULL ? ERR_INPUT : ERR_UNVERIFIED;
	if (read_one((char)data[0], fd, (const char *)data + 1, size - 1, &err) < 0 && (err.kind != kind || err.msg[0] == '\0'))
		abort();
	return 0;
}
