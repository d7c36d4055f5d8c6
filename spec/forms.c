/* SPDX-License-Identifier: Apache-2.0 */
/* What the strings of a spec must look like. Judged by code, not by regcomp(3), whose
 * meaning depends on the locale; the patterns are for the JSON Schema. */
#include <limits.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "spec/ref.h"
#include "spec/schema.h"

#define NAME "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
#define DIGEST "sha256:[0-9a-f]{64}"
#define HOST_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define URL_HOST "([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?"
#define URL "(https?://" URL_HOST "([/?#][!-~]*)?|file://(localhost)?/[!-~]*)"
#define REPO_PART "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"
#define REPO "(" HOST_LABEL "(\\." HOST_LABEL ")*(:[0-9]{1,5})?/)?" REPO_PART "(/" REPO_PART ")*"

/** One line: nothing below a space, nor DEL. The characters stand for themselves: EREs have no escapes for them. */
#define ONE_LINE "^[^\001-\037\177]+$"

static bool any(const char *s)
{
	(void)s;
	return true;
}

static bool one_line(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/** Something besides white space. */
static bool not_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] != '\0';
}

static bool cpus(const char *s)
{
	uint64_t millis;

	return text_parse_cpus(s, &millis);
}

static bool hostname(const char *s)
{
	return ref_hostname(s, strlen(s));
}

/** An absolute clean path with components that any file system takes. */
static bool absolute(const char *s)
{
	if (!text_path_is_absolute(s) || !one_line(s))
		return false;
	for (const char *p = s; *p != '\0'; ) {
		size_t n = strcspn(++p, "/");

		if (n > NAME_MAX)
			return false;
		p += n;
	}
	return true;
}

/** A relative clean path: with a '/' before it, an absolute one. */
static bool inner_path(const char *s)
{
	char whole[PATH_MAX + 1] = "/";

	if (s[0] == '\0' || strlen(s) >= PATH_MAX)
		return false;
	strcpy(whole + 1, s);
	return absolute(whole);
}

/** A place for a mount: not what the sandbox itself makes there. */
static bool mount(const char *s)
{
	static const char *const taken[] = { "/dev", "/proc", "/sys", "/etc", "/tmp", "/build" };

	if (!absolute(s) || s[1] == '\0')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		size_t n = strlen(taken[i]);

		if (strncmp(s, taken[i], n) == 0 && (s[n] == '\0' || s[n] == '/'))
			return false;
	}
	return true;
}

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

static bool profile(const char *s)
{
	return one_line(s) && (text_is_name(s) || ends(s, ".yaml") || ends(s, ".json"));
}

static bool sbom(const char *s)
{
	return strcmp(s, "cyclonedx-1.6") == 0 || strcmp(s, "spdx-2.3") == 0;
}

static bool when(const char *s)
{
	return strcmp(s, "tag") == 0 || strcmp(s, "main") == 0;
}

static bool vary(const char *s)
{
	static const char *const names[] = {
		"all", "cpus", "host-path", "host-uid", "hostname", "load", "locale", "path", "pids", "readdir-order", "time", "timezone", "uid",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(s, names[i]) == 0)
			return true;
	return false;
}

static bool image_name(const char *s)
{
	return ref_repository(s, strlen(s));
}

static bool rootfs(const char *s)
{
	const char *at = strchr(s, '@');
	struct digest d;
	char name[128];

	if (at == NULL)
		return text_is_name(s) || digest_parse(s, &d);
	if (!digest_parse(at + 1, &d))
		return false;
	if (text_starts(s, "oci:"))
		return ref_repository(s + 4, (size_t)(at - s) - 4);
	if ((size_t)(at - s) >= sizeof name)
		return false;
	memcpy(name, s, (size_t)(at - s));
	name[at - s] = '\0';
	return text_is_name(name);
}

static bool version(const char *s)
{
	if (!is_alnum(s[0]))
		return false;
	for (; *s != '\0'; s++)
		if (!is_alnum(*s) && strchr("._+~-", *s) == NULL)
			return false;
	return true;
}

/** USER or USER:GROUP, each a name or a number. */
static bool image_user(const char *s)
{
	for (int part = 0; part < 2; part++) {
		size_t n = 0;

		while (is_alnum(s[n]) || (n > 0 && s[n] != '\0' && strchr("._-", s[n]) != NULL) || s[n] == '_')
			n++;
		if (n == 0 || n > 32)
			return false;
		if (s[n] == '\0')
			return true;
		if (s[n] != ':')
			return false;
		s += n + 1;
	}
	return false;
}

