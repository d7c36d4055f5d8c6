/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "runner/runner.h"

/** The store's path: owned by the caller. */
static int store_path(const struct args *args, char **ret, struct err *err)
{
	const char *given = args_get(args, "store");
	const char *own = getenv("GLOVEBOX_STORE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	auto_buf path = {0};

	if (given != NULL)
		buf_adds(&path, given);
	else if (own != NULL && own[0] != '\0')
		buf_adds(&path, own);
	else if (cache != NULL && cache[0] == '/')
		buf_addf(&path, "%s/glovebox", cache);
	else if (home != NULL && home[0] == '/')
		buf_addf(&path, "%s/.cache/glovebox", home);
	else
		return err_set(err, ERR_USAGE, 0, "where is the store? give --store DIR, or set GLOVEBOX_STORE or HOME");
	if (path.len == 0)
		return err_set(err, ERR_USAGE, 0, "--store: the path is empty");
	*ret = buf_take(&path);
	return *ret == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "path of the store") : 0;
}

/** Parses --step-user UID:GID into @p id. */
static int step_user(const struct args *args, struct ident *id, struct err *err)
{
	const char *value = args_get(args, "step-user");
	unsigned long uid, gid;
	char *end;

	if (value == NULL)
		return 0;
	if (!id->real_root)
		return err_set(err, ERR_USAGE, 0, "--step-user: only for root; an ordinary user's steps run as that user");
	errno = 0;
	uid = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != ':' || end[1] < '0' || end[1] > '9')
		return err_set(err, ERR_USAGE, 0, "--step-user %s: write it as UID:GID in numbers", value);
	gid = strtoul(end + 1, &end, 10);
	if (*end != '\0' || errno != 0 || uid == 0 || gid == 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(err, ERR_USAGE, 0, "--step-user %s: ids are 1 to 4294967294, never root's", value);
	id->step_uid = (uid_t)uid;
	id->step_gid = (gid_t)gid;
	return 0;
}

int cli_open_store(const struct args *args, struct store **ret, struct err *err)
{
	auto_free char *path = NULL;
	struct ident id;

	if (store_path(args, &path, err) < 0 || ident_detect(&id, err) < 0 || step_user(args, &id, err) < 0)
		return -1;
	return store_open(path, &id, ret, err);
}

/** The first of two variables that is set to something. */
static const char *variable(const char *name, const char *other)
{
	const char *value = getenv(name);

	if (value == NULL || value[0] == '\0')
		value = getenv(other);
	return value == NULL || value[0] == '\0' ? NULL : value;
}

struct fetch_net cli_net(void)
{
	const char *all = variable("all_proxy", "ALL_PROXY");
	/* HTTP_PROXY in capitals is what a CGI's client may set. */
	const char *http = variable("http_proxy", "http_proxy"), *https = variable("https_proxy", "HTTPS_PROXY");

	return (struct fetch_net){
		.http_proxy = http != NULL ? http : all,
		.https_proxy = https != NULL ? https : all,
		.no_proxy = variable("no_proxy", "NO_PROXY"),
		.ca_file = variable("SSL_CERT_FILE", "SSL_CERT_FILE"),
		.plain = FETCH_PLAIN_LOOPBACK,
		.cancel_fd = -1,
	};
}

int cli_open_again(int fd, int mode)
{
	char link[32];
	struct stat st;

	if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
		return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int again = open(link, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

char *cli_default_out(const char *spec)
{
	const char *slash = strrchr(spec, '/');
	char *out;

	if (asprintf(&out, "%.*sout", slash == NULL ? 0 : (int)(slash - spec) + 1, spec) < 0)
		return NULL;
	return out;
}

const char *cli_tmp_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp != NULL && *tmp != '\0' ? tmp : "/tmp";
}

void cli_print_safe(FILE *to, const char *s)
{
	auto_buf safe = {0};

	text_printable(&safe, s, strlen(s));
	fprintf(to, "%s\n", safe.data == NULL ? "" : safe.data);
}

void cli_print_refused(const json_t *refused)
{
	size_t i;
	json_t *one;

	json_array_foreach(refused, i, one) {
		auto_buf line = {0};

		buf_addf(&line, "glovebox: profile '%s' refused %s", json_str(one, "profile"), json_str(one, "call"));
		if (json_object_get(one, "line") != NULL)
			buf_addf(&line, ": see its line %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(one, "line")));
		cli_print_safe(stderr, line.data == NULL ? "" : line.data);
	}
}

int cli_print_json(const json_t *j, struct err *err)
{
	auto_buf text = {0};

	if (json_pretty(j, &text, err) < 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

void cli_progress(void *arg, const struct run_event *e)
{
	(void)arg;
	switch (e->type) {
	case RUN_PHASE:
		fprintf(stderr, "glovebox: %s\n", e->text);
		break;
	case RUN_STEP_STARTED:
		fprintf(stderr, "glovebox: step %s …\n", e->step);
		break;
	case RUN_STEP_ENDED:
		fprintf(stderr, "glovebox: step %s: %s (%.2f s)\n", e->step, e->text, (double)e->ms / 1000);
		break;
	case RUN_NOTE:
		fputs("glovebox: note: ", stderr);
		cli_print_safe(stderr, e->text);
		break;
	}
}
