/* SPDX-License-Identifier: Apache-2.0 */
/* Real programs do their work under each shipped profile. */
#include "helper.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base.h"

static const struct {
	const char *what, *script;
} programs[] = {
	{ "compiler and linker, and what they made",
	  "printf '#include <stdio.h>\\nint main(void){puts(\"hello\");return 0;}\\n' > h.c && cc -O2 -pipe -o h h.c && test \"$(./h)\" = hello" },
	{ "threads", "printf '#include <pthread.h>\\nstatic void *f(void*a){return a;}\\nint main(void){pthread_t t;"
		     "return pthread_create(&t,0,f,0)||pthread_join(t,0);}\\n' > t.c && cc -pthread -o t t.c && ./t" },
	{ "make -j", "printf 'all: a b c\\na b c:\\n\\techo $@ > $@\\n' > Makefile && make -s -j3 && cat a b c" },
	{ "interpreters", "python3 -c 'import subprocess, threading, tempfile, socket, random\n"
			  "assert subprocess.run([\"true\"]).returncode == 0\n"
			  "a, b = socket.socketpair(); a.send(b\"x\"); assert b.recv(1) == b\"x\"\n"
			  "t = threading.Thread(target=lambda: None); t.start(); t.join()' && perl -e 'exit 0'" },
	{ "tar, cp -a and install, with links, fifos and modes",
	  "mkdir -p s/d && echo x > s/d/f && ln -s f s/d/l && ln s/d/f s/d/h && mkfifo s/p && chmod 750 s/d && tar -cf s.tar s && mkdir o && "
	  "tar -xpf s.tar -C o && diff s/d/f o/s/d/f && test -p o/s/p && test \"$(stat -c %a o/s/d)\" = 750 && cp -a s c && "
	  "install -m 0755 s/d/f c/i && cmp s/d/f c/i" },
	{ "a directory's default times and moves", "touch -d @315532800 x && mv x y && rm y && mkdir -m 0700 z && rmdir z" },
};

/** Runs a script in a directory of its own under a profile. @return its wait status. */
static int run(const struct profile_builtin *p, const char *script)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX];
	struct err err = {0};
	int status = -1;

	snprintf(dir, sizeof dir, "%s/glovebox-programs-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	pid_t pid = fork();
	if (pid == 0) {
		if (chdir(dir) == 0 && setenv("TMPDIR", dir, 1) == 0 && unsetenv("MAKEFLAGS") == 0 && enter_profile(p) == 0)
			execl("/bin/sh", "sh", "-e", "-c", script, (char *)NULL);
		_exit(255);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(io_remove_tree(AT_FDCWD, dir, &err), 0);
	return status;
}

static void programs_work(void **state)
{
	(void)state;
	for (size_t i = 0; profile_builtin_at(i) != NULL; i++)
		for (size_t j = 0; j < sizeof programs / sizeof *programs; j++) {
			int status = run(profile_builtin_at(i), programs[j].script);

			if (status != 0)
				fail_msg("%s: %s: status 0x%x", profile_builtin_at(i)->name, programs[j].what, status);
		}
}

/** The floor takes nothing from a program under a profile of somebody's own. */
static void programs_work_on_the_floor(void **state)
{
	(void)state;
	for (size_t j = 0; j < sizeof programs / sizeof *programs; j++)
		assert_int_equal(run(profile_floor(), programs[j].script), 0);
}

static void no_setuid_file_is_made(void **state)
{
	static const char script[] = "touch t && ! chmod 4755 t 2>&1 && ! chmod g+s t 2>&1 && ! install -m 2755 t u 2>&1 && "
				     "test ! -u t && test ! -g t && test ! -g u";

	(void)state;
	for (size_t i = 0; profile_builtin_at(i) != NULL; i++)
		assert_int_equal(run(profile_builtin_at(i), script), 0);
	assert_int_equal(run(profile_floor(), script), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_work),
		cmocka_unit_test(programs_work_on_the_floor),
		cmocka_unit_test(no_setuid_file_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
