/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file samples.h
 * Small files of each format, made byte by byte, with a few things in them that can be made to differ.
 */
#ifndef GB_TEST_INSPECT_SAMPLES_H
#define GB_TEST_INSPECT_SAMPLES_H

#include <elf.h>

#include <libdeflate.h>

#include "helper.h"
#include "oci/tar.h"

/** What differs between two samples of a format. */
struct sample {
	uint32_t time;
	unsigned owner;
	int level;             /**< of compression */
	const char *text;      /**< content of the file in it */
	const char *name;      /**< of that file */
	const char *extra;     /**< what the format has besides: a second section, chunk or member; NULL: none */
};
#define SAMPLE ((struct sample){ .time = 1600000000, .owner = 0, .level = 6, .text = "hello, hello, hello, hello, world\n", .name = "file" })

typedef void sample_fn(const struct sample *s, struct buf *out);

static inline void sample_tar(const struct sample *s, struct buf *out)
{
	static const char zeros[TAR_END];
	const char *names[] = { s->name, s->extra };

	for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
		const struct tar_member m = {
			.type = TAR_FILE, .path = names[i], .mode = 0644, .uid = s->owner, .gid = 0, .size = strlen(s->text), .mtime = s->time,
		};

		tar_add_member(&m, out);
		buf_adds(out, s->text);
		buf_add(out, zeros, tar_padding(strlen(s->text)));
	}
	buf_add(out, zeros, sizeof zeros);
}

static inline void sample_ar(const struct sample *s, struct buf *out)
{
	buf_adds(out, "!<arch>\n");
	buf_addf(out, "%-16s%-12u%-6u%-6u%-8o%-10zu`\n", "//", 0, 0, 0, 0, (size_t)24);
	buf_adds(out, "a-name-of-over-16-bytes/");
	buf_addf(out, "%-16s%-12u%-6u%-6u%-8o%-10zu`\n", "/0", s->time, s->owner, 0, 0100644, strlen(s->text));
	buf_adds(out, s->text);
	if (strlen(s->text) % 2 == 1)
		buf_addc(out, '\n');
}

static inline void pack(const struct sample *s, bool zlib, struct buf *out)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(s->level);
	size_t n = strlen(s->text), room = 1024 + n;
	char *to = buf_room(out, room);

	assert_non_null(c);
	assert_non_null(to);
	n = zlib ? libdeflate_zlib_compress(c, s->text, n, to, room) : libdeflate_deflate_compress(c, s->text, n, to, room);
	assert_true(n > 0);
	buf_seal(out, out->len + n);
	libdeflate_free_compressor(c);
}

static inline void sample_gzip(const struct sample *s, struct buf *out)
{
	buf_add(out, "\x1f\x8b\x08\x08", 4);
	add_le(out, s->time, 4);
	buf_add(out, "\0\3", 2);
	buf_add(out, s->name, strlen(s->name) + 1);
	pack(s, false, out);
	add_le(out, libdeflate_crc32(0, s->text, strlen(s->text)), 4);
	add_le(out, strlen(s->text), 4);
}

static inline void sample_zip(const struct sample *s, struct buf *out)
{
	auto_buf packed = {0};
	size_t nname = strlen(s->name), crc = libdeflate_crc32(0, s->text, strlen(s->text)), central;

	pack(s, false, &packed);
	for (int at = 0; at < 2; at++) {
		central = out->len;
		buf_adds(out, at == 0 ? "PK\3\4" : "PK\1\2");
		add_le(out, 0x0314, at == 0 ? 0 : 2);
		add_le(out, 20, 2);
		add_le(out, 0, 2);
		add_le(out, 8, 2);
		add_le(out, 0x21, 2);
		add_le(out, 0x50 << 8 | 0x21, 2);
		add_le(out, crc, 4);
		add_le(out, packed.len, 4);
		add_le(out, strlen(s->text), 4);
		add_le(out, nname, 2);
		add_le(out, 9, 2);
		if (at == 1) {
			add_le(out, 0, 2 + 2 + 2);
			add_le(out, (uint64_t)0100644 << 16, 4);
			add_le(out, 0, 4);
		}
		buf_adds(out, s->name);
		/* The time of Info-ZIP. */
		add_le(out, 0x5455, 2);
		add_le(out, 5, 2);
		buf_addc(out, 1);
		add_le(out, s->time, 4);
		if (at == 0)
			buf_add(out, packed.data, packed.len);
	}
	size_t ncentral = out->len - central;
	buf_adds(out, "PK\5\6");
	add_le(out, 0, 4);
	add_le(out, 1, 2);
	add_le(out, 1, 2);
	add_le(out, ncentral, 4);
	add_le(out, central, 4);
	add_le(out, 0, 2);
}

