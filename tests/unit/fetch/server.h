/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file server.h
 * A server that says what it was told to say: one canned answer a connection, in order, byte for byte, then end of file.
 */
#ifndef GB_TEST_FETCH_SERVER_H
#define GB_TEST_FETCH_SERVER_H

#include "tests/unit/store/help.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

struct server {
	pid_t pid;
	int listener, log;   /**< pipe: every request's bytes come out */
	unsigned port;
};

/** Reads a request: its header, and as many bytes as Content-Length says. */
static inline void serve_one(int fd, int log, const char *answer, size_t n)
{
	static char req[1 << 16];
	size_t len = 0;
	const char *end = NULL, *cl;

	while (len < sizeof req - 1) {
		ssize_t got = read(fd, req + len, sizeof req - 1 - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		req[len] = '\0';
		end = strstr(req, "\r\n\r\n");
		if (end == NULL)
			continue;
		cl = strcasestr(req, "content-length:");
		size_t body = cl != NULL && cl < end ? strtoul(cl + 15, NULL, 10) : 0;
		if (len >= (size_t)(end + 4 - req) + body)
			break;
	}
	(void)!write(log, req, len);
	(void)!write(log, "\n", 1);
	(void)!write(fd, answer, n);
}

/** @p answers: NULL-terminated; "" closes without an answer, "~" keeps silent until the client gives up. */
static inline struct server server_start(const char *const *answers)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	struct server s = { .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	int log[2];

	assert_true(s.listener >= 0);
	assert_int_equal(bind(s.listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s.listener, 16), 0);
	assert_int_equal(getsockname(s.listener, (struct sockaddr *)&a, &n), 0);
	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	s.port = ntohs(a.sin_port);
	fflush(NULL);
	s.pid = fork();
	if (s.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		/* A test that fails does not come by to end it. */
		alarm(60);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (; *answers != NULL; answers++) {
			int fd = accept(s.listener, NULL, NULL);
			char port[16];
			auto_buf text = {0};

			/* %P in an answer is the port. */
			snprintf(port, sizeof port, "%u", s.port);
			for (const char *p = *answers; *p != '\0'; p++)
				if (p[0] == '%' && p[1] == 'P') {
					buf_adds(&text, port);
					p++;
				} else {
					buf_addc(&text, *p);
				}
			if (strcmp(*answers, "~") == 0)
				serve_one(fd, log[1], "", 0), (void)!read(fd, port, 1);
			else
				serve_one(fd, log[1], text.data == NULL ? "" : text.data, text.len);
			close(fd);
		}
		_exit(0);
	}
	close(log[1]);
	s.log = log[0];
	return s;
}

/** Ends it; all the requests it got (free). */
static inline char *server_stop(struct server *s)
{
	struct err err = {0};
	auto_buf log = {0};

	close(s->listener);
	kill(s->pid, SIGKILL);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
	assert_int_equal(io_read_all(s->log, 1 << 20, &log, &err), 0);
	close(s->log);
	return buf_take(&log);
}

#endif
