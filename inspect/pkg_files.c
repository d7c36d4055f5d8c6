/* SPDX-License-Identifier: Apache-2.0 */
/* Which of an image's files tell of packages, by their paths. */
#include <string.h>

#include "inspect/pkg.h"

/** A pattern of paths: in a directory of the image's, or anywhere; the last name whole, or its end. */
static const struct pattern {
	const char *dir;         /**< NULL: anywhere; with a '*' at its end: in a directory of that */
	const char *name;        /**< with a '*' before: its end */
	enum pkg_format format;
} patterns[] = {
	{ "etc", "os-release", PKG_OS_RELEASE },
	{ "usr/lib", "os-release", PKG_OS_RELEASE },
	{ "usr/share/doc/*", "copyright", PKG_COPYRIGHT },
	{ "var/lib/dpkg", "status", PKG_DPKG_STATUS },
	{ "var/lib/dpkg/status.d", "*.md5sums", PKG_DPKG_SUMS },
	{ "var/lib/dpkg/status.d", "*", PKG_DPKG_STATUS_D },
	{ "var/lib/dpkg/info", "*.list", PKG_DPKG_LIST },
	{ "lib/apk/db", "installed", PKG_APK_INSTALLED },
	{ "usr/lib/apk/db", "installed", PKG_APK_INSTALLED },
	{ "usr/lib/sysimage/rpm", "rpmdb.sqlite", PKG_RPM_SQLITE },
	{ "var/lib/rpm", "rpmdb.sqlite", PKG_RPM_SQLITE },
	{ "usr/share/rpm", "rpmdb.sqlite", PKG_RPM_SQLITE },
	{ "usr/lib/sysimage/rpm", "Packages.db", PKG_RPM_NDB },
	{ "var/lib/rpm", "Packages.db", PKG_RPM_NDB },
	{ "usr/lib/sysimage/rpm", "Packages", PKG_RPM_BDB },
	{ "var/lib/rpm", "Packages", PKG_RPM_BDB },
	{ NULL, "package.json", PKG_NPM_PACKAGE },
	{ NULL, "package-lock.json", PKG_NPM_LOCK },
	{ NULL, "npm-shrinkwrap.json", PKG_NPM_LOCK },
	{ NULL, "*.egg-info", PKG_PIP_METADATA },
	{ NULL, "go.mod", PKG_GO_MOD },
	{ NULL, "Cargo.lock", PKG_CARGO_LOCK },
};

/** Files of Python's packages, by the directory's name. */
static const struct pattern in_python[] = {
	{ ".dist-info", "METADATA", PKG_PIP_METADATA },
	{ ".dist-info", "RECORD", PKG_PIP_RECORD },
	{ ".egg-info", "PKG-INFO", PKG_PIP_METADATA },
	{ ".egg-info", "installed-files.txt", PKG_PIP_FILES },
	{ "EGG-INFO", "PKG-INFO", PKG_PIP_METADATA },
};

static bool ends_in(const char *s, size_t n, const char *end)
{
	size_t m = strlen(end);

	return n >= m && memcmp(s + n - m, end, m) == 0;
}

static bool is_name(const char *name, const char *pattern)
{
	if (pattern[0] == '*')
		return ends_in(name, strlen(name), pattern + 1);
	return strcmp(name, pattern) == 0;
}

/** Whether the first @p n bytes of a path are the pattern's directory. */
static bool is_dir(const char *path, size_t n, const char *pattern)
{
	size_t m = strlen(pattern);

	if (pattern[m - 1] != '*')
		return n == m && memcmp(path, pattern, m) == 0;
	return n >= m && memcmp(path, pattern, m - 1) == 0 && memchr(path + m - 1, '/', n - (m - 1)) == NULL;
}

enum pkg_format pkg_format_of(const char *path)
{
	const char *name = text_path_name(path);
	size_t n = name == path ? 0 : (size_t)(name - path) - 1;

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
		if (is_name(name, patterns[i].name) && (patterns[i].dir == NULL || is_dir(path, n, patterns[i].dir)))
			return patterns[i].format;
	for (size_t i = 0; i < ARRAY_LEN(in_python); i++)
		if (is_name(name, in_python[i].name) && ends_in(path, n, in_python[i].dir))
			return in_python[i].format;
	return PKG_NO_FORMAT;
}

bool pkg_reads_bytes(enum pkg_format format)
{
	return format == PKG_RPM_SQLITE || format == PKG_RPM_NDB || format == PKG_RPM_BDB;
}

uint64_t pkg_file_max(enum pkg_format format)
{
	return pkg_reads_bytes(format) ? PACKAGE_DATABASE_MAX : PACKAGE_FILE_MAX;
}
