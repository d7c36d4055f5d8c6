/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/harden.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "inspect/pieces.h"
#include "rootfs/import_table.h"

static const struct { const char *id, *why, *cure; } told[FINDINGS] = {
	[FINDING_ROOT] = { "root-user", "it runs as root: whoever breaks into it may write to all of it, and is root outside where no user namespace is "
		"between", "set a user other than 0 (artifact.config.user, or image pack --user)" },
	[FINDING_LABELS] = { "no-labels", "no label org.opencontainers.image.* says where it comes from",
		"set org.opencontainers.image.source, .revision and .licenses (image pack --label)" },
	[FINDING_SECRET_ENV] = { "secret-variable", "a variable whose name is that of a secret has a value, which everybody reads who has the image",
		"give it to the container when it starts" },
	[FINDING_SETUID] = { "setuid", "programs that run with the rights of their owner or group are ways to more rights",
		"take the bits off (chmod ug-s), or run it with no-new-privileges" },
	[FINDING_WRITABLE_FILE] = { "world-writable-file", "every user may change what is in it", "chmod o-w" },
	[FINDING_WRITABLE_DIR] = { "world-writable-directory", "every user may replace others' files in it", "chmod o-w, or set the sticky bit (chmod +t)" },
	[FINDING_PROGRAM_OWNER] = { "program-owner", "a program whose owner is not root can be replaced by who runs as that owner", "chown 0:0" },
	[FINDING_SHELL] = { "shell", "a shell makes more of a break-in", "build on scratch or a base without one, where the program needs none" },
	[FINDING_PACKAGE_MANAGER] = { "package-manager", "with it a break-in installs its tools, and who runs it changes what was built",
		"install in the build, and put only what came of it into the image" },
	[FINDING_PRIVATE_KEY] = { "private-key", "everybody who has the image has the key", "replace the key, and mount the new one when the container starts" },
	[FINDING_CREDENTIALS] = { "credentials", "everybody who has the image has them", "replace them; a build gets its secrets by a secret mount" },
	[FINDING_REPOSITORY] = { "repository", "the history of the sources is in it, with all that was ever committed", "leave .git out" },
};

/** Findings being gathered. */
struct findings {
	struct {
		uint64_t count;
		json_t *where;
	} v[FINDINGS];
	bool failed;
};

static void findings_clear(struct findings *f)
{
	for (size_t i = 0; i < FINDINGS; i++)
		json_decref(f->v[i].where);
}
#define auto_findings __attribute__((cleanup(findings_clear))) struct findings

/** @p where NULL: the image as a whole. */
static void add(struct findings *f, enum finding what, const char *where, size_t n)
{
	if (f->v[what].where == NULL)
		f->v[what].where = json_array();
	if (f->v[what].count++ < HARDEN_WHERE_MAX && where != NULL &&
	    json_array_append_new(f->v[what].where, json_bytes(where, n)) < 0)
		f->failed = true;
}

/** Appends them to @p list. */
static int tell(struct findings *f, json_t *list, struct err *err)
{
	for (size_t i = 0; i < FINDINGS; i++)
		if (f->v[i].count > 0 && json_array_append_new(list, json_pack("{s:s, s:I, s:O}", "id", told[i].id, "count", (json_int_t)f->v[i].count,
									       "where", f->v[i].where)) < 0)
			f->failed = true;
	return f->failed ? err_set(err, ERR_INTERNAL, ENOMEM, "look for findings") : 0;
}

static bool is_one_of(const char *s, size_t n, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == n && memcmp(*words, s, n) == 0)
			return true;
	return false;
}

/* ---- config --------------------------------------------------------------------------------------- */

static bool is_root(const char *user)
{
	size_t n = user == NULL ? 0 : strcspn(user, ":");

	if (n == 0 || (n == 4 && memcmp(user, "root", 4) == 0))
		return true;
	return strspn(user, "0") == n;
}

static bool has_labels(const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)labels, key, value) {
		if (text_starts(key, "org.opencontainers.image."))
			return true;
	}
	return false;
}