/** scheme:rest (RFC 3986), printable ASCII without space. */
static bool uri(const char *s)
{
	size_t n = 0;

	if (!is_alpha(s[0]))
		return false;
	while (is_alnum(s[n]) || (s[n] != '\0' && strchr("+.-", s[n]) != NULL))
		n++;
	if (s[n] != ':' || s[n + 1] == '\0')
		return false;
	for (; s[n] != '\0'; n++)
		if (s[n] <= ' ' || s[n] > '~')
			return false;
	return true;
}

/** scratch, rootfs, or oci:…@sha256:…: what stands between is a path or a registry's name, which is told apart when it is used. */
static bool base(const char *s)
{
	const char *at = strrchr(s, '@');
	struct digest d;

	if (strcmp(s, "scratch") == 0 || strcmp(s, "rootfs") == 0)
		return true;
	return text_starts(s, "oci:") && at != NULL && at > s + 4 && digest_parse(at + 1, &d) && one_line(s);
}

/** NAME or NAME:NAME. */
static bool layer_from(const char *s)
{
	const char *colon = strchr(s, ':');
	char step[128];

	if (colon == NULL)
		return text_is_name(s);
	if ((size_t)(colon - s) >= sizeof step)
		return false;
	memcpy(step, s, (size_t)(colon - s));
	step[colon - s] = '\0';
	return text_is_name(step) && text_is_name(colon + 1);
}

/** Three octal digits with or without a 0 before them: setuid, setgid and sticky bits have no place in an image. */
static bool mode(const char *s)
{
	if (strlen(s) == 4 && *s++ != '0')
		return false;
	return strlen(s) == 3 && strspn(s, "01234567") == 3;
}

/** A decimal number of 1 to @p max without leading zeros. @return its digits, 0 for none. */
static size_t small_number(const char *s, unsigned max)
{
	unsigned v = 0;
	size_t n = 0;

	for (; is_digit(s[n]) && n < 6; n++)
		v = v * 10 + (unsigned)(s[n] - '0');
	return s[0] != '0' && v >= 1 && v <= max ? n : 0;
}

/** PORT or PORT/PROTOCOL, as OCI's config has them. */
static bool port(const char *s)
{
	size_t n = small_number(s, 65535);

	return n != 0 && (s[n] == '\0' || strcmp(s + n, "/tcp") == 0 || strcmp(s + n, "/udp") == 0 || strcmp(s + n, "/sctp") == 0);
}

/** SIGNAME, SIGRTMIN+N or a number: OCI's config leaves the names to the platform. */
static bool signal_name(const char *s)
{
	static const char *const names[] = {
		"SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
		"SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
		"SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
		"SIGRTMIN", "SIGRTMAX",
	};
	size_t n = small_number(s, 64);

	if (n != 0)
		return s[n] == '\0';
	if (text_starts(s, "SIGRTMIN+") || text_starts(s, "SIGRTMAX-")) {
		n = small_number(s + 9, 15);
		return n != 0 && s[9 + n] == '\0';
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(s, names[i]) == 0)
			return true;
	return false;
}

static bool env_name(const char *s)
{
	if (!is_alpha(s[0]) && s[0] != '_')
		return false;
	for (; *s != '\0'; s++)
		if (!is_alnum(*s) && *s != '_')
			return false;
	return true;
}

static bool digest(const char *s)
{
	struct digest d;

	return digest_parse(s, &d);
}

/** A URL, or a path, which a colon would make look like another machine. */
static bool git_url(const char *s)
{
	return ref_url(s) || (one_line(s) && strchr(s, ':') == NULL);
}

static bool commit(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return s[n] == '\0' && (n == 40 || n == 64);
}

