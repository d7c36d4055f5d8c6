/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the readers of what tells of packages, and of what they are given a licence's name or a lock file. The first byte says which of the paths below
 * the rest is the text of. Promise under test: no crash, no leak; whatever the bytes, an error is ERR_INPUT, and an answer is one that the process that asked
 * believes, and that both forms of a bill of materials can be made of.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/sbom.h"
#include "tests/fuzz/found.h"

/** A file of each format; those that list files of packages have one to list them of. */
static const char *const paths[] = {
	"etc/os-release", "usr/share/doc/a/copyright", "var/lib/dpkg/status", "var/lib/dpkg/status.d/a", "var/lib/dpkg/info/a.list",
	"var/lib/dpkg/status.d/a.md5sums", "lib/apk/db/installed", "s/a.dist-info/METADATA", "s/a.dist-info/RECORD", "s/a.egg-info/installed-files.txt",
	"app/node_modules/a/package.json", "app/package-lock.json", "src/go.mod", "src/Cargo.lock", "usr/bin/a",
};
#define PATHS (sizeof paths / sizeof paths[0])

/** Reads a text as the file at @p path. */
static void read_text(struct pkg_found *f, const char *path, const void *bytes, size_t n)
{
	struct err err = {0};
	struct pkg_file file = { .at = contents_find(f->contents, path), .path = path, .n = n };
	enum pkg_format format = pkg_format_of(path);
	char *text = malloc(n + 1);

	MUST(text != NULL && file.at != CONTENTS_NONE);
	memcpy(text, bytes, n);
	text[n] = '\0';
	file.text = text;
	file.bytes = (struct slice){ .fd = memfd_create("fuzz", MFD_CLOEXEC), .size = n };
	MUST(file.bytes.fd >= 0 && io_write_all(file.bytes.fd, bytes, n, &err) == 0);
	if (strcmp(path, "usr/bin/a") == 0)
		format = PKG_GO_BINARY;
	if (format != PKG_NO_FORMAT && pkg_read(f, format, &file, &err) < 0)
		MUST(err.kind == ERR_INPUT);
	close(file.bytes.fd);
	free(text);
}

static void write_sboms(const struct contents *c, const struct packages *p)
{
	const struct sbom_layer layer = { .created_by = "fuzz" };
	const struct sbom s = {
		.name = "fuzz", .architecture = "amd64", .version = "0", .layers = &layer, .nlayers = 1, .contents = c, .packages = p,
	};

	for (enum sbom_format f = 0; f < SBOM_FORMATS; f++) {
		struct err err = {0};
		auto_json doc = NULL;

		MUST(sbom_make(f, &s, &doc, &err) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char status[] = "Package: a\nVersion: 1\nDepends: a, b\n", metadata[] = "Name: a\nVersion: 1\n";
	struct err err = {0};
	struct contents c = {0};
	struct pkg_found f = {0};
	struct packages p = {0};

	if (size == 0 || size > 64 << 10)
		return 0;
	found_files(&c, paths, PATHS);
	const struct tree_entry egg = { .type = TREE_FILE }, link = { .type = TREE_LINK, .link = "../usr/./bin/.." };
	MUST(contents_add(&c, &egg, "s/a.egg-info/PKG-INFO", 0, &err) == 0 && contents_add(&c, &link, "l", 0, &err) == 0);
	contents_lay(&c);
	MUST(pkg_found_begin(&f, &c, &err) == 0);
	read_text(&f, "var/lib/dpkg/status", status, sizeof status - 1);
	read_text(&f, "var/lib/dpkg/status.d/a", status, sizeof status - 1);
	read_text(&f, "s/a.dist-info/METADATA", metadata, sizeof metadata - 1);
	read_text(&f, "s/a.egg-info/PKG-INFO", metadata, sizeof metadata - 1);
	read_text(&f, paths[data[0] % PATHS], data + 1, size - 1);
	found_believe(&f, &p);
	write_sboms(&c, &p);
	packages_clear(&p);
	pkg_found_clear(&f);
	contents_clear(&c);
	return 0;
}
