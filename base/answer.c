/* SPDX-License-Identifier: Apache-2.0 */
#include "base/answer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

int answer_new(const struct confined *c, int cancel_fd, struct answer **ret, struct err *err)
{
	struct answer *a = calloc(1, sizeof *a);

	if (a == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hear %s", c->conf.what);
	a->whose = c->conf.what;
	a->fd = c->out;
	a->cancel_fd = cancel_fd;
	*ret = a;
	return 0;
}

int answer_end(const struct answer *a, struct confined *c, int result, struct err *err)
{
	struct err why = {0};

	if ((result < 0 && !a->ended) || confine_finish(c, &why) == 0)
		return result;
	*err = why;
	return -1;
}

int answer_nonsense(const struct answer *a, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "%s says what makes no sense", a->whose);
}

/** Waits until there is something to read, or the end. */
static int await(const struct answer *a, struct err *err)
{
	struct pollfd p[] = { { .fd = a->fd, .events = POLLIN }, { .fd = a->cancel_fd, .events = POLLIN } };

	while (p[0].revents == 0) {
		int n = poll(p, ARRAY_LEN(p), a->silence_ms > 0 ? a->silence_ms : -1);

		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "wait for %s", a->whose);
		if (n == 0)
			return err_set(err, ERR_INPUT, 0, "%s has said nothing for %d s", a->whose, a->silence_ms / 1000);
		if (p[1].revents != 0)
			return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
	}
	return 0;
}

int answer_more(struct answer *a, struct err *err)
{
	ssize_t got;

	if (a->at < a->n)
		return 1;
	do {
		if ((a->cancel_fd >= 0 || a->silence_ms > 0) && await(a, err) < 0)
			return -1;
		got = read(a->fd, a->buf, sizeof a->buf);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(err, ERR_INTERNAL, errno, "hear %s", a->whose);
	a->at = 0;
	a->n = (size_t)got;
	return got > 0;
}

int answer_some(struct answer *a, uint64_t n, const char **ret, size_t *ret_n, struct err *err)
{
	int more = answer_more(a, err);

	if (more == 0) {
		a->ended = true;
		return err_set(err, ERR_INPUT, 0, "what %s says ends too early", a->whose);
	}
	if (more < 0)
		return -1;
	*ret = a->buf + a->at;
	*ret_n = a->n - a->at < n ? a->n - a->at : (size_t)n;
	a->at += *ret_n;
	return 0;
}

int answer_take(struct answer *a, void *to, size_t n, struct err *err)
{
	for (char *at = to; n > 0; ) {
		const char *p;
		size_t got;

		if (answer_some(a, n, &p, &got, err) < 0)
			return -1;
		memcpy(at, p, got);
		at += got;
		n -= got;
	}
	return 0;
}

int answer_string(struct answer *a, char *to, size_t n, struct err *err)
{
	if (answer_take(a, to, n, err) < 0)
		return -1;
	to[n] = '\0';
	return strlen(to) == n ? 0 : answer_nonsense(a, err);
}
