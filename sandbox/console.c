/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct winsize console_size(const struct sandbox_terminal *conf)
{
	struct winsize size = { 0 };

	if (ioctl(conf->in, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return size;
}

static bool holds(const struct console_way *w)
{
	return w->at < w->len;
}

void console_begin(struct console *c, int master)
{
	c->master = master;
	(void)fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
}

void console_end(struct console *c)
{
	own_fd(&c->master);
	c->master = -1;
	c->in.at = c->in.len = 0;
}

/** Of a terminal that is full or gone nothing is asked but what is needed: POLLHUP comes unasked. */
void console_wants(const struct console *c, struct pollfd fds[CONSOLE_FDS])
{
	bool live = c->conf != NULL && c->master >= 0 && !c->gone;
	short master = (short)((holds(&c->in) ? POLLOUT : 0) | (holds(&c->out) ? 0 : POLLIN));

	fds[0] = (struct pollfd){ .fd = live && !holds(&c->in) ? c->conf->in : -1, .events = POLLIN };
	/* Held output comes first: the end of the step's terminal would be told for ever meanwhile. */
	fds[1] = (struct pollfd){ .fd = c->conf != NULL && (master & (POLLIN | POLLOUT)) != 0 ? c->master : -1, .events = master };
	fds[2] = (struct pollfd){ .fd = c->conf != NULL && holds(&c->out) && !c->gone ? c->conf->out : -1, .events = POLLOUT };
	fds[3] = (struct pollfd){ .fd = live ? c->conf->resized : -1, .events = POLLIN };
}

/** @return false at an end that is for good. */
static bool fill(struct console_way *w, int fd)
{
	ssize_t n = read(fd, w->data, sizeof w->data);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	w->at = 0;
	w->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool empty(struct console_way *w, int fd)
{
	ssize_t n = write(fd, w->data + w->at, w->len - w->at);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n > 0)
		w->at += (size_t)n;
	return n > 0;
}

/** The caller's terminal has another size: so has the step's, whose foreground gets SIGWINCH. */
static void resize(const struct console *c)
{
	uint64_t times;
	struct winsize size;

	if (read(c->conf->resized, &times, sizeof times) == sizeof times && ioctl(c->conf->in, TIOCGWINSZ, &size) == 0)
		(void)ioctl(c->master, TIOCSWINSZ, &size);
}

void console_turn(struct console *c, const struct pollfd fds[CONSOLE_FDS])
{
	if (fds[3].revents != 0)
		resize(c);
	if (fds[0].revents != 0 && !fill(&c->in, c->conf->in))
		c->gone = true;
	if (fds[2].revents != 0 && !empty(&c->out, c->conf->out))
		c->gone = true;
	if (c->gone)
		c->out.at = c->out.len = 0;
	if ((fds[1].revents & POLLOUT) != 0 && holds(&c->in))
		(void)empty(&c->in, c->master);
	/* EIO: nobody has the step's side any more. */
	if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !holds(&c->out) && !fill(&c->out, c->master))
		console_end(c);
	if (c->gone)
		console_end(c);
}

bool console_holds(const struct console *c)
{
	return c->conf != NULL && !c->gone && (c->master >= 0 || holds(&c->out));
}