const struct schema_form form_name = {
	.what = "a name of letters, digits, '.', '_' and '-' that begins with a letter or digit",
	.example = "web-1", .pattern = "^" NAME "$", .max = 100, .ok = text_is_name,
};
const struct schema_form form_hostname = {
	.what = "a host name (RFC 1123): letters, digits and '-', with '.' between labels",
	.example = "build", .pattern = "^" HOST_LABEL "(\\." HOST_LABEL ")*$", .max = 64, .ok = hostname,
};
const struct schema_form form_mount = {
	.what = "an absolute path without '.', '..' or doubled slashes, not '/' and not at or below /dev, /proc, /sys, /etc, /tmp or /build",
	.example = "/src", .pattern = "^(/[^/]+)+$", .max = 1024, .ok = mount,
};
const struct schema_form form_image_path = {
	.what = "an absolute path without '.', '..' or doubled slashes",
	.example = "/app", .pattern = "^/([^/]+(/[^/]+)*)?$", .max = 1024, .ok = absolute,
};
const struct schema_form form_host_path = {
	.what = "a path on one line", .example = "services/web", .pattern = ONE_LINE, .max = PATH_MAX - 1, .ok = one_line,
};
const struct schema_form form_inner_path = {
	.what = "a relative path without '.', '..' or doubled slashes", .example = "build/common.yaml",
	.pattern = "^[^/]+(/[^/]+)*$", .max = 1024, .ok = inner_path,
};
const struct schema_form form_glob = {
	.what = "a pattern on one line", .example = "*.log", .pattern = ONE_LINE, .max = PATH_MAX - 1, .ok = one_line,
};
const struct schema_form form_profile = {
	.what = "the name of a profile, or a path that ends in .yaml or .json",
	.example = "strict", .pattern = "^(" NAME "|.+\\.(yaml|json))$", .max = PATH_MAX - 1, .ok = profile,
};
const struct schema_form form_rootfs = {
	.what = "NAME@sha256:… with 64 hexadecimal digits, sha256:…, oci:REPOSITORY@sha256:…, or a NAME",
	.example = "debian-12",
	.pattern = "^(" NAME "(@" DIGEST ")?|" DIGEST "|oci:" REPO "@" DIGEST ")$", .max = 512, .ok = rootfs,
};
const struct schema_form form_version = {
	.what = "a version of letters, digits, '.', '_', '+', '~' and '-' that begins with a letter or digit",
	.example = "20", .pattern = "^[A-Za-z0-9][A-Za-z0-9._+~-]*$", .max = 100, .ok = version,
};
const struct schema_form form_cpus = {
	.what = "a number of processors in quotes, from 0.01 to 9999.999, with at most three decimals",
	.example = "1.5", .pattern = "^([1-9][0-9]{0,3}([.][0-9]{1,3})?|0[.](0[1-9][0-9]?|[1-9][0-9]{0,2}))$", .max = 8, .ok = cpus,
};
const struct schema_form form_image_name = {
	.what = "an image's name without tag or digest, such as host:5000/team/image (tags are named by spec.publish.tags)",
	.example = "team/image", .pattern = "^" REPO "$", .max = 255, .ok = image_name,
};
const struct schema_form form_image_user = {
	.what = "USER or USER:GROUP, each a name or a number",
	.example = "1000:1000", .pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}(:[A-Za-z0-9_][A-Za-z0-9._-]{0,31})?$",
	.max = 65, .ok = image_user,
};
const struct schema_form form_tag = {
	.what = "a tag of letters, digits, '.', '_' and '-', with placeholders such as {git.sha}",
	.example = "{semver}",
	.pattern = "^([A-Za-z0-9_]|\\{[A-Za-z][A-Za-z.]*\\})([A-Za-z0-9._-]|\\{[A-Za-z][A-Za-z.]*\\})*$",
	.max = 128, .ok = ref_tag,
};
const struct schema_form form_when = {
	.what = "tag or main", .example = "tag", .pattern = "^(tag|main)$", .max = 100, .ok = when,
};
const struct schema_form form_vary = {
	.what = "all, cpus, host-path, host-uid, load, pids, readdir-order or time, or hostname, locale, path, timezone or uid", .example = "readdir-order",
	.pattern = "^(all|cpus|host-path|host-uid|hostname|load|locale|path|pids|readdir-order|time|timezone|uid)$", .max = 100, .ok = vary,
};
const struct schema_form form_sbom = {
	.what = "cyclonedx-1.6 or spdx-2.3", .example = "spdx-2.3", .pattern = "^(cyclonedx-1[.]6|spdx-2[.]3)$", .max = 100, .ok = sbom,
};
const struct schema_form form_uri = {
	.what = "a URI: scheme, ':' and printable characters without spaces",
	.example = "https://ci.example.com/runners/1", .pattern = "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$", .max = 2048, .ok = uri,
};
const struct schema_form form_url = {
	.what = "an https:, http: or file: URL without a user or password, in printable ASCII",
	.example = "https://example.com/zlib-1.3.1.tar.gz", .pattern = "^" URL "$", .max = 2048, .ok = ref_url,
};
const struct schema_form form_git_url = {
	.what = "an https:, http: or file: URL without a user or password, or a path without ':'",
	.example = "https://git.example.com/shop/checkout.git", .pattern = "^(" URL "|[^:\001-\037\177]+)$", .max = 2048, .ok = git_url,
};
const struct schema_form form_commit = {
	.what = "the whole hash of a commit: 40 or 64 hexadecimal digits, in lower case",
	.example = "4b220de5058abfd01ff619c9d2ff6b09a049bea0", .pattern = "^[0-9a-f]{40}([0-9a-f]{24})?$", .max = 64, .ok = commit,
};
const struct schema_form form_git_ref = {
	.what = "the name of a branch or tag, of letters, digits, '.', '_', '/', '+' and '-' (git-check-ref-format(1))",
	.example = "v1.2.3", .pattern = "^[A-Za-z0-9]([A-Za-z0-9._/+-]*[A-Za-z0-9_+-])?$", .max = 200, .ok = ref_git_name,
};
const struct schema_form form_digest = {
	.what = "sha256: and 64 hexadecimal digits",
	.example = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", .pattern = "^" DIGEST "$", .max = 71,
	.ok = digest,
};
const struct schema_form form_env_name = {
	.what = "a variable's name: letters, digits and '_', not beginning with a digit",
	.example = "LANG", .pattern = "^[A-Za-z_][A-Za-z0-9_]*$", .max = 256, .ok = env_name,
};
const struct schema_form form_label_name = {
	.what = "a label's name on one line",
	.example = "org.opencontainers.image.title", .pattern = ONE_LINE, .max = 256, .ok = one_line,
};
const struct schema_form form_script = {
	.what = "a command line that is not blank", .example = "make", .pattern = "[^ \t\r\n]",
	.max = SCHEMA_TEXT_MAX, .ok = not_blank,
};
const struct schema_form form_argument = {
	.what = "a string", .example = "make", .max = SCHEMA_TEXT_MAX, .ok = any,
};
const struct schema_form form_value = {
	.what = "a string", .example = "C.UTF-8", .max = 65535, .ok = any,
};