/** Of "NAME=value", whether NAME is what secrets are called. A value that is the path of a file is none. */
static bool is_secret_variable(const char *variable, size_t name)
{
	static const char *const words[] = { "PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY" };
	const char *value = variable + name + 1;

	if (variable[name] == '\0' || value[0] == '\0' || value[0] == '/')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i]);

		for (size_t at = 0; at + n <= name; at++)
			if (strncasecmp(variable + at, words[i], n) == 0)
				return true;
	}
	return false;
}

int harden_config(const json_t *config, json_t *list, struct err *err)
{
	const json_t *run = json_object_get(config, "config");
	const char *user = json_str(run, "User");
	auto_findings f = {0};
	json_t *variable;
	size_t i;

	if (is_root(user))
		add(&f, FINDING_ROOT, user, user == NULL ? 0 : strlen(user));
	if (!has_labels(json_object_get(run, "Labels")))
		add(&f, FINDING_LABELS, NULL, 0);
	json_array_foreach(json_object_get(run, "Env"), i, variable) {
		const char *s = json_is_string(variable) ? json_string_value(variable) : "";
		size_t name = strcspn(s, "=");

		/* The value is not shown. */
		if (is_secret_variable(s, name))
			add(&f, FINDING_SECRET_ENV, s, name);
	}
	return tell(&f, list, err);
}

/* ---- files ------------------------------------------------------------------------------------------ */

static bool is_program_dir(const char *path, size_t n)
{
	static const char *const dirs[] = { "bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", NULL };

	return is_one_of(path, n, dirs);
}

/** What a program of that name is for. */
static void find_program(struct findings *f, const struct member *m)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox", NULL };
	static const char *const managers[] = {
		"apt", "apt-get", "dpkg", "apk", "rpm", "yum", "dnf", "microdnf", "zypper", "pacman", "pip", "pip3", "npm", "gem", NULL,
	};
	const char *name = text_path_name(m->path);

	if (name == m->path || m->type == MEMBER_DIR || m->type == MEMBER_OTHER || !is_program_dir(m->path, (size_t)(name - m->path) - 1))
		return;
	if (is_one_of(name, strlen(name), shells))
		add(f, FINDING_SHELL, m->path, strlen(m->path));
	if (is_one_of(name, strlen(name), managers))
		add(f, FINDING_PACKAGE_MANAGER, m->path, strlen(m->path));
}

static void find_mode(struct findings *f, const struct member *m)
{
	bool is_file = m->type == MEMBER_FILE || m->type == MEMBER_HARD;
	size_t n = strlen(m->path);

	if (is_file && (m->mode & 06000) != 0)
		add(f, FINDING_SETUID, m->path, n);
	if (is_file && (m->mode & 0002) != 0)
		add(f, FINDING_WRITABLE_FILE, m->path, n);
	if (m->type == MEMBER_DIR && (m->mode & 01002) == 0002)
		add(f, FINDING_WRITABLE_DIR, m->path, n);
	if (is_file && (m->mode & 0111) != 0 && m->uid != 0)
		add(f, FINDING_PROGRAM_OWNER, m->path, n);
}

/** Whether a text has a private key in the armour of RFC 7468, OpenSSH or OpenPGP: a line of its own, and what looks like one behind. Programs and
 *  sources that only know such lines have them in other bytes. */
static bool has_private_key(const char *text, size_t n)
{
	static const char begin[] = "-----BEGIN ";
	const char *end = text + n;

	for (const char *p = text; (p = memmem(p, (size_t)(end - p), begin, sizeof begin - 1)) != NULL; p++) {
		const char *line = memchr(p, '\n', (size_t)(end - p));

		if (line == NULL)
			return false;
		if ((p == text || p[-1] == '\n') && memmem(p, (size_t)(line - p), "PRIVATE KEY", 11) != NULL && line + 1 < end && line[1] != '-')
			return true;
	}
	return false;
}

