/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/limit.h"

static bool holds(const struct relay *r, int stream)
{
	return r->held[stream].at < r->held[stream].len;
}

void relay_close(struct relay *r, int stream)
{
	own_fd(&r->from[stream]);
	r->from[stream] = -1;
}

void relay_begin(struct relay *r, const struct sandbox_conf *conf)
{
	struct stat st;

	r->conf = conf;
	r->left = limit_of(&conf->limits, SANDBOX_LIMIT_OUTPUT);
	for (int stream = 0; stream < 2; stream++) {
		r->from[stream] = -1;
		if (conf->relay == NULL || fstat(conf->relay[stream], &st) != 0)
			continue;
		r->socket[stream] = S_ISSOCK(st.st_mode);
		r->prompt[stream] = S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode) ||
				    (fcntl(conf->relay[stream], F_GETFL) & O_NONBLOCK) != 0;
	}
}

/** Writes what does not block: all there is, where writing never does; else what a pipe that poll(2) calls writable takes
 *  whole (pipe(7)). */
static ssize_t write_piece(const struct relay *r, int stream, const char *data, size_t n)
{
	int fd = r->conf->relay[stream];

	if (r->socket[stream])
		return send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(fd, data, n <= PIPE_BUF || r->prompt[stream] ? n : PIPE_BUF);
}

/** Nobody takes it any more: the command finds its pipe closed, as it would without us. */
static void lose(struct relay *r, int stream, int sys)
{
	if (r->lost == 0)
		r->lost = sys;
	r->held[stream].at = r->held[stream].len = 0;
	relay_close(r, stream);
}

static void write_on(struct relay *r, int stream)
{
	struct relay_held *held = &r->held[stream];
	ssize_t done = write_piece(r, stream, held->data + held->at, held->len - held->at);

	if (done > 0)
		held->at += (size_t)done;
	else if (done == 0)
		lose(r, stream, ENOSPC); /* a device that takes nothing and says nothing would be asked for ever */
	else if (errno != EINTR && errno != EAGAIN)
		lose(r, stream, errno);
}

/** Takes @p n bytes off what may still be written. @return how many of them may. */
static size_t allow(struct relay *r, size_t n)
{
	r->over = n > r->left;
	if (r->over) {
		n = (size_t)r->left;
		relay_close(r, 0);
		relay_close(r, 1);
	}
	r->left -= n;
	return n;
}

/** Takes one chunk from the command. @return whether there may be more. */
static bool take(struct relay *r, int stream)
{
	struct relay_held *held = &r->held[stream];
	ssize_t n = read(r->from[stream], held->data, sizeof held->data);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		relay_close(r, stream);
		return false;
	}
	size_t allowed = allow(r, (size_t)n);
	if (r->conf->relay != NULL) {
		held->at = 0;
		held->len = allowed;
		if (r->prompt[stream] && allowed != 0)
			write_on(r, stream);
	} else if (r->conf->output != NULL && allowed != 0) {
		r->conf->output(r->conf->output_arg, stream + 1, held->data, allowed);
	}
	return !r->over;
}

struct pollfd relay_wants(const struct relay *r, int stream)
{
	if (holds(r, stream))
		return (struct pollfd){ .fd = r->conf->relay[stream], .events = POLLOUT };
	return (struct pollfd){ .fd = r->from[stream], .events = POLLIN };
}

void relay_turn(struct relay *r, int stream)
{
	if (holds(r, stream))
		write_on(r, stream);
	else if (r->from[stream] >= 0)
		(void)take(r, stream);
}

bool relay_drain(struct relay *r)
{
	for (int stream = 0; stream < 2; stream++) {
		while (!holds(r, stream) && r->from[stream] >= 0)
			/* Empty, yet not closed: a process outside was handed the pipe. It is not waited for. */
			if (!take(r, stream))
				relay_close(r, stream);
	}
	return holds(r, 0) || holds(r, 1);
}
