/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Object files: object.h. The format is libelf's to know.
 *
 * Invariant: nothing is taken from outside of what libelf hands out.
 */
#include "object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ntsign/note.h"
#include "ntsign/samba.h"

/* No version string, and no line of the note, is as long. */
#define TEXT_MAX 200

/* ---- the note ---- */

static void note_line(struct ntsign_object *found, const char *line, size_t len)
{
	const struct {
		const char *key;
		const char **value;
	} keys[] = {
		{ "module=", &found->module },
		{ "record=", &found->record },
		{ "samba=", &found->samba },
		{ "interface=", &found->interface },
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t key_len = strlen(keys[i].key);

		if (len > key_len && len - key_len < TEXT_MAX &&
		    memcmp(line, keys[i].key, key_len) == 0) {
			*keys[i].value = talloc_strndup(found, line + key_len,
							len - key_len);
		}
	}
}

static void note_text(struct ntsign_object *found, const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);

	if (end == NULL) {
		return;
	}
	found->noted = true;
	while (text < end) {
		const char *newline = memchr(text, '\n',
					     (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		note_line(found, text, (size_t)(stop - text));
		text = stop + 1;
	}
}

/* A segment's notes. */
static void read_notes(struct ntsign_object *found, Elf_Data *data)
{
	static const char owner[] = NTSIGN_NOTE_OWNER;
	GElf_Nhdr note = { .n_type = 0 };
	size_t offset = 0;
	size_t name = 0;
	size_t text = 0;

	while ((offset = gelf_getnote(data, offset, &note, &name, &text)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type == NTSIGN_NOTE_TYPE &&
		    note.n_namesz == sizeof(owner) &&
		    memcmp(bytes + name, owner, sizeof(owner)) == 0) {
			note_text(found, bytes + text, note.n_descsz);
		}
	}
}

static void read_segments(struct ntsign_object *found, Elf *elf)
{
	size_t count = 0;
	size_t i;

	if (elf_getphdrnum(elf, &count) != 0) {
		return;
	}
	for (i = 0; i < count; i++) {
		GElf_Phdr segment;
		Elf_Data *data = NULL;

		if (gelf_getphdr(elf, (int)i, &segment) == NULL) {
			return;
		}
		if (segment.p_type != PT_NOTE ||
		    segment.p_offset > INT64_MAX ||
		    segment.p_filesz > NTSIGN_OBJECT_SIZE_MAX) {
			continue;
		}
		data = elf_getdata_rawchunk(elf, (int64_t)segment.p_offset,
					    segment.p_filesz,
					    segment.p_align == 8 ?
						ELF_T_NHDR8 : ELF_T_NHDR);
		if (data != NULL && data->d_buf != NULL) {
			read_notes(found, data);
		}
	}
}

/* ---- symbols ---- */

static void read_symbols(struct ntsign_object *found, Elf *elf, Elf_Scn *section,
			 const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count;
	size_t i;

	if (data == NULL || data->d_buf == NULL || header->sh_entsize == 0) {
		return;
	}
	count = data->d_size / header->sh_entsize;
	for (i = 0; i < count && i < INT32_MAX; i++) {
		GElf_Sym symbol;
		const char *name = NULL;

		if (gelf_getsym(data, (int)i, &symbol) == NULL) {
			return;
		}
		if (symbol.st_shndx == SHN_UNDEF) {
			continue;
		}
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (name == NULL) {
			continue;
		}
		found->entry |= strcmp(name, "samba_init_module") == 0;
		found->tells_version |=
			strcmp(name, "samba_version_string") == 0;
	}
}

/* ---- the version ---- */

/* Digits, and what is behind them. */
static const char *number(const char *p)
{
	const char *start = p;

	while (*p >= '0' && *p <= '9') {
		p++;
	}
	return p != start ? p : NULL;
}

/* Three numbers, what says that they are before a release, and the rest of it
 * behind a '-'. OIDs of three numbers look the same. */
static bool is_version(const char *text)
{
	const char *p = number(text);
	int i;

	for (i = 0; i < 2; i++) {
		p = p != NULL && *p == '.' ? number(p + 1) : NULL;
	}
	if (p == NULL) {
		return false;
	}
	if (strncmp(p, "rc", 2) == 0) {
		p = number(p + 2);
	} else if (strncmp(p, "pre", 3) == 0) {
		p = number(p + 3);
	}
	if (p == NULL || (*p != '\0' && *p != '-')) {
		return false;
	}
	return p[strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789.+~:_-")] == '\0';
}

/* The better of two candidates. */
static bool is_better(const char *text, const char *than, const char *like)
{
	size_t major;

	if (than == NULL || like == NULL) {
		return than == NULL;
	}
	if (strcmp(than, like) == 0 || strcmp(text, like) == 0) {
		return strcmp(than, like) != 0;
	}
	if (ntsign_samba_fits(like, than) || ntsign_samba_fits(like, text)) {
		return !ntsign_samba_fits(like, than);
	}
	major = strcspn(like, ".") + 1;
	if (strncmp(than, like, major) == 0) {
		/* what has more to say is less of an accident */
		return strncmp(text, like, major) == 0 &&
		       strchr(than, '-') == NULL && strchr(text, '-') != NULL;
	}
	return strncmp(text, like, major) == 0;
}

/* Every string of a section of read-only data. */
static void read_strings(struct ntsign_object *found, Elf_Scn *section,
			 const char *like)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *p = NULL;
	const char *end = NULL;

	if (data == NULL || data->d_buf == NULL) {
		return;
	}
	p = data->d_buf;
	end = p + data->d_size;
	while (p < end) {
		const char *zero = memchr(p, '\0', (size_t)(end - p));

		if (zero == NULL) {
			return;
		}
		if (zero - p < TEXT_MAX && is_version(p) &&
		    is_better(p, found->version, like)) {
			found->version = talloc_strdup(found, p);
		}
		p = zero + 1;
	}
}

/* ---- all of it ---- */

static bool is_constant(const GElf_Shdr *header)
{
	return header->sh_type == SHT_PROGBITS &&
	       (header->sh_flags & SHF_ALLOC) &&
	       !(header->sh_flags & (SHF_WRITE | SHF_EXECINSTR));
}

static void read_sections(struct ntsign_object *found, Elf *elf,
			  const char *like)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)) != NULL) {
		if (gelf_getshdr(section, &header) != NULL &&
		    header.sh_type == SHT_DYNSYM) {
			read_symbols(found, elf, section, &header);
		}
	}
	if (!found->tells_version) {
		return;
	}
	while ((section = elf_nextscn(elf, section)) != NULL) {
		if (gelf_getshdr(section, &header) != NULL &&
		    is_constant(&header)) {
			read_strings(found, section, like);
		}
	}
}

