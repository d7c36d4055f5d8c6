/* SPDX-License-Identifier: Apache-2.0 */
/* Files that have not changed are not read again, and whatever changes them shows. */
#include "help.h"

#include <sys/mman.h>
#include <sys/vfs.h>
#include <time.h>

#include <linux/magic.h>

#include "store/statcache.h"

static const struct snapshot_options cached = { .form = TREE_SOURCE, .stat_cache = true };

/** Waits until what was written until now counts as left alone. */
static void settle(void)
{
	const struct timespec wait = { .tv_sec = STATCACHE_RACY, .tv_nsec = 100 * 1000 * 1000 };

	nanosleep(&wait, NULL);
}

/** The manifest with the cache. */
static char *snapshot(struct world *w)
{
	auto_tree_builder b = NULL;
	auto_buf out = {0};

	must(snapshot_with(w, &cached, &b, NULL));
	must(tree_builder_manifest(b, &out, &w->err));
	return buf_take(&out);
}

/** Whether the cache knows @p path in its state now. */
static bool knows(struct world *w, const char *path)
{
	auto_statcache c = NULL;
	struct stat st;
	struct digest d;

	must(statcache_open(w->store, w->in, &c, &w->err));
	must(fstatat(w->in, path, &st, AT_SYMLINK_NOFOLLOW));
	return statcache_find(c, &st, &d);
}

