/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/confine.h"

/** What is moved at once. */
#define CHUNK (256u << 10)
/** A decompressor and a reader of tars. */
#define READERS_MAX 2

/** A reader may take no more than this: of memory (the largest window of the usual codecs is 128 MiB) and of processor time. */
#define READER_MEMORY (512ull << 20)
#define READER_CPU_S 3600
/** It mostly waits for this process, which waits for disks. */
#define READER_WALL_MS (24u * 3600 * 1000)

/** A confined process. */
struct reader {
	struct confined process;
	unpack_fn *fn;
	enum unpack_codec codec;
	int in;                   /**< what it reads; open in the child alone */
};

/** Bytes on their way into a reader: from the file (first) or from the reader before it. */
struct flow {
	int from;                 /**< of a reader, owned; -1: from the file */
	struct stream_source file;
	int to;                   /**< owned; -1: all is over */
	char *chunk;
	size_t at, have;          /**< [at, have) is still to be sent */
	uint64_t bytes;
	struct hasher *hash;
};

struct stream {
	struct flow flows[READERS_MAX];
	struct reader readers[READERS_MAX];
	size_t n;
	int out;                  /**< where the last reader's bytes come from */
	bool own_out;
	char *chunk;
	size_t at, have;          /**< [at, have) is still to be taken */
	bool at_end;
};

static int short_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
}

/* ---- starting ------------------------------------------------------------ */

/** In the child. */
static int read_apart(void *arg, int out, struct err *err)
{
	const struct reader *r = arg;

	return r->fn(r->in, out, r->codec, err);
}

/** Starts a reader of what comes through @p in, and leaves what it writes in s->out. */
static int start_process(struct stream *s, struct reader *r, int in, struct err *err)
{
	const struct confine_conf conf = {
		.what = "the reader of the archive", .fn = read_apart, .arg = r, .fds = &r->in, .nfds = 1, .kind = ERR_INPUT,
		.memory = READER_MEMORY, .cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};

	r->in = in;
	if (confine_start(&conf, &r->process, err) < 0)
		return -1;
	s->out = move_fd(&r->process.out);
	/* A larger one means fewer turns, and is no need. */
	(void)fcntl(s->out, F_SETPIPE_SZ, CHUNK);
	if (fcntl(s->out, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, ERR_INTERNAL, errno, "start a reader");
	return 0;
}

/** Starts a reader and the flow into it, from the reader before it or from the file. */
static int start(struct stream *s, unpack_fn *fn, enum unpack_codec codec, struct err *err)
{
	struct flow *f = &s->flows[s->n];
	struct reader *r = &s->readers[s->n];
	int in[2];

	s->n++;
	f->from = move_fd(&s->out);
	f->chunk = malloc(CHUNK);
	f->hash = hasher_new();
	r->fn = fn;
	r->codec = codec;
	if (f->chunk == NULL || f->hash == NULL)
		return short_memory(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
		return err_set(err, ERR_INTERNAL, errno, "start a reader");
	f->to = in[0];
	auto_fd child_in = in[1];
	return start_process(s, r, child_in, err);
}

/** Starts the reader of a zip: nothing flows into it, the whole file counts as read. */
static int start_zip(struct stream *s, const struct stream_source *from, struct err *err)
{
	s->n = 1;
	s->flows[0].bytes = from->size;
	s->flows[0].hash = hasher_new();
	s->readers[0].fn = unpack_zip;
	return s->flows[0].hash == NULL ? short_memory(err) : start_process(s, &s->readers[0], from->fd, err);
}

static int stream_new(struct stream **ret, struct err *err)
{
	struct stream *s = calloc(1, sizeof *s);

	if (s != NULL) {
		s->out = -1;
		s->chunk = malloc(CHUNK);
		for (size_t i = 0; i < READERS_MAX; i++) {
			s->flows[i].from = s->flows[i].to = -1;
			s->readers[i].process = CONFINED_NONE;
		}
	}
	if (s == NULL || s->chunk == NULL) {
		stream_free(s);
		return short_memory(err);
	}
	*ret = s;
	return 0;
}

int stream_open(const struct stream_source *from, enum unpack_codec codec, enum stream_form form, struct stream **ret, struct err *err)
{
	auto_stream s = NULL;

	if (stream_new(&s, err) < 0)
		return -1;
	s->own_out = true;
	s->flows[0].file = *from;
	if (form == STREAM_ZIP) {
		if (start_zip(s, from, err) < 0)
			return -1;
		*ret = move_ptr(s);
		return 0;
	}
	if ((codec != UNPACK_NONE || form == STREAM_BYTES) && start(s, unpack_bytes, codec, err) < 0)
		return -1;
	if (form != STREAM_BYTES && start(s, form == STREAM_TAR ? unpack_tar : unpack_layer, UNPACK_NONE, err) < 0)
		return -1;
	*ret = move_ptr(s);
	return 0;
}

int stream_of(int out, struct stream **ret, struct err *err)
{
	if (stream_new(ret, err) < 0)
		return -1;
	(*ret)->out = out;
	return 0;
}

/** The one that nothing flows into any more sees the end of its input. */
static void close_flow(struct flow *f)
{
	if (f->to != -1)
		close(f->to);
	f->to = -1;
}

/** Nobody hears the reader before it any more either. */
static void cut_flow(struct flow *f)
{
	close_flow(f);
	if (f->from != -1)
		close(f->from);
	f->from = -1;
}

void stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++) {
		confined_kill(&s->readers[i].process);
		cut_flow(&s->flows[i]);
		free(s->flows[i].chunk);
		hasher_free(s->flows[i].hash);
	}
	if (s->own_out && s->out != -1)
		close(s->out);
	free(s->chunk);
	free(s);
}