/* Whether it is for the processor that this program runs on. */
static bool is_native(const GElf_Ehdr *header)
{
#if defined(__x86_64__) && defined(__LP64__)
	return header->e_machine == EM_X86_64 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64;
#elif defined(__aarch64__)
	return header->e_machine == EM_AARCH64;
#else
	return true;
#endif
}

struct ntsign_object *ntsign_object_parse(TALLOC_CTX *mem_ctx, const void *data,
				    size_t size, const char *like)
{
	struct ntsign_object *found = talloc_zero(mem_ctx, struct ntsign_object);
	GElf_Ehdr header;
	char *image = NULL;
	Elf *elf = NULL;

	if (found == NULL || size == 0 || elf_version(EV_CURRENT) == EV_NONE) {
		return found;
	}
	/* libelf wants to be able to write there */
	image = talloc_memdup(found, data, size);
	if (image == NULL) {
		TALLOC_FREE(found);
		return NULL;
	}
	elf = elf_memory(image, size);
	if (elf != NULL && elf_kind(elf) == ELF_K_ELF &&
	    gelf_getehdr(elf, &header) != NULL) {
		found->shared = header.e_type == ET_DYN && is_native(&header);
		read_segments(found, elf);
		read_sections(found, elf, like);
	}
	if (elf != NULL) {
		elf_end(elf);
	}
	TALLOC_FREE(image);
	return found;
}

/* All of a file; a talloc child of mem_ctx, *size its length. */
static char *read_file(TALLOC_CTX *mem_ctx, int fd, size_t *size)
{
	struct stat st;
	char *data = NULL;
	size_t have = 0;

	if (fstat(fd, &st) == -1) {
		return NULL;
	}
	if (!S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)NTSIGN_OBJECT_SIZE_MAX) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EFBIG;
		return NULL;
	}
	data = talloc_array(mem_ctx, char, (size_t)st.st_size + 1);
	while (data != NULL && have < (size_t)st.st_size) {
		ssize_t n = read(fd, data + have, (size_t)st.st_size - have);

		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n == -1) {
			TALLOC_FREE(data);
			return NULL;
		}
		if (n == 0) {
			break;
		}
		have += (size_t)n;
	}
	*size = have;
	return data;
}

struct ntsign_object *ntsign_object_read(TALLOC_CTX *mem_ctx, const char *path,
				   const char *like)
{
	struct ntsign_object *found = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *data = NULL;
	size_t size = 0;
	int error;

	if (fd == -1) {
		return NULL;
	}
	errno = ENOMEM;
	data = read_file(mem_ctx, fd, &size);
	error = errno;
	close(fd);
	if (data == NULL) {
		errno = error;
		return NULL;
	}
	found = ntsign_object_parse(mem_ctx, data, size, like);
	TALLOC_FREE(data);
	if (found == NULL) {
		errno = ENOMEM;
	}
	return found;
}
