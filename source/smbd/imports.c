/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of Samba and libc that the module calls.
 *
 * smbd loads the module anew in each connection's process, and the dynamic
 * linker looks each of some 150 names up in each of smbd's some 110
 * libraries: a third of a millisecond that every client would pay. The build
 * knows which library has which function, and links the module with a jump
 * for each (wscript, class cshlib_weak); here each jump is given its target
 * from that one library's symbol table. dlsym() would do, but for a library
 * that was not loaded by dlopen() it first makes a list of all that library
 * depends on, which takes longer still.
 *
 * Invariant: until this is done no function but those of dlfcn.h and
 * dl_iterate_phdr() is called; when it is done the table of targets cannot
 * be written any more.
 */
#include "imports.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

/*
 * Generated, where the build has jumps: for each library a byte with the
 * length of its name, the name, a NUL; the same for each of its functions; a
 * zero byte. A zero byte ends the list. The targets stand in that order.
 */
extern const unsigned char ntsign_import_names[] __attribute__((weak)) HIDDEN;
extern void *ntsign_import_targets[] __attribute__((weak)) HIDDEN;
extern const size_t ntsign_import_targets_size __attribute__((weak)) HIDDEN;

static const char *missing;

/* What a function that this process has not got does. */
static void absent(void)
{
	__builtin_trap();
}

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* A library that is loaded, by the tables that its dynamic section names. */
struct library {
	const char *name;	/* without directories; looked for */
	size_t name_len;
	ElfW(Addr) base;
	const uint32_t *hash;
	const ElfW(Sym) *symbols;
	const char *strings;
	const ElfW(Versym) *versions;
};

/* glibc has made most of these addresses absolute, others it has not. */
static const void *table(const struct library *library, const ElfW(Dyn) *d)
{
	ElfW(Addr) address = d->d_un.d_ptr;

	if (address < library->base) {
		address += library->base;
	}
	return (const void *)address;
}

static void read_dynamic(struct library *library, const ElfW(Dyn) *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_GNU_HASH:
			library->hash = table(library, d);
			break;
		case DT_SYMTAB:
			library->symbols = table(library, d);
			break;
		case DT_STRTAB:
			library->strings = table(library, d);
			break;
		case DT_VERSYM:
			library->versions = table(library, d);
			break;
		default:
			break;
		}
	}
}

/* More than the module has functions of. */
#define LIBRARIES_MAX 64

struct libraries {
	struct library list[LIBRARIES_MAX];
	size_t count;
};

static int find_library(struct dl_phdr_info *info, size_t size, void *data)
{
	struct libraries *libraries = data;
	struct library *library = NULL;
	const char *name = info->dlpi_name;
	const char *p = NULL;
	size_t name_len;
	size_t i;

	for (p = name; *p != '\0'; p++) {
		if (*p == '/') {
			name = p + 1;
		}
	}
	name_len = (size_t)(p - name);
	for (i = 0; i < libraries->count && library == NULL; i++) {
		if (libraries->list[i].name_len == name_len &&
		    libraries->list[i].symbols == NULL &&
		    same(name, libraries->list[i].name)) {
			library = &libraries->list[i];
		}
	}
	if (library == NULL) {
		return 0;
	}
	library->base = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type == PT_DYNAMIC) {
			read_dynamic(library,
				     (const void *)(library->base +
						    header->p_vaddr));
		}
	}
	return 0;
}

/* The symbol's address; of an indirect function, what it decides on. */
static void *symbol_address(const struct library *library,
			    const ElfW(Sym) *symbol)
{
	ElfW(Addr) address = library->base + symbol->st_value;

	if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC) {
		void *(*decide)(void) = (void *(*)(void))address;

		return decide();
	}
	return (void *)address;
}

static bool symbol_fits(const struct library *library, uint32_t i,
			const char *name)
{
	const ElfW(Sym) *symbol = &library->symbols[i];

	/* 0x8000: not the version that a new program gets */
	return symbol->st_shndx != SHN_UNDEF &&
		(library->versions == NULL ||
		 !(library->versions[i] & 0x8000)) &&
		same(name, library->strings + symbol->st_name);
}

/* The GNU hash table: number of buckets, first symbol in it, words and shift
 * of its Bloom filter; the filter; the buckets; a hash for each symbol. */
static void *look_up(const struct library *library, const char *name)
{
	const uint32_t *table_head = library->hash;
	const ElfW(Addr) *filter = NULL;
	const uint32_t *buckets = NULL;
	const uint32_t *chain = NULL;
	uint32_t hash = 5381;
	uint32_t first;
	uint32_t i;
	const char *p = NULL;

	if (table_head == NULL || library->symbols == NULL ||
	    library->strings == NULL || table_head[0] == 0) {
		return NULL;
	}
	for (p = name; *p != '\0'; p++) {
		hash = hash * 33 + (unsigned char)*p;
	}
	first = table_head[1];
	filter = (const ElfW(Addr) *)(const void *)(table_head + 4);
	buckets = (const uint32_t *)(const void *)(filter + table_head[2]);
	chain = buckets + table_head[0];
	i = buckets[hash % table_head[0]];
	if (i < first) {
		return NULL;
	}
	for (;; i++) {
		uint32_t entry = chain[i - first];

		if ((entry | 1) == (hash | 1) &&
		    symbol_fits(library, i, name)) {
			return symbol_address(library, &library->symbols[i]);
		}
		if (entry & 1) {
			return NULL;
		}
	}
}

/* Whether other libraries may stand in front of the ones that are known. */
static bool preloaded(void)
{
	static const char variable[] = "LD_PRELOAD=";
	char **entry = NULL;

	for (entry = environ; entry != NULL && *entry != NULL; entry++) {
		size_t i = 0;

		while (variable[i] != '\0' && (*entry)[i] == variable[i]) {
			i++;
		}
		if (variable[i] == '\0') {
			return true;
		}
	}
	return false;
}

/* library: NULL where the dynamic linker has to decide. */
static void *find(const struct library *library, const char *name)
{
	void *target = NULL;

	if (library != NULL) {
		target = look_up(library, name);
	}
	if (target == NULL) {
		target = dlsym(RTLD_DEFAULT, name);
	}
	if (target == NULL) {
		missing = name;
		target = (void *)absent;
	}
	return target;
}

const char *ntsign_imports_resolve(void)
{
	static struct libraries libraries;
	const unsigned char *p = ntsign_import_names;
	bool interposed = preloaded();
	size_t n = 0;
	size_t i = 0;

	if (p == NULL || ntsign_import_targets[0] != NULL) {
		return missing;
	}
	while (*p != 0 && libraries.count < LIBRARIES_MAX) {
		libraries.list[libraries.count].name = (const char *)p + 1;
		libraries.list[libraries.count].name_len = *p;
		libraries.count++;
		while (*p != 0) {
			p += *p + 2;
		}
		p++;
	}
	dl_iterate_phdr(find_library, &libraries);

	for (p = ntsign_import_names; *p != 0; p++) {
		const struct library *library = NULL;

		if (n < libraries.count && !interposed) {
			library = &libraries.list[n];
		}
		for (p += *p + 2; *p != 0; p += *p + 2) {
			ntsign_import_targets[i] =
				find(library, (const char *)p + 1);
			i++;
		}
		n++;
	}
	if (mprotect(ntsign_import_targets, ntsign_import_targets_size,
		     PROT_READ) != 0) {
		return "mprotect";
	}
	return missing;
}
