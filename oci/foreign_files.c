/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "oci/rules.h"
#include "oci/show.h"
#include "oci/slice.h"

/** A member of an archive: a file, or a link. */
struct entry {
	char *name;
	char *link;       /**< links: target as it stands there; else NULL */
	bool hard;        /**< a hard link: its target counts from the top */
	uint64_t offset, size;
};

struct oci_files {
	int dir;          /**< borrowed; -1: a tar */
	int tar;
	struct entry *entries;   /**< sorted by name */
	size_t n, room;
};

void oci_part_close(struct oci_part *p)
{
	if (p->owned && p->fd != -1)
		close(p->fd);
	*p = OCI_PART_NONE;
}

void oci_files_free(struct oci_files *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->entries[i].name);
		free(f->entries[i].link);
	}
	free(f->entries);
	free(f);
}

static int files_new(struct oci_files **ret, struct err *err)
{
	struct oci_files *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	f->dir = f->tar = -1;
	*ret = f;
	return 0;
}

int oci_files_open_dir(int dirfd, struct oci_files **ret, struct err *err)
{
	if (files_new(ret, err) < 0)
		return -1;
	(*ret)->dir = dirfd;
	return 0;
}

/* ---- the tar, from front to back -------------------------------------------------- */

struct scan {
	struct oci_files *files;
	uint64_t at, size;
	uint64_t name_bytes;
	bool sure;
	bool any;          /**< a member has come that an image may have */
	bool other;        /**< one has come that none has */
};

static int scan_read(void *arg, void *data, size_t n, size_t *ret_got, struct err *err)
{
	struct scan *s = arg;

	if (slice_pread(s->files->tar, data, n, s->at, ret_got, err) < 0)
		return -1;
	s->at += *ret_got;
	return 0;
}

static int scan_skip(void *arg, uint64_t n, struct err *err)
{
	struct scan *s = arg;

	if (n > s->size - s->at)
		return err_set(err, ERR_INPUT, 0, "the archive ends within its %llu bytes", (unsigned long long)n);
	s->at += n;
	return 0;
}

/** The part of @p name that is 64 hex digits is passed over; whether there was one. */
static bool skip_hex(const char **name)
{
	const char *s = text_starts(*name, "sha256:") ? *name + strlen("sha256:") : *name;

	if (strspn(s, "0123456789abcdef") != DIGEST_HEX_SIZE - 1)
		return false;
	*name = s + DIGEST_HEX_SIZE - 1;
	return true;
}

bool oci_is_image_member(const char *name)
{
	static const char *const whole[] = { "", "oci-layout", "index.json", "manifest.json", "repositories", "blobs", "version" };
	static const char *const behind_hex[] = { "", ".json", ".tar", ".tar.gz" };

	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (strcmp(name, whole[i]) == 0)
			return true;
	if (text_starts(name, "blobs/"))
		return true;
	if (!skip_hex(&name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(behind_hex); i++)
		if (strcmp(name, behind_hex[i]) == 0)
			return true;
	return name[0] == '/';
}

static int add_entry(struct scan *s, const struct untar_entry *e, struct err *err)
{
	struct oci_files *f = s->files;

	s->name_bytes += strlen(e->path) + (e->link == NULL ? 0 : strlen(e->link));
	if (f->n >= OCI_FILES_MAX || s->name_bytes > OCI_FILE_NAMES_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %u files, or %u bytes of names", OCI_FILES_MAX, OCI_FILE_NAMES_MAX);
	if (!array_room(&f->entries, f->n, &f->room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	struct entry *to = &f->entries[f->n];
	*to = (struct entry){
		.name = strdup(e->path), .link = e->link == NULL ? NULL : strdup(e->link), .hard = e->type == TAR_HARDLINK,
		.offset = s->at, .size = e->size,
	};
	f->n++;
	if (to->name == NULL || (e->link != NULL && to->link == NULL))
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	return 0;
}

static int scan_entry(void *arg, const struct untar_entry *e, struct err *err)
{
	struct scan *s = arg;
	const char *why = e->path[0] == '\0' ? NULL : rules_path(e->path);

	if (!s->sure && !oci_is_image_member(e->path)) {
		s->other = true;
		return err_set(err, ERR_INPUT, 0, "no image");
	}
	s->any = s->any || e->path[0] != '\0';
	if (why != NULL)
		return err_set(err, ERR_INPUT, 0, "%s", why);
	return e->type == TAR_DIR ? 0 : add_entry(s, e, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int sort_entries(struct oci_files *f, struct err *err)
{
	char shown[SHOW_SIZE];

	if (f->n > 0)
		qsort(f->entries, f->n, sizeof *f->entries, by_name);
	for (size_t i = 1; i < f->n; i++)
		if (strcmp(f->entries[i - 1].name, f->entries[i].name) == 0)
			return err_set(err, ERR_INPUT, 0, "'%s' is there twice",
				       show_name(f->entries[i].name, strlen(f->entries[i].name), shown));
	return 0;
}

int oci_files_open_tar(int fd, bool sure, struct oci_files **ret, struct err *err)
{
	auto_oci_files f = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0 || files_new(&f, err) < 0)
		return err_set(err, ERR_INTERNAL, errno, "read an image");
	f->tar = fd;
	struct scan s = { .files = f, .size = (uint64_t)st.st_size, .sure = sure };
	const struct untar_ops ops = { .read = scan_read, .skip = scan_skip, .entry = scan_entry, .arg = &s };
	if (untar(&ops, err) < 0 || sort_entries(f, err) < 0) {
		/* A tar that the strict reader does not take may be an archive of files all the same. */
		if (!sure && (s.other || !s.any)) {
			*ret = NULL;
			return 0;
		}
		if (err->kind == ERR_UNVERIFIED)
			err->kind = ERR_INPUT;
		return sure ? -1 : err_ctx(err, "it looks like an image (tar:FILE takes it as it is)");
	}
	*ret = move_ptr(f);
	return 0;
}

/* ---- finding ------------------------------------------------------------------------ */

static int not_there(const char *name, int sys, struct err *err)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_INPUT, sys, "'%s'", show_name(name, strlen(name), shown));
}

static int refuse(const char *name, const char *why, struct err *err)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_INPUT, 0, "'%s': %s", show_name(name, strlen(name), shown), why);
}

static int find_in_dir(int dir, const char *name, bool links, struct oci_part *ret, struct err *err)
{
	/* Not blocking: a fifo has no end. */
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links ? 0 : RESOLVE_NO_SYMLINKS),
	};
	struct stat st;
	auto_fd fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);

	if (fd < 0 && errno == ELOOP)
		return refuse(name, "a link where a file is needed", err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return not_there(name, errno, err);
	if (!S_ISREG(st.st_mode))
		return refuse(name, "not a regular file", err);
	*ret = (struct oci_part){ .fd = move_fd(&fd), .owned = true, .size = (uint64_t)st.st_size };
	return 0;
}

