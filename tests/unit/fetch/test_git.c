/* SPDX-License-Identifier: Apache-2.0 */
/* git: trees by commit, hostile repositories, submodules, refs, a checkout's facts. Repositories are made by git itself. */
#include "tests/unit/fetch/server.h"

#include "fetch/git_object.h"

static const struct fetch_net net = { .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = -1, .attempts = 1 };

#define GIT "export HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000001 +0100' " \
	"GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.com; " \
	"git config --global protocol.file.allow always 2>/dev/null || { mkdir -p home; git config --global protocol.file.allow always; }; " \
	"git config --global init.defaultBranch main; "

/** Runs a script with git's environment. */
static void git(const struct world *w, const char *script)
{
	auto_buf all = {0};

	buf_addf(&all, "{ %s } >/dev/null 2>&1; exec 2>git.log >&2; set -x; %s", GIT, script);
	shell(w, all.data);
}

/** First line of a file in the world (free). */
static char *line_of(struct world *w, const char *path)
{
	auto_buf text = {0};

	must(io_read_file(w->fd, path, 4096, &text, &w->err));
	return strndup(text.data, strcspn(text.data, "\n"));
}

static int fetch(struct world *w, const char *url, const char *commit, bool submodules, struct digest *d)
{
	const struct fetch_git from = { .url = url, .dirfd = w->fd, .commit = commit, .submodules = submodules };

	return fetch_git(w->store, &net, &from, d, NULL, &w->err);
}

#define SAMPLE "git init -q r; cd r; mkdir -p d/e; echo hello >d/e/f; printf x >p; chmod 755 p; ln -s d/e l; echo a >'sp ace'; " \
	"git add -A; git commit -qm one; git rev-parse HEAD >../head; "

/** The tree is the one that the checked out files have. */
static void test_tree(void **state)
{
	struct world *w = *state;
	struct digest d;

	git(w, SAMPLE "cp -a d p l 'sp ace' ../in/");
	auto_free char *head = line_of(w, "head");
	auto_free char *want = manifest_of_in(w, TREE_SOURCE);
	static const char *const places[] = { "r", "r/.git", "bare", "w", "packed", "lent" };

	git(w, "git clone -q --bare r bare; cd r; git worktree add -q ../w; cd ..; git clone -q r packed; git -C packed gc -q; "
	    "git clone -q --shared r lent");
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		must(fetch(w, places[i], head, false, &d));
		auto_free char *have = stored_manifest(w, &d);
		assert_string_equal(have, want);
	}
	char url[5000];
	snprintf(url, sizeof url, "file://%s/r", w->path);
	must(fetch(w, url, head, false, &d));
	/* Nothing is left behind. */
	assert_int_equal(entries(store_fd(w->store), "tmp"), 1);
}

static void test_sha256(void **state)
{
	struct world *w = *state;
	struct digest d;

	git(w, "git init -q --object-format=sha256 r; cd r; echo a >a; git add a; git commit -qm one; git rev-parse HEAD >../head; cp a ../in");
	auto_free char *head = line_of(w, "head");
	assert_int_equal(strlen(head), 64);
	must(fetch(w, "r", head, false, &d));
	auto_free char *have = stored_manifest(w, &d);
	auto_free char *want = manifest_of_in(w, TREE_SOURCE);
	assert_string_equal(have, want);
}