const struct schema_form form_base = {
	.what = "rootfs, scratch, oci:PATH@sha256:… with 64 hexadecimal digits (a path begins with '/' or '.'), or oci:REPOSITORY@sha256:…",
	.example = "scratch", .pattern = "^(rootfs|scratch|oci:[^\001-\037\177]+@" DIGEST ")$", .max = PATH_MAX, .ok = base,
};
const struct schema_form form_layer_from = {
	.what = "the name of a source, or STEP:OUTPUT", .example = "build:src", .pattern = "^" NAME "(:" NAME ")?$", .max = 201,
	.ok = layer_from,
};
const struct schema_form form_mode = {
	.what = "three octal digits, with or without a 0 before them", .example = "0644", .pattern = "^0?[0-7]{3}$", .max = 16, .ok = mode,
};
const struct schema_form form_port = {
	.what = "a port from 1 to 65535, alone or with /tcp, /udp or /sctp behind it (and no number beyond that)", .example = "8080/tcp",
	.pattern = "^[1-9][0-9]{0,4}(/(tcp|udp|sctp))?$", .max = 10, .ok = port,
};
const struct schema_form form_signal = {
	.what = "a signal's name such as SIGTERM or SIGRTMIN+3, or its number from 1 to 64", .example = "SIGTERM",
	.pattern = "^(SIG[A-Z0-9]+([+-][1-9][0-9]?)?|[1-9][0-9]?)$", .max = 16, .ok = signal_name,
};
const struct schema_form form_line = {
	.what = "text on one line", .example = "The Makers <makers@example.com>", .pattern = ONE_LINE, .max = 1024, .ok = one_line,
};

bool schema_form_ok(const struct schema_form *form, const char *s)
{
	return strlen(s) <= form->max && form->ok(s);
}
