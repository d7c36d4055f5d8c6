/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: what an image is for. */
#include <stdio.h>
#include <string.h>

#include "oci/platform.h"

int oci_platform_parse(const char *text, struct oci_platform *ret, struct err *err)
{
	struct oci_platform p = { .os = "linux" };
	char arch[32] = "", more[2];
	int parts = text == NULL ? 0 : sscanf(text, "%31[a-z]/%31[a-z0-9_]/%31[a-z0-9]%1s", p.os, arch, p.variant, more);

	if (text == NULL)
		snprintf(arch, sizeof arch, "%s", oci_architecture());
	else if (strchr(text, '/') == NULL && sscanf(text, "%31[a-z0-9_]%1s", arch, more) == 1)
		snprintf(p.os, sizeof p.os, "linux");
	else if (parts < 2 || parts > 3 || strlen(p.os) + strlen(arch) + strlen(p.variant) + (size_t)parts - 1 != strlen(text))
		return err_set(err, ERR_USAGE, 0, "'%.100s' is no platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as linux/arm64",
			       text);
	snprintf(p.architecture, sizeof p.architecture, "%s",
		 strcmp(arch, "x86_64") == 0 ? "amd64" : strcmp(arch, "aarch64") == 0 ? "arm64" : arch);
	*ret = p;
	return 0;
}

const char *platform_text(const struct oci_platform *p, char out[PLATFORM_SIZE])
{
	snprintf(out, PLATFORM_SIZE, "%s/%s%s%s", p->os[0] == '\0' ? "?" : p->os, p->architecture[0] == '\0' ? "?" : p->architecture,
		 p->variant[0] == '\0' ? "" : "/", p->variant);
	return out;
}

/** The variant that an architecture has where none is said. */
static const char *variant_of(const struct oci_platform *p)
{
	if (p->variant[0] == '\0' && strcmp(p->architecture, "arm64") == 0)
		return "v8";
	if (p->variant[0] == '\0' && strcmp(p->architecture, "arm") == 0)
		return "v7";
	return p->variant[0] == '\0' && strcmp(p->architecture, "amd64") == 0 ? "v1" : p->variant;
}

bool platform_same_machine(const struct oci_platform *a, const struct oci_platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->architecture, b->architecture) == 0;
}

bool platform_same(const struct oci_platform *a, const struct oci_platform *b)
{
	return platform_same_machine(a, b) && strcmp(variant_of(a), variant_of(b)) == 0;
}