static const struct entry *find_entry(const struct oci_files *f, const char *name)
{
	const struct entry key = { .name = (char *)(uintptr_t)name };

	return f->n == 0 ? NULL : bsearch(&key, f->entries, f->n, sizeof key, by_name);
}

/** Replaces @p path by what a link in it, to @p target, leads to; by its text alone. Whether that stays inside. */
static bool follow(struct buf *path, const struct entry *link)
{
	const char *p = link->link;

	if (p[0] == '/')
		return false;
	size_t keep = link->hard ? 0 : path->len - strlen(text_path_name(path->data));
	buf_seal(path, keep == 0 ? 0 : keep - 1);
	while (*p != '\0') {
		size_t n = strcspn(p, "/");

		if (n == 2 && memcmp(p, "..", 2) == 0) {
			if (path->len == 0)
				return false;
			size_t up = path->len - strlen(text_path_name(path->data));
			buf_seal(path, up == 0 ? 0 : up - 1);
		} else if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (path->len > 0)
				buf_addc(path, '/');
			buf_add(path, p, n);
		}
		p += n + (p[n] == '/');
	}
	return !path->failed && path->len > 0;
}

static int find_in_tar(const struct oci_files *f, const char *name, bool links, struct oci_part *ret, struct err *err)
{
	const struct entry *e = find_entry(f, name);
	auto_buf path = {0};

	buf_adds(&path, name);
	if (buf_check(&path, "read an image", err) < 0)
		return -1;
	for (int i = 0; e != NULL && e->link != NULL; i++) {
		if (!links || i == OCI_LINKS_MAX)
			return refuse(name, "a link where a file is needed", err);
		if (!follow(&path, e))
			return refuse(name, "a link out of the archive", err);
		e = find_entry(f, path.data);
	}
	if (e == NULL)
		return not_there(name, ENOENT, err);
	*ret = (struct oci_part){ .fd = f->tar, .offset = e->offset, .size = e->size };
	return 0;
}

int oci_files_find(const struct oci_files *f, const char *name, bool links, struct oci_part *ret, struct err *err)
{
	const char *why = rules_path(name);

	if (why != NULL)
		return refuse(name, why, err);
	return f->dir != -1 ? find_in_dir(f->dir, name, links, ret, err) : find_in_tar(f, name, links, ret, err);
}

/** Whether there is something by that name, file or not: what it is worth is asked later. */
static bool has(const struct oci_files *f, const char *name)
{
	struct stat st;

	return f->dir != -1 ? fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 : find_entry(f, name) != NULL;
}

/** Whether a directory holds nothing but what a docker archive does: any directory may have a manifest.json. */
static bool only_members(int dirfd)
{
	auto_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (dir == NULL)
		return false;
	move_fd(&fd);
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !oci_is_image_member(e->d_name))
			return false;
	return true;
}

enum oci_shape oci_files_shape(const struct oci_files *f)
{
	if (has(f, "oci-layout") && has(f, "index.json"))
		return OCI_SHAPE_LAYOUT;
	if (!has(f, "manifest.json") || (f->dir != -1 && !only_members(f->dir)))
		return OCI_SHAPE_NONE;
	return f->dir != -1 && has(f, "version") ? OCI_SHAPE_FLAT : OCI_SHAPE_DOCKER;
}