static inline void sample_pyc(const struct sample *s, struct buf *out)
{
	buf_add(out, "\xa7\x0d\r\n", 4);
	add_le(out, 0, 4);
	add_le(out, s->time, 4);
	add_le(out, 6, 4);
	buf_add(out, "\xe3\0\0\0", 4);
	buf_adds(out, s->text);
	buf_addc(out, '\0');
}

static inline void add_chunk(struct buf *out, const char *type, const void *data, size_t n)
{
	for (int i = 3; i >= 0; i--)
		buf_addc(out, (char)(n >> (8 * i)));
	buf_add(out, type, 4);
	buf_add(out, data, n);
	add_le(out, 0, 4);
}

static inline void sample_png(const struct sample *s, struct buf *out)
{
	const unsigned char time[7] = { 7, 234, 11, (unsigned char)(s->time % 28 + 1), 9, 10, 11 };
	auto_buf data = {0};
	auto_buf text = {0};

	buf_add(out, "\211PNG\r\n\032\n", 8);
	add_chunk(out, "IHDR", "\0\0\0\1\0\0\0\1\1\0\0\0", 13);
	add_chunk(out, "tIME", time, sizeof time);
	if (s->extra != NULL) {
		buf_adds(&text, "Software");
		buf_addc(&text, '\0');
		buf_adds(&text, s->extra);
		add_chunk(out, "tEXt", text.data, text.len);
	}
	pack(s, true, &data);
	add_chunk(out, "IDAT", data.data, data.len / 2);
	add_chunk(out, "IDAT", data.data + data.len / 2, data.len - data.len / 2);
	add_chunk(out, "IEND", "", 0);
}

/** .text, .rodata with the text, .note.gnu.build-id made of the owner, .comment with extra. */
static inline void sample_elf(const struct sample *s, struct buf *out)
{
	static const char names[] = "\0.text\0.rodata\0.note.gnu.build-id\0.comment\0.shstrtab";
	static const unsigned place[] = { 0, 1, 7, 15, 34, 43 };
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 }, .e_type = ET_REL, .e_machine = EM_X86_64,
			 .e_ehsize = sizeof h, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 6, .e_shstrndx = 5 };
	Elf64_Shdr sections[6] = {0};
	auto_buf id = {0};
	const char *comment = s->extra != NULL ? s->extra : "";

	add_le(&id, 4, 4);
	add_le(&id, 8, 4);
	add_le(&id, 3, 4);
	buf_add(&id, "GNU", 4);
	add_le(&id, s->owner * 0x0123456789abcdefull, 8);
	const struct { const void *data; size_t n; uint64_t flags; } content[6] = {
		[1] = { "\x55\x48\x89\xe5\xc3", 5, SHF_ALLOC | SHF_EXECINSTR }, [2] = { s->text, strlen(s->text), SHF_ALLOC },
		[3] = { id.data, id.len, SHF_ALLOC }, [4] = { comment, strlen(comment), 0 }, [5] = { names, sizeof names, 0 },
	};
	for (size_t i = 1, at = sizeof h; i < 6; at += content[i++].n)
		sections[i] = (Elf64_Shdr){ .sh_name = place[i], .sh_type = i == 5 ? SHT_STRTAB : SHT_PROGBITS, .sh_flags = content[i].flags,
					    .sh_offset = at, .sh_size = content[i].n };
	h.e_shoff = sections[5].sh_offset + sections[5].sh_size;
	buf_add(out, &h, sizeof h);
	for (size_t i = 1; i < 6; i++)
		buf_add(out, content[i].data, content[i].n);
	buf_add(out, sections, sizeof sections);
}

#endif
