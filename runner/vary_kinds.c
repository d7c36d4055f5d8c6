/* SPDX-License-Identifier: Apache-2.0 */
/* What can be varied, and how. */
#include "runner/vary.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** Another year, month, day, hour, minute and second. */
#define AHEAD_S (400ull * 24 * 3600 + 5 * 3600 + 7 * 60 + 11)
/** How many process ids are gone before the command's own: another number of digits. */
#define PIDS_GONE 2000
/** How long a busy process goes on before it looks up. */
#define SPINS 1000000u
/** The kernel works its load average out every 5 s. */
#define LOAD_WAIT_MS 6000
#define LOAD_TURN_MS 50

const struct variation vary_hosts[] = {
	{ .name = "cpus", .work.host.one_cpu = true },
	{ .name = "pids", .work.host.pids = PIDS_GONE },
	{ .name = "readdir-order", .work.host.other_order = true },
	{ .name = "time", .work.host.clock_s = AHEAD_S },
	{ .name = "load", .busy = true, .waits = true },
	{ .name = "host-path", .elsewhere = true },
	{ .name = "host-uid", .elsewhere = true, .other_user = true },
	{ .name = NULL },
};
const struct variation vary_steps[] = {
	{ .name = "hostname", .work.hostname = "elsewhere" },
	{ .name = "locale", .work.lang = "C" },
	{ .name = "path", .work.prefix = "/glovebox-elsewhere" },
	{ .name = "timezone", .work.tz = "UTC-11:30" },
	{ .name = "uid", .work.other_uid = true },
	{ .name = NULL },
};

static const struct variation *find_in(const struct variation *v, const char *name, size_t n)
{
	for (; v->name != NULL; v++)
		if (strlen(v->name) == n && memcmp(v->name, name, n) == 0)
			return v;
	return NULL;
}

const struct variation *vary_find(const char *name, size_t n)
{
	const struct variation *v = find_in(vary_hosts, name, n);

	return v != NULL ? v : find_in(vary_steps, name, n);
}

/** How many processors this process may use; of a host with so many that they do not fit: enough. */
static int processors(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : VARY_BUSY_MAX;
}

const char *vary_fault(const struct variation *v, const struct ident *id, bool by_spec)
{
	/* Which of the host's users a step runs as keeps builds apart that do not trust each other: --step-user says it, and no spec. */
	if (v->other_user && by_spec)
		return "only the invocation can ask for another user (glovebox reproduce --vary host-uid)";
	if (v->other_user && !id->real_root)
		return "only root can build as another user";
	if (v->work.host.one_cpu && processors() == 1)
		return "there is only one processor";
	return NULL;
}

void vary_add(struct variation *all, const struct variation *one)
{
	struct sandbox_vary *to = &all->work.host;
	const struct sandbox_vary *from = &one->work.host;

	to->one_cpu = to->one_cpu || from->one_cpu;
	to->other_order = to->other_order || from->other_order;
	to->clock_s += from->clock_s;
	to->pids += from->pids;
	all->busy = all->busy || one->busy;
	all->waits = all->waits || one->waits;
	all->elsewhere = all->elsewhere || one->elsewhere;
	all->other_user = all->other_user || one->other_user;
}

int reproduce_vary_check(const char *list, struct err *err)
{
	if (strcmp(list, "all") == 0)
		return 0;
	for (;;) {
		size_t n = strcspn(list, ",");

		if (vary_find(list, n) == NULL)
			return err_set(err, ERR_USAGE, 0, "--vary: no variation '%.*s'; it is all, or of cpus, host-path, host-uid, load, pids, "
				       "readdir-order, time; or of hostname, locale, path, timezone, uid", (int)n, list);
		if (list[n] == '\0')
			return 0;
		list += n + 1;
	}
}

/* ---- a busy host ------------------------------------------------------------------------ */

/** Until the other end of the socket is closed. */
static void spin(const void *arg, int sock)
{
	char byte;

	(void)arg;
	do
		for (volatile unsigned n = 0; n < SPINS; n++)
			continue;
	while (recv(sock, &byte, 1, MSG_DONTWAIT) < 0);
}

/** The last one first: each has the sockets of those before it. */
void vary_load_end(struct vary_load *load)
{
	while (load->n > 0)
		apart_end(&load->v[--load->n]);
}

/** The load average of the last minute, as text; "" where it cannot be read. */
static void read_load(char *ret, size_t size)
{
	auto_buf text = {0};
	struct err ignored = {0};

	ret[0] = '\0';
	if (io_read_file(AT_FDCWD, "/proc/loadavg", 4096, &text, &ignored) == 0 && text.len != 0)
		snprintf(ret, size, "%.*s", (int)strcspn(text.data, " "), text.data);
}

void vary_load_begin(struct vary_load *load)
{
	size_t n = 2 * (size_t)processors();
	struct err ignored = {0};

	/* A host that gives no more processes is busy enough. */
	while (load->n < VARY_BUSY_MAX && load->n < n && apart_start(spin, NULL, &load->v[load->n], &ignored) == 0)
		load->n++;
}

int vary_load_wait(int cancel_fd, struct err *err)
{
	char before[32], now[32];

	read_load(before, sizeof before);
	for (unsigned ms = 0; ms < LOAD_WAIT_MS; ms += LOAD_TURN_MS) {
		if (work_check_cancel(cancel_fd, err) < 0)
			return -1;
		read_load(now, sizeof now);
		if (strcmp(now, before) != 0)
			return 0;
		usleep(LOAD_TURN_MS * 1000);
	}
	return 0;
}