static void test_refused(void **state)
{
	struct world *w = *state;
	struct digest d;

	git(w, SAMPLE "git cat-file -p HEAD | sed -n 's/^tree //p' >../tree");
	auto_free char *head = line_of(w, "head");
	auto_free char *tree = line_of(w, "tree");
	assert_int_equal(fetch(w, "r", "4b220de5058abfd01ff619c9d2ff6b09a049bea0", false, &d), -1);
	assert_error(ERR_INPUT, "git: fatal:");
	assert_int_equal(fetch(w, "r", tree, false, &d), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
	assert_int_equal(fetch(w, "nowhere", head, false, &d), -1);
	assert_error(ERR_INPUT, "open repository 'nowhere'");
	assert_int_equal(fetch(w, "in", head, false, &d), -1);
	assert_error(ERR_INPUT, "there is no .git");
	assert_int_equal(fetch(w, "http://example.com/x", head, false, &d), -1);
	assert_error(ERR_USAGE, "not encrypted");
	assert_int_equal(fetch(w, "ext::sh", head, false, &d), -1);
	assert_int_equal(fetch(w, "ssh://example.com/x", head, false, &d), -1);
	assert_error(ERR_USAGE, "only https:");
	assert_int_equal(fetch(w, "r", "HEAD", false, &d), -1);
	assert_error(ERR_USAGE, "not the whole hash");
	/* An object under another's name. */
	git(w, "cd r; b=$(git rev-parse HEAD:d/e/f); o=.git/objects/$(echo $b | sed 's,^..,&/,'); chmod u+w $o; "
	    "printf 'blob 6\\0jello\\n' | python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' >$o");
	assert_int_equal(fetch(w, "r", head, false, &d), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
}

/** Everything that could make git run something, each leaving a mark; and the checkout belongs to whoever runs this. */
static void test_nothing_runs(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct fetch_git_facts facts;
	char commit[FETCH_COMMIT_SIZE];

	git(w, SAMPLE
	    "m() { printf '#!/bin/sh\\ntouch %s/ran.%s\\n' \"$W\" $1 >$W/m.$1; chmod 755 $W/m.$1; echo $W/m.$1; }; W=$(cd ..; pwd); "
	    "for h in post-checkout pre-auto-gc reference-transaction post-index-change fsmonitor-watchman update pre-receive post-update "
	    "post-receive proc-receive; do cp $(m hook) .git/hooks/$h; done; "
	    "git config core.fsmonitor $(m fsmonitor); git config core.sshCommand $(m ssh); git config core.gitProxy $(m proxy); "
	    "git config uploadpack.packObjectsHook $(m pack); git config filter.x.smudge $(m smudge); git config filter.x.clean $(m clean); "
	    "git config filter.x.process $(m process); git config filter.x.required true; git config diff.x.textconv $(m textconv); "
	    "git config diff.x.command $(m diff); git config credential.helper $(m helper); git config core.pager $(m pager); "
	    "git config core.editor $(m editor); git config core.alternateRefsCommand $(m alternates); git config core.askPass $(m ask); "
	    "git config remote.origin.url ext::$(m ext); git config protocol.ext.allow always; git config remote.origin.uploadpack $(m up); "
	    "git config remote.origin.promisor true; git config extensions.partialClone origin; git config core.repositoryformatversion 1; "
	    "git config remote.origin.partialclonefilter blob:none; git config gpg.program $(m gpg); git config alias.fetch \"!$(m alias)\"; "
	    "git config gc.auto 1; git config core.hooksPath $W/r/.git/hooks; git config core.worktree /; "
	    "printf '[include]\\n\\tpath = %s/more\\n[includeIf \"gitdir:/\"]\\n\\tpath = %s/more\\n' $W $W >>.git/config; "
	    "printf '[core]\\n\\tfsmonitor = %s\\n' $(m included) >$W/more; printf '* filter=x diff=x\\n' >.git/info/attributes; ");
	auto_free char *head = line_of(w, "head");
	must(fetch(w, "r", head, true, &d));
	auto_fd r = openat(w->fd, "r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fetch_git_facts(w->store, &net, r, FETCH_GIT_VERSION, &facts, &w->err));
	assert_string_equal(facts.commit, head);
	const struct fetch_git from = { .url = "r", .dirfd = w->fd };
	must(fetch_git_ref(w->store, &net, &from, "main", commit, &w->err));
	assert_string_equal(commit, head);
	/* With a blob gone, a lazy fetch would ask the promised remote. */
	git(w, "cd r; b=$(git --git-dir=.git -c core.worktree=$PWD -c core.fsmonitor= rev-parse HEAD:p); rm -f ../ran.* "
	    ".git/objects/$(echo $b | sed 's,^..,&/,')");
	assert_int_equal(fetch(w, "r", head, true, &d), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
	shell(w, "test -z \"$(ls -d ran.* 2>/dev/null)\"");
	/* The marks can be made. */
	shell(w, "./m.hook; test -e ran.hook");
}

/** Replacements, grafts and a shallow boundary say nothing here. */
static void test_no_replacement(void **state)
{
	struct world *w = *state;
	struct digest a, b;

	git(w, SAMPLE "git clone -q . ../clean; echo other >p; git add p; git commit -qm two; git replace HEAD~1 HEAD; git rev-parse HEAD~1 >../head");
	auto_free char *head = line_of(w, "head");
	must(fetch(w, "clean", head, false, &a));
	must(fetch(w, "r", head, false, &b));
	assert_true(digest_eq(&a, &b));
}

/** Trees that no checkout should make. */
static void test_bad_trees(void **state)
{
	static const char *const rows[] = {
		"100644 .git\\0", "40000 .GIT\\0", "40000 ..\\0", "100644 .\\0", "100644 a/b\\0", "100644 \\0", "120777 a\\0", "100600 a\\0", "060000 a\\0",
		"a\\0", "100644 a",
	};
	struct world *w = *state;
	struct digest d;

	git(w, SAMPLE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char script[2000];

		snprintf(script, sizeof script,
			 "cd r; { printf '%s'; git rev-parse HEAD:p | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'; } "
			 ">../tree; t=$(git hash-object --literally -t tree -w ../tree); git commit-tree -m x $t >../bad || "
			 "printf 'tree %%s\\nauthor a <a@b> 1 +0000\\ncommitter a <a@b> 1 +0000\\n\\nx\\n' $t | git hash-object -t commit -w --stdin --literally >../bad",
			 rows[i]);
		git(w, script);
		auto_free char *bad = line_of(w, "bad");
		assert_int_equal(fetch(w, "r", bad, false, &d), -1);
		assert_int_equal(w->err.kind, ERR_INPUT);
	}
}

static void test_submodules(void **state)
{
	struct world *w = *state;
	struct digest d;

	git(w, "git init -q sub; cd sub; echo s >s; git add s; git commit -qm s; cd ..; git init -q top; cd top; git submodule -q add ../sub d/m; "
	    "git submodule add -q --name n ../sub m2; git commit -qm top; git rev-parse HEAD >../head; "
	    "cp -a . ../in/; cd ../in; rm -rf .git d/m/.git m2/.git");
	auto_free char *head = line_of(w, "head");
	auto_free char *want = manifest_of_in(w, TREE_SOURCE);
	must(fetch(w, "top", head, true, &d));
	auto_free char *have = stored_manifest(w, &d);
	assert_string_equal(have, want);
	must(fetch(w, "top", head, false, &d));
	auto_free char *without = stored_manifest(w, &d);
	assert_non_null(strstr(without, "\n./d/m type=dir mode=0755\n./m2 "));

	static const char *const urls[] = { "/etc", "file:///srv/x", "ext::sh -c id", "ssh://h/x", "git@h:x", "http://127.0.0.1/x", "../a/../../x" };
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		char script[1000];

		snprintf(script, sizeof script, "cd top; git config -f .gitmodules submodule.d/m.url '%s'; git commit -qam x; git rev-parse HEAD >../head",
			 urls[i]);
		git(w, script);
		auto_free char *bad = line_of(w, "head");
		assert_int_equal(fetch(w, "top", bad, true, &d), -1);
		assert_int_equal(w->err.kind, ERR_INPUT);
		must(fetch(w, "top", bad, false, &d));
	}
}

static void test_refs(void **state)
{
	static const char *const good[] = { "main", "refs/heads/main", "t", "refs/tags/t", "light", "f/x", "refs/heads/both", "packed" };
	struct world *w = *state;
	const struct fetch_git from = { .url = "r", .dirfd = w->fd };
	char commit[FETCH_COMMIT_SIZE];

	git(w, SAMPLE "git tag -am t t; git tag light; git branch f/x; git branch both; git tag both; git branch packed; git pack-refs --all; git tag blob HEAD:p; "
	    "git tag -am tt tt t; git branch new");
	auto_free char *head = line_of(w, "head");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		must(fetch_git_ref(w->store, &net, &from, good[i], commit, &w->err));
		assert_string_equal(commit, head);
	}
	must(fetch_git_ref(w->store, &net, &from, "tt", commit, &w->err));
	assert_string_equal(commit, head);
	assert_int_equal(fetch_git_ref(w->store, &net, &from, "both", commit, &w->err), -1);
	assert_error(ERR_INPUT, "a branch and a tag");
	assert_int_equal(fetch_git_ref(w->store, &net, &from, "none", commit, &w->err), -1);
	assert_error(ERR_INPUT, "no branch or tag 'none'");
	assert_int_equal(fetch_git_ref(w->store, &net, &from, "blob", commit, &w->err), -1);
	assert_error(ERR_INPUT, "names no commit");
}

static void test_facts(void **state)
{
	struct world *w = *state;
	struct fetch_git_facts facts;

	git(w, SAMPLE "git tag -am v v1.2.3; git tag vx; git tag v1.2; git worktree add -q ../w -b other; cd ../w; echo z >z; git add z; git commit -qm z; "
	    "git tag v2.0.0-rc.1; git rev-parse HEAD >../other");
	auto_free char *head = line_of(w, "head");
	auto_free char *other = line_of(w, "other");
	auto_fd deep = openat(w->fd, "r/d/e", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fetch_git_facts(w->store, &net, deep, FETCH_GIT_VERSION, &facts, &w->err));
	assert_string_equal(facts.commit, head);
	assert_int_equal(facts.time, 1700000001);
	assert_string_equal(facts.semver, "1.2.3");
	auto_fd tree = openat(w->fd, "w", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fetch_git_facts(w->store, &net, tree, FETCH_GIT_VERSION, &facts, &w->err));
	assert_string_equal(facts.commit, other);
	assert_string_equal(facts.semver, "2.0.0-rc.1");
	/* The highest of several; none where nobody asks. */
	git(w, "cd r; git tag v1.10.0; git tag -am v v1.9.7; git tag v1.10.0-rc.1");
	must(fetch_git_facts(w->store, &net, deep, FETCH_GIT_VERSION, &facts, &w->err));
	assert_string_equal(facts.semver, "1.10.0");
	git(w, "cd r; for i in $(seq 300); do git tag v0.0.$i; done");
	assert_int_equal(fetch_git_facts(w->store, &net, deep, FETCH_GIT_VERSION, &facts, &w->err), -1);
	assert_error(ERR_INPUT, "more than 256 version tags");
	must(fetch_git_facts(w->store, &net, deep, 0, &facts, &w->err));
	assert_string_equal(facts.commit, head);
	assert_string_equal(facts.semver, "");
	assert_int_equal(fetch_git_facts(w->store, &net, w->in, FETCH_GIT_VERSION, &facts, &w->err), -1);
	assert_error(ERR_INPUT, "git: it is not in a git repository");
	git(w, "git init -q empty");
	auto_fd empty = openat(w->fd, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fetch_git_facts(w->store, &net, empty, FETCH_GIT_VERSION, &facts, &w->err), -1);
	assert_error(ERR_INPUT, "no commit yet");
}

/** On the branch, beside it, on no branch at all, and where main is known as origin's alone. */
static void test_main(void **state)
{
	struct world *w = *state;
	struct fetch_git_facts facts;
	static const struct { const char *change; bool is_main; } rows[] = {
		{ "", true },
		{ "git checkout -q --detach", true },
		{ "git pack-refs --all", true },
		{ "git checkout -q -b other; echo 2 >y; git add y; git commit -qm two", false },
		{ "git update-ref refs/remotes/origin/main HEAD", true },
		{ "git branch -q -D main", true },
		{ "git update-ref -d refs/remotes/origin/main", false },
		{ "git tag main", false },
	};

	git(w, "git init -q -b main r; cd r; echo 1 >x; git add x; git commit -qm one");
	auto_fd r = openat(w->fd, "r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *script = NULL;

		assert_true(asprintf(&script, "cd r; %s", rows[i].change) > 0);
		git(w, script);
		must(fetch_git_facts(w->store, &net, r, FETCH_GIT_MAIN, &facts, &w->err));
		if (facts.is_main != rows[i].is_main)
			fail_msg("after '%s'", rows[i].change);
		assert_string_equal(facts.semver, "");
		must(fetch_git_facts(w->store, &net, r, 0, &facts, &w->err));
		assert_false(facts.is_main);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(test_tree),
		test_in_world(test_sha256),
		test_in_world(test_refused),
		test_in_world(test_nothing_runs),
		test_in_world(test_no_replacement),
		test_in_world(test_bad_trees),
		test_in_world(test_submodules),
		test_in_world(test_refs),
		test_in_world(test_facts),
		test_in_world(test_main),
	};

	return cmocka_run_group_tests_name("git", tests, NULL, NULL);
}
