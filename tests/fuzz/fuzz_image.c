/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what import reads of other tools' images. The first byte of the input chooses: 'T' an image in a tar, found and opened; 'J'
 * one of its JSON documents, taken as each kind in turn, since digests keep a fuzzer out of the documents of an image. Promise under
 * test: no crash, no leak; what is refused is ERR_INPUT with a message; what is taken keeps to the limits.
 */
#include <sys/mman.h>

#include "oci/foreign_json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_here.h"

static void check(int result, const struct err *err)
{
	MUST(result == 0 || (err->kind == ERR_INPUT && err->msg[0] != '\0'));
}

static void read_documents(const json_t *j)
{
	struct err err = {0};
	struct foreign_descriptor d;
	auto_free struct foreign_descriptor *layers = NULL;
	auto_free struct digest *ids = NULL;
	struct foreign_docker docker;
	struct oci_platform p;
	size_t n = 0;

	check(foreign_index(j, &n, &err), &err);
	for (size_t i = 0; i < n; i++)
		check(foreign_entry(j, i, &d, &err), &err);
	if (foreign_manifest(j, &d, &layers, &n, &err) == 0)
		MUST(n > 0 && n <= OCI_LAYERS_MAX && layers[n - 1].size <= INT64_MAX);
	n = json_array_size(json_object_get(json_object_get(j, "rootfs"), "diff_ids"));
	check(foreign_config(j, n, &p, &ids, &err), &err);
	for (size_t i = 0; i < json_array_size(j); i++)
		check(foreign_docker_entry(j, i, &docker, &err), &err);
}

static void read_image(int fd)
{
	struct err err = {0};
	auto_oci_files files = NULL;
	auto_oci_foreign image = {0};
	struct oci_platform here;

	MUST(oci_platform_parse("linux/amd64", &here, &err) == 0);
	int result = oci_files_open_tar(fd, false, &files, &err);
	check(result, &err);
	if (result < 0 || files == NULL)
		return;
	result = oci_foreign_open(files, oci_files_shape(files), NULL, &here, &image, &err);
	check(result, &err);
	for (size_t i = 0; i < image.nlayers; i++) {
		auto_oci_part part = OCI_PART_NONE;

		check(oci_files_find(files, image.layers[i].file, image.links, &part, &err), &err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_json j = NULL;

	if (size == 0)
		return 0;
	if (data[0] == 'J') {
		if (json_parse((const char *)data + 1, size - 1, "fuzz", ERR_INPUT, &j, &err) == 0)
			read_documents(j);
		return 0;
	}
	auto_fd fd = memfd_create("fuzz", MFD_CLOEXEC);
	MUST(fd != -1 && io_write_all(fd, data + 1, size - 1, &err) == 0);
	read_image(fd);
	return 0;
}