/** Whether files there are believed at once when nobody writes to them. */
static bool is_believed(int fd)
{
	struct statfs fs;

	assert_int_equal(fstatfs(fd, &fs), 0);
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

/** Asserts that it does, where the file system of the test is one whose times prove enough at once. */
static void assert_known(struct world *w, const char *path)
{
	assert_int_equal(knows(w, path), is_believed(w->in));
}

/** The name of the one file that the cache is, below the store. */
static void cache_path(const struct world *w, char out[128])
{
	struct dirent *e;
	DIR *dir = fdopendir(openat(store_fd(w->store), "derived", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	assert_non_null(dir);
	out[0] = '\0';
	while ((e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "stat-", 5) == 0)
			snprintf(out, 128, "derived/%.80s", e->d_name);
	closedir(dir);
	assert_int_not_equal(out[0], '\0');
}

/** A text whose digest in a manifest is found by its first bytes. */
#define ABC "ba7816bf8f01cfea"
#define XYZ "3608bca1e44ea6c4"

static void a_file_at_rest_is_remembered(void **state)
{
	struct world *w = *state;

	put(w->in, "f", "abc", 0644);
	auto_free char *first = snapshot(w);
	/* Just written: another write could fall into the same tick. */
	assert_false(knows(w, "f"));
	settle();
	auto_free char *second = snapshot(w);
	assert_known(w, "f");
	auto_free char *third = snapshot(w);
	assert_known(w, "f");
	assert_string_equal(first, second);
	assert_string_equal(first, third);
	assert_non_null(strstr(first, ABC));
}

/** Puts "abc" there, and has it remembered. */
static void remembered(struct world *w)
{
	put(w->in, "f", "abc", 0644);
	settle();
	free(snapshot(w));
	assert_known(w, "f");
}

static void a_write_that_keeps_size_and_mtime_shows(void **state)
{
	struct world *w = *state;
	struct stat st;

	remembered(w);
	assert_int_equal(fstatat(w->in, "f", &st, 0), 0);
	put(w->in, "f", "xyz", 0644);
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	assert_int_equal(utimensat(w->in, "f", times, 0), 0);
	auto_free char *m = snapshot(w);
	assert_non_null(strstr(m, XYZ));
}

static void a_file_in_its_place_shows(void **state)
{
	struct world *w = *state;
	struct stat st;

	remembered(w);
	put(w->in, "g", "xyz", 0644);
	assert_int_equal(fstatat(w->in, "f", &st, 0), 0);
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	assert_int_equal(utimensat(w->in, "g", times, 0), 0);
	assert_int_equal(renameat(w->in, "g", w->in, "f"), 0);
	auto_free char *m = snapshot(w);
	assert_non_null(strstr(m, XYZ));
}

static void a_mode_shows(void **state)
{
	struct world *w = *state;

	remembered(w);
	assert_int_equal(fchmodat(w->in, "f", 0755, 0), 0);
	auto_free char *m = snapshot(w);
	assert_non_null(strstr(m, "./f type=file mode=0755"));
}

/** The first write to a page of a mapping sets ctime; those after it, until it has been written back, do not. */
static void writes_through_a_mapping_show(void **state)
{
	struct world *w = *state;

	put(w->in, "f", "abc", 0644);
	auto_fd fd = openat(w->in, "f", O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	memcpy(p, "abd", 3);
	settle();
	free(snapshot(w));
	memcpy(p, "xyz", 3);
	auto_free char *m = snapshot(w);
	assert_non_null(strstr(m, XYZ));
	munmap(p, 3);
}

/** A page that is dirty while the file is read. */
struct writer {
	int fd;
	char *page;
};

/** Writes to it once it has been read, and lets go of it. Where that shows at once, it is read again. */
static void write_and_go(void *arg, const char *path, void *head, size_t n)
{
	struct writer *w = arg;

	(void)path;
	(void)head;
	(void)n;
	if (w->page == NULL)
		return;
	memcpy(w->page, "xyz", 3);
	munmap(w->page, 3);
	w->page = NULL;
	close(w->fd);
}

static void a_mapping_that_goes_while_its_file_is_read_shows(void **state)
{
	struct world *w = *state;
	struct writer writer;
	auto_tree_builder b = NULL;

	put(w->in, "f", "abc", 0644);
	writer.fd = openat(w->in, "f", O_RDWR | O_CLOEXEC);
	writer.page = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, writer.fd, 0);
	assert_true(writer.page != MAP_FAILED);
	memcpy(writer.page, "abd", 3);
	settle();
	const struct snapshot_options opt = { .form = TREE_SOURCE, .stat_cache = true, .amend = write_and_go, .amend_arg = &writer };
	must(snapshot_with(w, &opt, &b, NULL));
	auto_free char *m = snapshot(w);
	assert_non_null(strstr(m, XYZ));
}

/** Nobody has it open: then a new mapping's first write has to show. */
static void a_later_mapping_shows(void **state)
{
	struct world *w = *state;

	remembered(w);
	auto_fd fd = openat(w->in, "f", O_RDWR | O_CLOEXEC);
	char *p = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	memcpy(p, "xyz", 3);
	auto_free char *m = snapshot(w);
	assert_non_null(strstr(m, XYZ));
	munmap(p, 3);
}

static void change_cache(struct world *w, const char *script)
{
	char path[128], line[512];

	cache_path(w, path);
	snprintf(line, sizeof line, "f=store/%s; %s", path, script);
	shell(w, line);
}

static void a_damaged_cache_is_none(void **state)
{
	static const char *const scripts[] = {
		": >$f", "truncate -s -1 $f", "truncate -s 50 $f", "truncate -s 20 $f", "printf flip | dd of=$f conv=notrunc bs=1 seek=60 2>/dev/null",
		"head -c 5000 /dev/urandom >$f", "cat /dev/zero | head -c 300 >$f", "rm $f; mkdir $f", "rm $f; ln -s /dev/zero $f",
		"rm $f; mkfifo $f",
	};
	struct world *w = *state;

	remembered(w);
	if (!is_believed(w->in))
		return assert_known(w, "f");
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		change_cache(w, scripts[i]);
		if (strstr(scripts[i], "mkfifo") == NULL)
			assert_false(knows(w, "f"));
		auto_free char *m = snapshot(w);
		assert_non_null(strstr(m, ABC));
		if (strstr(scripts[i], "mkdir") != NULL) {
			change_cache(w, "rmdir $f");
			free(snapshot(w));
		}
		assert_known(w, "f");
	}
}

/** What the cache says of a content does not put it into the store. */
static void an_object_that_is_gone_is_stored_again(void **state)
{
	struct world *w = *state;

	remembered(w);
	shell(w, "rm -r store/objects/ba");
	free(snapshot(w));
	assert_true(exists(store_fd(w->store), "objects/ba"));
	shell(w, "chmod u+w store/objects/ba/*; printf ab >store/objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	free(snapshot(w));
	shell(w, "[ $(cat store/objects/ba/*) = abc ]");
}

static void another_directory_has_another(void **state)
{
	struct world *w = *state;
	auto_statcache c = NULL;
	struct stat st;
	struct digest d;

	remembered(w);
	must(statcache_open(w->store, w->fd, &c, &w->err));
	must(fstatat(w->in, "f", &st, 0));
	assert_false(statcache_find(c, &st, &d));
}

static void another_device_is_read(void **state)
{
	struct world *w = *state;
	auto_statcache c = NULL;
	struct stat st;
	struct digest d;

	remembered(w);
	if (!is_believed(w->in))
		return assert_known(w, "f");
	must(statcache_open(w->store, w->in, &c, &w->err));
	must(fstatat(w->in, "f", &st, 0));
	assert_true(statcache_find(c, &st, &d));
	st.st_dev++;
	assert_false(statcache_find(c, &st, &d));
	assert_false(statcache_may_note(c, &st, STATCACHE_CALM));
}

/** Writes a cache as it would be with other bytes. */
static void seal_again(struct world *w, const char *path, struct buf *text)
{
	struct digest sum;

	must(hash_bytes(text->data, text->len - sizeof sum.b, &sum, &w->err));
	memcpy(text->data + text->len - sizeof sum.b, sum.b, sizeof sum.b);
	must(io_publish(store_fd(w->store), path, text->data, text->len, 0644, 0, &w->err));
}

/** What was found on another file system with the same device and inodes, as one mounted in its place has them. */
static void another_file_system_is_read(void **state)
{
	struct world *w = *state;
	struct statfs fs;
	char path[128];
	auto_buf text = {0};

	remembered(w);
	if (!is_believed(w->in))
		return assert_known(w, "f");
	cache_path(w, path);
	must(io_read_file(store_fd(w->store), path, 4096, &text, &w->err));
	assert_int_equal(fstatfs(w->in, &fs), 0);
	assert_memory_equal(text.data + 24, &fs.f_fsid, sizeof fs.f_fsid);
	text.data[24] ^= 1;
	seal_again(w, path, &text);
	assert_false(knows(w, "f"));
	text.data[24] ^= 1;
	seal_again(w, path, &text);
	assert_known(w, "f");
}

static int on_tmpfs(struct world *w)
{
	char path[4200];

	if (own_mounts() != 0)
		return 1;
	snprintf(path, sizeof path, "%s/in", w->path);
	CHECK(mount("none", path, "tmpfs", 0, NULL) == 0);
	w->in = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(w->in, "f", "abc", 0644);
	settle();
	free(snapshot(w));
	CHECK(!knows(w, "f"));
	return 0;
}

/** Older kernels set no time when a tmpfs's page is written through a mapping. */
static void nothing_is_remembered_of_a_tmpfs(void **state)
{
	in_child(on_tmpfs, *state);
}

static void the_future_is_not_believed(void **state)
{
	struct world *w = *state;
	auto_statcache c = NULL;
	struct stat st;

	remembered(w);
	if (!is_believed(w->in))
		return assert_known(w, "f");
	must(statcache_open(w->store, w->in, &c, &w->err));
	auto_fd fd = openat(w->in, "f", O_RDONLY | O_CLOEXEC);
	must(fstat(fd, &st));
	const enum statcache_calm calm = statcache_look(c, fd);
	assert_int_equal(calm, STATCACHE_CALM);
	assert_true(statcache_may_note(c, &st, calm));
	st.st_ctim.tv_sec += 1000;
	assert_false(statcache_may_note(c, &st, calm));
}

/** However long ago it was written to: pages may wait for longer than is usual. */
static void a_file_open_for_writing_is_read(void **state)
{
	struct world *w = *state;
	auto_statcache c = NULL;
	struct stat st;

	remembered(w);
	if (!is_believed(w->in))
		return assert_known(w, "f");
	must(statcache_open(w->store, w->in, &c, &w->err));
	auto_fd fd = openat(w->in, "f", O_RDONLY | O_CLOEXEC);
	auto_fd writer = openat(w->in, "f", O_WRONLY | O_CLOEXEC);
	must(fstat(fd, &st));
	st.st_ctim.tv_sec -= 1000;
	assert_int_equal(statcache_look(c, fd), STATCACHE_WRITTEN);
	assert_false(statcache_may_note(c, &st, STATCACHE_WRITTEN));
	assert_true(statcache_may_note(c, &st, STATCACHE_UNKNOWN));
}

static void files_that_go_are_forgotten(void **state)
{
	struct world *w = *state;
	char path[128];
	struct stat before, after;

	put(w->in, "g", "xyz", 0644);
	remembered(w);
	if (!is_believed(w->in))
		return assert_known(w, "g");
	cache_path(w, path);
	must(fstatat(store_fd(w->store), path, &before, 0));
	assert_int_equal(unlinkat(w->in, "g", 0), 0);
	free(snapshot(w));
	must(fstatat(store_fd(w->store), path, &after, 0));
	assert_true(after.st_size < before.st_size);
	/* And with nothing new, nothing is written. */
	free(snapshot(w));
	must(fstatat(store_fd(w->store), path, &before, 0));
	assert_int_equal(before.st_ino, after.st_ino);
}

static int snapshot_many_times(struct world *w)
{
	store_close(w->store);
	world_open(w);
	for (int i = 0; i < 20; i++) {
		auto_free char *m = snapshot(w);

		CHECK(m != NULL && strstr(m, "./f300 type=file mode=0644 size=3 sha256=" ABC) != NULL);
	}
	/* exit handlers are the parent's affair. */
	store_close(w->store);
	return 0;
}

static void runs_at_once_are_all_right(void **state)
{
	struct world *w = *state;
	pid_t pid[4];
	int status;

	for (int i = 0; i < 400; i++) {
		char name[32];

		snprintf(name, sizeof name, "f%d", i);
		put(w->in, name, i % 3 == 0 ? "abc" : "xyz", 0644);
	}
	settle();
	fflush(NULL);
	for (size_t i = 0; i < ARRAY_LEN(pid); i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			_exit(snapshot_many_times(w));
	}
	for (size_t i = 0; i < ARRAY_LEN(pid); i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_known(w, "f300");
}

/** Where temporary files are kept in memory there is little to test; /var/tmp is on a disk, mostly. */
static void choose_place(void)
{
	const char *tmp = getenv("TMPDIR");
	auto_fd fd = open(tmp == NULL ? "/tmp" : tmp, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && !is_believed(fd))
		setenv("TMPDIR", "/var/tmp", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(a_file_at_rest_is_remembered),
		test_in_world(a_write_that_keeps_size_and_mtime_shows),
		test_in_world(a_file_in_its_place_shows),
		test_in_world(a_mode_shows),
		test_in_world(writes_through_a_mapping_show),
		test_in_world(a_mapping_that_goes_while_its_file_is_read_shows),
		test_in_world(a_later_mapping_shows),
		test_in_world(a_damaged_cache_is_none),
		test_in_world(an_object_that_is_gone_is_stored_again),
		test_in_world(another_directory_has_another),
		test_in_world(another_device_is_read),
		test_in_world(another_file_system_is_read),
		test_in_world(nothing_is_remembered_of_a_tmpfs),
		test_in_world(the_future_is_not_believed),
		test_in_world(a_file_open_for_writing_is_read),
		test_in_world(files_that_go_are_forgotten),
		test_in_world(runs_at_once_are_all_right),
	};

	choose_place();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