/** Files that hold credentials by their names, where they hold such words. */
static bool has_credentials(const char *path, const char *text, size_t n)
{
	static const struct { const char *path, *word; } known[] = {
		{ ".netrc", "password" }, { ".npmrc", "_authToken" }, { ".npmrc", "_password" }, { ".npmrc", "_auth" }, { ".pypirc", "password" },
		{ ".git-credentials", "://" }, { ".docker/config.json", "\"auth\"" }, { ".aws/credentials", "aws_secret_access_key" },
	};
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t m = strlen(known[i].path);

		if (len >= m && strcmp(path + len - m, known[i].path) == 0 && (len == m || path[len - m - 1] == '/') &&
		    memmem(text, n, known[i].word, strlen(known[i].word)) != NULL)
			return true;
	}
	return false;
}

static bool is_seen(const struct overlay *o, const struct member *m)
{
	size_t lo = 0, hi = o->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (import_path_order(o->v[mid]->path, m->path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < o->n && o->v[lo] == m;
}

static int add_secret(struct findings *f, enum finding what, const struct overlay *o, const struct member *m, struct err *err)
{
	auto_buf where = {0};

	buf_adds(&where, m->path);
	if (!is_seen(o, m))
		buf_addf(&where, " (hidden, but in layer %zu)", overlay_layer_of(o, m) + 1);
	if (buf_check(&where, "path", err) < 0)
		return -1;
	add(f, what, where.data, where.len);
	return 0;
}

static int find_secrets(struct findings *f, const struct overlay *o, const struct member *m, struct err *err)
{
	char head[HARDEN_HEAD];
	size_t n;

	if (m->type == MEMBER_DIR && strcmp(text_path_name(m->path), ".git") == 0)
		return add_secret(f, FINDING_REPOSITORY, o, m, err);
	if (m->type != MEMBER_FILE || m->size == 0 || m->size > HARDEN_FILE_MAX)
		return 0;
	const struct slice content = overlay_content(o, m);
	if (bytes_read(&content, 0, head, sizeof head, &n, err) < 0)
		return -1;
	if (!pieces_is_text(head, n))
		return 0;
	if (has_private_key(head, n))
		return add_secret(f, FINDING_PRIVATE_KEY, o, m, err);
	return has_credentials(m->path, head, n) ? add_secret(f, FINDING_CREDENTIALS, o, m, err) : 0;
}

int harden_files(const struct overlay *o, json_t *list, struct err *err)
{
	auto_findings f = {0};

	for (size_t i = 0; i < o->n; i++) {
		find_mode(&f, o->v[i]);
		find_program(&f, o->v[i]);
	}
	for (size_t i = 0; i < o->all.n; i++)
		if (find_secrets(&f, o, &o->all.v[i], err) < 0)
			return -1;
	return tell(&f, list, err);
}

/* ---- reasons ----------------------------------------------------------------------------------------- */

static int believe(json_t *finding, struct err *err)
{
	json_t *where;
	const char *id;
	json_int_t count;

	if (json_unpack_ex(finding, NULL, JSON_STRICT, "{s:s, s:I, s:o}", "id", &id, "count", &count, "where", &where) == 0 && count > 0 &&
	    json_is_array(where) && json_array_size(where) <= HARDEN_WHERE_MAX)
		for (size_t i = 0; i < FINDINGS; i++)
			if (strcmp(id, told[i].id) == 0)
				return json_object_set_new(finding, "why", json_string(told[i].why)) < 0 ||
				       json_object_set_new(finding, "cure", json_string(told[i].cure)) < 0 ?
				       err_set(err, ERR_INTERNAL, ENOMEM, "tell findings") : 0;
	return err_set(err, ERR_INPUT, 0, "the reader of layers says a finding that makes no sense");
}

int harden_believe(json_t *list, struct err *err)
{
	json_t *finding;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > FINDINGS)
		return err_set(err, ERR_INPUT, 0, "the reader of layers says findings that make no sense");
	json_array_foreach(list, i, finding) {
		if (believe(finding, err) < 0)
			return -1;
	}
	return 0;
}
