/* SPDX-License-Identifier: Apache-2.0 */
/* ELF (System V gABI), least byte first, 32 and 64 bit: section by section. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inspect/look.h"
#include "inspect/pieces.h"

/** Bytes of the names of sections, of which a header can count 65,535. */
#define NAMES_MAX (8u << 20)
/** Sections among which one that has another number is searched for. */
#define SECTIONS_SEARCHED 4096u
/** Code that is searched for coded vector instructions. */
#define CODE_MAX (16u << 20)
/** So many on one side and none, or next to none, on the other are a difference between processors. */
#define VECTORS_MIN 4

struct section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	struct slice data;
	bool paired;
};

struct elf {
	struct section *v;
	size_t n;
	struct buf names;
};

static void elf_clear(struct elf *e)
{
	free(e->v);
	buf_free(&e->names);
}
#define auto_elf __attribute__((cleanup(elf_clear))) struct elf

/** Where the section headers are, their number and size, and which has the names. */
struct table {
	uint64_t at;
	size_t n, size, names;
	bool wide;
};

static int read_table(const struct slice *s, struct table *t, struct err *err)
{
	unsigned char h[sizeof(Elf64_Ehdr)];
	size_t got;

	if (bytes_read(s, 0, h, sizeof h, &got, err) < 0)
		return -1;
	if (got < sizeof(Elf32_Ehdr) || h[EI_DATA] != ELFDATA2LSB || (h[EI_CLASS] == ELFCLASS64 && got < sizeof h))
		return err_set(err, ERR_INPUT, 0, "not one of a kind that is read");
	t->wide = h[EI_CLASS] == ELFCLASS64;
	t->at = t->wide ? bytes_le64(h + 40) : bytes_le32(h + 32);
	const unsigned char *p = h + (t->wide ? 58 : 46);
	t->size = bytes_le16(p);
	t->n = bytes_le16(p + 2);
	t->names = bytes_le16(p + 4);
	if (t->n != 0 && t->size < (t->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
		return err_set(err, ERR_INPUT, 0, "section headers that are too small");
	return 0;
}

/** Reads section header @p i; its name's place in the table of names is left in @p ret_name. */
static int read_section(const struct slice *s, const struct table *t, size_t i, struct section *ret, uint32_t *ret_name, struct err *err)
{
	unsigned char p[sizeof(Elf64_Shdr)];
	uint64_t offset, size;

	if (bytes_exact(s, t->at + i * t->size, p, t->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), err) < 0)
		return -1;
	*ret_name = bytes_le32(p);
	ret->type = bytes_le32(p + 4);
	ret->flags = t->wide ? bytes_le64(p + 8) : bytes_le32(p + 8);
	offset = t->wide ? bytes_le64(p + 24) : bytes_le32(p + 16);
	size = t->wide ? bytes_le64(p + 32) : bytes_le32(p + 20);
	if (ret->type == SHT_NOBITS || ret->type == SHT_NULL)
		offset = size = 0;
	return bytes_part(s, offset, size, "section", &ret->data, err);
}

static int read_elf(const struct slice *s, struct elf *e, struct err *err)
{
	struct table t;
	auto_free uint32_t *names = NULL;

	if (read_table(s, &t, err) < 0)
		return -1;
	/* More than 65,279 are counted elsewhere: that is a form of its own. */
	if (t.at == 0 || t.n == 0 || t.names >= t.n)
		return err_set(err, ERR_INPUT, 0, "it has no table of sections");
	e->v = calloc(t.n, sizeof *e->v);
	names = calloc(t.n, sizeof *names);
	if (e->v == NULL || names == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare");
	for (size_t i = 0; i < t.n; i++)
		if (read_section(s, &t, i, &e->v[i], &names[i], err) < 0)
			return -1;
	e->n = t.n;
	if (bytes_load(&e->v[t.names].data, NAMES_MAX, &e->names, err) < 0)
		return -1;
	/* buf's closing NUL ends the last one. */
	for (size_t i = 0; i < e->n; i++)
		e->v[i].name = names[i] < e->names.len ? e->names.data + names[i] : "";
	return 0;
}

/* ---- what differs --------------------------------------------------------------------------------- */

static bool begins(const char *name, const char *const *prefixes)
{
	for (; *prefixes != NULL; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

/** Whether a section may hold strings that mean something; tables and code have chance ones. */
static bool has_strings(const struct section *s)
{
	static const char *const texts[] = { ".debug_str", ".debug_line", NULL };
	static const char *const tables[] = { ".debug_", ".eh_frame", ".rel", ".gnu.hash", ".gnu.version", ".init_array", ".fini_array", ".got",
					      ".dynamic", ".note.gnu.property", ".note.gnu.build-id", ".gcc_except_table", ".gnu_debuglink", NULL };

	if (s->flags & (SHF_EXECINSTR | SHF_COMPRESSED) || s->type == SHT_SYMTAB || s->type == SHT_DYNSYM || s->type == SHT_HASH)
		return false;
	return begins(s->name, texts) || !begins(s->name, tables);
}

/** Operations that compilers use on vectors and floating point numbers: moves, conversions, arithmetic, logic, comparison, vzeroupper. */
static bool is_vector_operation(unsigned char c)
{
	static const unsigned char operations[] = {
		0x10, 0x11, 0x14, 0x16, 0x28, 0x29, 0x2a, 0x2c, 0x2e, 0x2f, 0x51, 0x54, 0x57, 0x58, 0x59, 0x5c, 0x5e, 0x6c, 0x6e, 0x6f, 0x70, 0x72, 0x73,
		0x74, 0x77, 0x7e, 0x7f, 0xc6, 0xd4, 0xd6, 0xd7, 0xdb, 0xeb, 0xef, 0xfa, 0xfe,
	};

	return memchr(operations, c, sizeof operations) != NULL;
}

/** Instructions with a VEX prefix: what follows C5 or C4 is one of its forms, and an operation. By chance, as in the distance of a call, that
 *  is next to never. */
static int count_vectors(const struct slice *code, size_t *ret, struct err *err)
{
	auto_buf b = {0};

	*ret = 0;
	if (bytes_load(code, CODE_MAX, &b, err) < 0)
		return -1;
	for (size_t i = 0; i + 2 < b.len; i++) {
		const unsigned char *p = (const unsigned char *)b.data + i;

		*ret += p[0] == 0xc5 && p[1] >= 0xf8 && p[1] <= 0xfd && is_vector_operation(p[2]);
		*ret += p[0] == 0xc4 && (p[1] & 0x1f) >= 1 && (p[1] & 0x1f) <= 3 && (p[1] & 0xe0) == 0xe0 && p[2] >= 0x71 && p[2] <= 0x7d;
	}
	return 0;
}

static int tell_code(struct look *l, json_t *node, const struct slice *a, const struct slice *b, struct err *err)
{
	size_t x, y;
	char evidence[128];

	if (count_vectors(a, &x, err) < 0 || count_vectors(b, &y, err) < 0)
		return -1;
	if ((x < VECTORS_MIN || y * 8 >= x) && (y < VECTORS_MIN || x * 8 >= y))
		return 0;
	snprintf(evidence, sizeof evidence, "%zu instructions of AVX in A, %zu in B", x, y);
	node_cause(l, node, CAUSE_CPU, evidence);
	return 0;
}

static void hex_text(const struct buf *b, size_t skip, char out[129])
{
	out[0] = '\0';
	for (size_t i = skip; i < b->len && i - skip < 64; i++)
		snprintf(out + 2 * (i - skip), 3, "%02x", (unsigned char)b->data[i]);
}

/** A build id is the cause only where nothing else differs: else it is a digest of what does. */
static int tell_build_id(struct look *l, json_t *node, const struct slice *a, const struct slice *b, bool alone, struct err *err)
{
	auto_buf x = {0};
	auto_buf y = {0};
	char p[129], q[129];

	if (bytes_load(a, 256, &x, err) < 0 || bytes_load(b, 256, &y, err) < 0)
		return -1;
	/* Three words and "GNU" stand in front. */
	hex_text(&x, 16, p);
	hex_text(&y, 16, q);
	node_field(l, node, "build id", p, q, alone ? CAUSE_BUILD_ID : CAUSE_NONE);
	return 0;
}

/** Properties of x86: which level of instructions is needed or used. */
static int tell_property(struct look *l, json_t *node, const struct slice *a, const struct slice *b, struct err *err)
{
	static const uint32_t types[] = { 0xc0008002, 0xc0010002, 0xc0008000, 0xc0010001 };
	auto_buf x = {0};
	auto_buf y = {0};

	if (bytes_load(a, 4096, &x, err) < 0 || bytes_load(b, 4096, &y, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const unsigned char t[] = { types[i] & 255, types[i] >> 8 & 255, types[i] >> 16 & 255, types[i] >> 24 };
		const char *p = memmem(x.data, x.len, t, sizeof t), *q = memmem(y.data, y.len, t, sizeof t);
		size_t left_p = p == NULL ? 0 : x.len - (size_t)(p - x.data), left_q = q == NULL ? 0 : y.len - (size_t)(q - y.data);

		if (left_p < 12 && left_q < 12)
			continue;
		uint32_t v = left_p < 12 ? 0 : bytes_le32((const unsigned char *)p + 8), w = left_q < 12 ? 0 : bytes_le32((const unsigned char *)q + 8);
		if (v != w)
			node_field_number(l, node, "x86 instruction set", v, w, CAUSE_CPU);
	}
	return 0;
}

/** Strings of a section; compressed ones of debuggers are unpacked first. */
static int tell_strings(struct look *l, json_t *node, const struct section *a, const struct section *b, struct err *err)
{
	/* Elf64_Chdr, and zlib's own two bytes behind it. */
	const uint64_t skip = sizeof(Elf64_Chdr) + 2;
	static const char *const texts[] = { ".debug_str", ".debug_line", NULL };
	struct slice x, y, p, q;
	uint64_t end = l->end;

	if (has_strings(a) && has_strings(b))
		return pieces_compare(l, node, &a->data, &b->data, false, err);
	if (!(a->flags & b->flags & SHF_COMPRESSED) || !begins(a->name, texts) || a->data.size < skip || b->data.size < skip)
		return 0;
	if (bytes_part(&a->data, skip, a->data.size - skip, "section", &x, err) < 0 ||
	    bytes_part(&b->data, skip, b->data.size - skip, "section", &y, err) < 0 || look_unpack(l, &x, &look_deflate, &p, err) < 0 ||
	    look_unpack(l, &y, &look_deflate, &q, err) < 0)
		return -1;
	int result = pieces_compare(l, node, &p, &q, false, err);
	l->end = end;
	return result;
}

static int tell_section(struct look *l, json_t *parent, const struct section *a, const struct section *b, bool alone, struct err *err)
{
	json_t *node = node_add(l, parent, a->name, "changed");
	uint64_t at;

	if (bytes_differ_at(&a->data, &b->data, &at, err) < 0 || node_content(l, node, &a->data, &b->data, at, err) < 0)
		return -1;
	if (strcmp(a->name, ".note.gnu.build-id") == 0)
		return tell_build_id(l, node, &a->data, &b->data, alone, err);
	if (strcmp(a->name, ".note.gnu.property") == 0)
		return tell_property(l, node, &a->data, &b->data, err);
	if (a->flags & b->flags & SHF_EXECINSTR)
		return tell_code(l, node, &a->data, &b->data, err);
	return tell_strings(l, node, a, b, err);
}

/** The section of that name in @p e that has no partner yet, or NULL. */
static struct section *find_partner(struct elf *e, const char *name, size_t near)
{
	/* Mostly it has the same number. */
	if (near < e->n && !e->v[near].paired && strcmp(e->v[near].name, name) == 0)
		return &e->v[near];
	for (size_t i = 0; i < e->n && i < SECTIONS_SEARCHED; i++)
		if (!e->v[i].paired && strcmp(e->v[i].name, name) == 0)
			return &e->v[i];
	return NULL;
}

static void tell_lone(struct look *l, json_t *node, const struct elf *x, const struct elf *y)
{
	const struct section *first[2] = {0};
	const struct elf *e[] = { x, y };
	static const char *const kinds[] = { "removed", "added" };

	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; i < e[side]->n; i++)
			if (!e[side]->v[i].paired) {
				first[side] = first[side] == NULL ? &e[side]->v[i] : first[side];
				(void)node_add(l, node, e[side]->v[i].name, kinds[side]);
			}
	if (first[0] == NULL || first[1] == NULL)
		return;
	/* gcc names sections of link-time optimisation by chance, unless it is given a seed. */
	struct words a = { first[0]->name, strlen(first[0]->name) }, b = { first[1]->name, strlen(first[1]->name) };
	node_causes(l, node, cause_of_words(a, b), "name of a section ", a, b);
}

/** Pairs sections by name; @p differing counts, or NULL: tells. @p alone: one alone differs. */
static int walk(struct look *l, json_t *node, struct elf *x, struct elf *y, bool alone, size_t *differing, struct err *err)
{
	for (size_t i = 0; i < y->n; i++)
		y->v[i].paired = false;
	for (size_t i = 0; i < x->n; i++) {
		struct section *a = &x->v[i], *b = find_partner(y, a->name, i);
		uint64_t at;

		a->paired = b != NULL;
		if (b == NULL)
			continue;
		b->paired = true;
		if (bytes_differ_at(&a->data, &b->data, &at, err) < 0)
			return -1;
		if (at != BYTES_SAME && differing != NULL)
			++*differing;
		else if (at != BYTES_SAME && tell_section(l, node, a, b, alone, err) < 0)
			return -1;
	}
	return 0;
}

int look_elf(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	auto_elf x = {0}, y = {0};
	size_t differing = 0;
	uint64_t at;

	(void)name;
	(void)depth;
	if (read_elf(a, &x, err) < 0 || read_elf(b, &y, err) < 0 || bytes_differ_at(a, b, &at, err) < 0 ||
	    node_content(l, node, a, b, at, err) < 0 || walk(l, node, &x, &y, false, &differing, err) < 0 ||
	    walk(l, node, &x, &y, differing == 1, NULL, err) < 0)
		return -1;
	tell_lone(l, node, &x, &y);
	return 0;
}