/* ---- moving bytes ------------------------------------------------------- */

int stream_check_ratio(uint64_t stored, uint64_t unpacked, struct err *err)
{
	if (unpacked <= STREAM_RATIO_FROM || unpacked / STREAM_RATIO_MAX <= stored)
		return 0;
	return err_set(err, ERR_INPUT, 0, "the archive unpacks to more than %d times its size", STREAM_RATIO_MAX);
}

/** read(2) or pread(2) that tells "nothing yet" (-1 with EAGAIN) from the end (0). */
static ssize_t read_some(struct flow *f)
{
	ssize_t n;

	do {
		if (f->from != -1)
			n = read(f->from, f->chunk, CHUNK);
		else
			n = pread(f->file.fd, f->chunk, f->file.size < CHUNK ? (size_t)f->file.size : CHUNK, (off_t)f->file.offset);
	} while (n < 0 && errno == EINTR);
	return n;
}

/** Fills the chunk of a flow. */
static int fill(struct stream *s, struct flow *f, struct err *err)
{
	ssize_t n = read_some(f);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_set(err, f->from == -1 ? ERR_INPUT : ERR_INTERNAL, errno, "read");
	if (n == 0 && f->from == -1 && f->file.size > 0)
		return err_set(err, ERR_INPUT, 0, "the file has become shorter while it was read");
	if (n == 0) {
		close_flow(f);
		return 0;
	}
	if (f->from == -1) {
		f->file.offset += (uint64_t)n;
		f->file.size -= (uint64_t)n;
	}
	f->at = 0;
	f->have = (size_t)n;
	f->bytes += (uint64_t)n;
	hasher_add(f->hash, f->chunk, (size_t)n);
	if (f->bytes > STREAM_PLAIN_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %llu bytes", (unsigned long long)STREAM_PLAIN_MAX);
	return stream_check_ratio(stream_stored(s), stream_plain(s), err);
}

/** Sends what the chunk holds. A reader that has ended has said why, or will be asked. */
static int push(struct flow *f, struct err *err)
{
	ssize_t n = send(f->to, f->chunk + f->at, f->have - f->at, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		close_flow(f);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		return err_set(err, ERR_INTERNAL, errno, "feed a reader");
	else if (n > 0)
		f->at += (size_t)n;
	return 0;
}

/** Moves what can be moved in a flow, given what poll(2) said. */
static int move(struct stream *s, struct flow *f, const struct pollfd *p, struct err *err)
{
	if (f->to == -1 || p->revents == 0)
		return 0;
	if (p->fd == f->to && push(f, err) < 0)
		return -1;
	if (f->to != -1 && f->at == f->have && (p->fd != f->to || f->from == -1))
		return fill(s, f, err);
	return 0;
}

/** Waits until something can be moved, and moves it; @p want: also what the last reader has written, into the chunk that is empty. */
static int pump(struct stream *s, bool want, struct err *err)
{
	struct pollfd p[READERS_MAX + 1];

	for (size_t i = 0; i < s->n; i++) {
		struct flow *f = &s->flows[i];
		bool full = f->at < f->have;

		if (f->to != -1 && !full && f->from == -1 && fill(s, f, err) < 0)
			return -1;
		full = f->at < f->have;
		p[i] = (struct pollfd){ .fd = f->to == -1 ? -1 : full ? f->to : f->from, .events = full ? POLLOUT : POLLIN };
	}
	p[s->n] = (struct pollfd){ .fd = want ? s->out : -1, .events = POLLIN };
	if (poll(p, s->n + 1, -1) < 0)
		return errno == EINTR ? 0 : err_set(err, ERR_INTERNAL, errno, "wait for a reader");
	for (size_t i = 0; i < s->n; i++)
		if (move(s, &s->flows[i], &p[i], err) < 0)
			return -1;
	if (p[s->n].revents == 0)
		return 0;
	ssize_t n = read(s->out, s->chunk, CHUNK);
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNRESET)
		return err_set(err, ERR_INTERNAL, errno, "hear a reader");
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		s->at_end = true;
	s->at = 0;
	s->have = n > 0 ? (size_t)n : 0;
	return 0;
}

/* ---- how it ended ----------------------------------------------------------- */

/** All readers have ended, or are about to: 0 when each did well, else the reason of the first that has one. That nobody listened is
 *  none: whoever stopped listening has it. */
static int verdict(struct stream *s, struct err *err)
{
	struct err unheard = {0};
	int result = 0;

	/* One that waits to be heard or fed would wait for ever. */
	for (size_t i = 0; i < s->n; i++)
		cut_flow(&s->flows[i]);
	for (size_t i = 0; i < s->n; i++) {
		struct err why = {0};

		if (confine_finish(&s->readers[i].process, &why) == 0 || result < 0)
			continue;
		if (why.sys == EPIPE) {
			unheard = why;
			continue;
		}
		*err = why;
		result = -1;
	}
	if (result == 0 && unheard.kind != ERR_NONE) {
		*err = unheard;
		result = -1;
	}
	return result;
}

int stream_take(struct stream *s, void *data, size_t n, size_t *ret_got, struct err *err)
{
	char *to = data;
	size_t got = 0;

	while (got < n) {
		size_t part = s->have - s->at < n - got ? s->have - s->at : n - got;

		memcpy(to + got, s->chunk + s->at, part);
		s->at += part;
		got += part;
		if (got < n && s->at_end)
			break;
		if (got < n && pump(s, true, err) < 0)
			return -1;
	}
	*ret_got = got;
	return 0;
}

int stream_read(struct stream *s, void *data, size_t n, struct err *err)
{
	size_t got;

	if (stream_take(s, data, n, &got, err) < 0)
		return -1;
	if (got == n)
		return 0;
	return verdict(s, err) < 0 ? -1 : err_set(err, ERR_INPUT, 0, "what the reader says ends too early");
}

uint64_t stream_stored(const struct stream *s)
{
	return s->flows[0].bytes;
}

uint64_t stream_plain(const struct stream *s)
{
	return s->n == 0 ? 0 : s->flows[s->n - 1].bytes;
}

/** Whether all of the source has gone into the readers. */
static bool is_moving(const struct stream *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->flows[i].to != -1)
			return true;
	return false;
}

int stream_end(struct stream *s, struct stream_sums *ret, struct err *err)
{
	struct stream_sums sums = { .stored = stream_stored(s), .plain = stream_plain(s) };
	char more;
	size_t got;

	if (stream_take(s, &more, 1, &got, err) < 0)
		return -1;
	if (got != 0)
		return err_set(err, ERR_INPUT, 0, "the reader says more than is due");
	while (is_moving(s))
		if (pump(s, false, err) < 0)
			return -1;
	if (verdict(s, err) < 0)
		return -1;
	sums.stored = stream_stored(s);
	sums.plain = stream_plain(s);
	if (s->n > 0 && (hasher_final(s->flows[0].hash, &sums.stored_digest, err) < 0))
		return -1;
	sums.plain_digest = sums.stored_digest;
	if (s->n > 1 && hasher_final(s->flows[1].hash, &sums.plain_digest, err) < 0)
		return -1;
	*ret = sums;
	return 0;
}
