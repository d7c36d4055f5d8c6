/* SPDX-License-Identifier: Apache-2.0 */
/* Package URLs, by ECMA-427: what is percent-encoded, and what each type makes of its names. */
#include <ctype.h>
#include <string.h>

#include "inspect/packages.h"
#include "inspect/purl.h"

void purl_encode(const char *s, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (isalnum((unsigned char)s[i]) || (s[i] != '\0' && strchr(".-_~:", s[i]) != NULL))
			buf_addc(out, s[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)s[i]);
	}
}

/** A name in lower case; pypi: runs of "-_." are one "-". */
static void add_folded(const char *s, size_t n, enum package_kind kind, struct buf *out)
{
	bool fold = kind == PACKAGE_DEB || kind == PACKAGE_APK || kind == PACKAGE_NPM || kind == PACKAGE_PYPI || kind == PACKAGE_GOLANG;

	for (size_t i = 0; i < n; i++) {
		char c = fold ? (char)tolower((unsigned char)s[i]) : s[i];

		if (kind == PACKAGE_PYPI && strchr("-_.", c) != NULL) {
			if (i + 1 == n || strchr("-_.", s[i + 1]) == NULL)
				buf_addc(out, '-');
		} else {
			purl_encode(&c, 1, out);
		}
	}
}

/** A distribution as package URLs know it, where that is not what it calls itself: those of several names have one for all their packages. */
static const char *vendor_of(const char *os_id)
{
	static const struct { const char *id, *vendor; } vendors[] = {
		{ "rhel", "redhat" }, { "sles", "suse" }, { "opensuse-leap", "opensuse" }, { "opensuse-tumbleweed", "opensuse" },
	};

	for (size_t i = 0; i < ARRAY_LEN(vendors); i++)
		if (strcmp(vendors[i].id, os_id) == 0)
			return vendors[i].vendor;
	return os_id;
}

/** What goes before the name: the distribution, or the parts of the name before its last slash, each encoded by itself. */
static const char *add_namespace(const struct packages *all, const struct package *p, struct buf *out)
{
	static const char *const distributions[PACKAGE_KINDS] = { [PACKAGE_DEB] = "debian", [PACKAGE_APK] = "alpine" };
	const char *name = p->name, *slash;

	if (p->kind == PACKAGE_DEB || p->kind == PACKAGE_APK || p->kind == PACKAGE_RPM) {
		const char *distribution = all->os_id == NULL ? distributions[p->kind] : p->kind == PACKAGE_RPM ? vendor_of(all->os_id) : all->os_id;

		if (distribution != NULL) {
			add_folded(distribution, strlen(distribution), PACKAGE_DEB, out);
			buf_addc(out, '/');
		}
		return name;
	}
	while ((p->kind == PACKAGE_NPM || p->kind == PACKAGE_GOLANG) && (slash = strchr(name, '/')) != NULL) {
		add_folded(name, (size_t)(slash - name), p->kind, out);
		if (slash > name)
			buf_addc(out, '/');
		name = slash + 1;
	}
	return name;
}

void purl_qualifier(const char *key, const char *value, bool *first, struct buf *out)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(out, "%c%s=", *first ? '?' : '&', key);
	purl_encode(value, strlen(value), out);
	*first = false;
}

/** arch and distro, for packages of a distribution. */
static void add_qualifiers(const struct packages *all, const struct package *p, struct buf *out)
{
	auto_buf distro = {0};
	bool first = true;

	if (p->kind != PACKAGE_DEB && p->kind != PACKAGE_APK && p->kind != PACKAGE_RPM)
		return;
	purl_qualifier("arch", p->arch, &first, out);
	if (all->os_id != NULL && all->os_version != NULL) {
		buf_addf(&distro, "%s-%s", all->os_id, all->os_version);
		purl_qualifier("distro", distro.failed ? NULL : distro.data, &first, out);
		out->failed = out->failed || distro.failed;
	}
	/* An epoch stands before the version, but in rpm's type, where it is a qualifier. */
	if (p->kind == PACKAGE_RPM && p->version != NULL && strchr(p->version, ':') != NULL) {
		auto_buf epoch = {0};

		buf_add(&epoch, p->version, strcspn(p->version, ":"));
		purl_qualifier("epoch", epoch.failed ? NULL : epoch.data, &first, out);
		out->failed = out->failed || epoch.failed;
	}
}

void package_purl(const struct packages *all, const struct package *p, struct buf *out)
{
	const char *version = p->version;

	buf_addf(out, "pkg:%s/", package_kind_name(p->kind));
	const char *name = add_namespace(all, p, out);
	add_folded(name, strlen(name), p->kind, out);
	if (p->kind == PACKAGE_RPM && version != NULL && strchr(version, ':') != NULL)
		version = strchr(version, ':') + 1;
	if (version != NULL) {
		buf_addc(out, '@');
		purl_encode(version, strlen(version), out);
	}
	add_qualifiers(all, p, out);
}
