/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gzip, xz and zstd, each by its own library: zlib, liblzma, libzstd.
 *
 * Invariant: a decoder that has reported damage is not called again.
 */
#include "unpack.h"

#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* What `xz -9` needs is 65 MiB. */
#define XZ_MEMORY (UINT64_C(128) << 20)
/* As zstd itself has it without --long. */
#define ZSTD_WINDOW_LOG 27
/* Windows of zlib, and the flag that asks for a gzip header. */
#define GZIP_WINDOW (15 + 16)

struct ntsign_unpack {
	enum ntsign_unpack_format format;
	bool between;		/* at the end of a member, or the beginning */
	bool seen;		/* a member has ended */
	const char *why;
	z_stream gzip;
	lzma_stream xz;
	ZSTD_DStream *zstd;
};

static const char cut_off[] = "it is cut off";
static const char damaged[] = "it is damaged";

enum ntsign_unpack_format ntsign_unpack_tell(const uint8_t *data, size_t len)
{
	static const uint8_t xz[] = { 0xFD, '7', 'z', 'X', 'Z', 0 };
	static const uint8_t zstd[] = { 0x28, 0xB5, 0x2F, 0xFD };
	static const uint8_t gzip[] = { 0x1F, 0x8B };

	if (len >= sizeof(xz) && memcmp(data, xz, sizeof(xz)) == 0) {
		return NTSIGN_UNPACK_XZ;
	}
	if (len >= sizeof(zstd) && memcmp(data, zstd, sizeof(zstd)) == 0) {
		return NTSIGN_UNPACK_ZSTD;
	}
	if (len >= sizeof(gzip) && memcmp(data, gzip, sizeof(gzip)) == 0) {
		return NTSIGN_UNPACK_GZIP;
	}
	return NTSIGN_UNPACK_PLAIN;
}

const char *ntsign_unpack_name(enum ntsign_unpack_format format)
{
	switch (format) {
	case NTSIGN_UNPACK_GZIP:
		return "gzip";
	case NTSIGN_UNPACK_XZ:
		return "xz";
	case NTSIGN_UNPACK_ZSTD:
		return "zstd";
	case NTSIGN_UNPACK_PLAIN:
		break;
	}
	return "plain";
}

static int unpack_destructor(struct ntsign_unpack *unpack)
{
	(void)inflateEnd(&unpack->gzip);
	lzma_end(&unpack->xz);
	(void)ZSTD_freeDStream(unpack->zstd);
	return 0;
}

static bool start(struct ntsign_unpack *unpack)
{
	switch (unpack->format) {
	case NTSIGN_UNPACK_GZIP:
		return inflateInit2(&unpack->gzip, GZIP_WINDOW) == Z_OK;
	case NTSIGN_UNPACK_XZ:
		return lzma_stream_decoder(&unpack->xz, XZ_MEMORY,
					   LZMA_CONCATENATED) == LZMA_OK;
	case NTSIGN_UNPACK_ZSTD:
		unpack->zstd = ZSTD_createDStream();
		return unpack->zstd != NULL &&
		       !ZSTD_isError(ZSTD_DCtx_setParameter(
			       unpack->zstd, ZSTD_d_windowLogMax,
			       ZSTD_WINDOW_LOG));
	case NTSIGN_UNPACK_PLAIN:
		break;
	}
	return false;
}

struct ntsign_unpack *ntsign_unpack_new(TALLOC_CTX *mem_ctx,
					enum ntsign_unpack_format format)
{
	const lzma_stream fresh = LZMA_STREAM_INIT;
	struct ntsign_unpack *unpack =
		talloc_zero(mem_ctx, struct ntsign_unpack);

	if (unpack == NULL) {
		return NULL;
	}
	unpack->format = format;
	unpack->between = true;
	unpack->xz = fresh;
	talloc_set_destructor(unpack, unpack_destructor);
	if (!start(unpack)) {
		TALLOC_FREE(unpack);
	}
	return unpack;
}

static enum ntsign_unpack_result fail(struct ntsign_unpack *unpack,
				      const char *why)
{
	unpack->why = why;
	return NTSIGN_UNPACK_DAMAGED;
}

/* The data is used up: whether it may end here. */
static enum ntsign_unpack_result at_end(struct ntsign_unpack *unpack,
					bool last)
{
	if (!last) {
		return NTSIGN_UNPACK_MORE;
	}
	return unpack->between && unpack->seen ? NTSIGN_UNPACK_END :
						 fail(unpack, cut_off);
}

/* ---- gzip ---- */

/* Goes to the next member: past padding. False when the data is used up. */
static bool next_member(struct ntsign_unpack *unpack, const uint8_t **in,
			size_t *in_len)
{
	while (unpack->seen && *in_len > 0 && **in == 0) {
		(*in)++;
		(*in_len)--;
	}
	if (*in_len == 0) {
		return false;
	}
	(void)inflateReset(&unpack->gzip);
	unpack->between = false;
	return true;
}

static enum ntsign_unpack_result run_gzip(struct ntsign_unpack *unpack,
					  const uint8_t **in, size_t *in_len,
					  bool last, char *out,
					  size_t *out_len)
{
	z_stream *z = &unpack->gzip;
	size_t room = *out_len;

	*out_len = 0;
	while (*out_len < room) {
		size_t part = *in_len < INT32_MAX ? *in_len : INT32_MAX;
		size_t space = room - *out_len;
		size_t taken = 0;
		size_t put = 0;
		int ret = Z_OK;

		if (unpack->between) {
			if (!next_member(unpack, in, in_len)) {
				break;
			}
			continue;
		}
		z->next_in = (z_const Bytef *)*in;
		z->avail_in = (uInt)part;
		z->next_out = (Bytef *)(out + *out_len);
		z->avail_out = (uInt)(space < INT32_MAX ? space : INT32_MAX);
		/* what found no room before comes without new data too */
		ret = inflate(z, Z_NO_FLUSH);
		taken = part - z->avail_in;
		put = (size_t)((char *)z->next_out - (out + *out_len));
		*in += taken;
		*in_len -= taken;
		*out_len += put;
		if (ret == Z_STREAM_END) {
			unpack->between = true;
			unpack->seen = true;
		} else if (ret != Z_OK && ret != Z_BUF_ERROR) {
			return fail(unpack, damaged);
		} else if (taken == 0 && put == 0) {
			break;
		}
	}
	return *out_len == room ? NTSIGN_UNPACK_MORE : at_end(unpack, last);
}

/* ---- xz ---- */

static enum ntsign_unpack_result run_xz(struct ntsign_unpack *unpack,
					const uint8_t **in, size_t *in_len,
					bool last, char *out, size_t *out_len)
{
	lzma_stream *xz = &unpack->xz;
	lzma_ret ret = LZMA_OK;

	xz->next_in = *in;
	xz->avail_in = *in_len;
	xz->next_out = (uint8_t *)out;
	xz->avail_out = *out_len;
	ret = lzma_code(xz, last ? LZMA_FINISH : LZMA_RUN);
	*in = xz->next_in;
	*in_len = xz->avail_in;
	*out_len -= xz->avail_out;
	switch (ret) {
	case LZMA_OK:
		return NTSIGN_UNPACK_MORE;
	case LZMA_STREAM_END:
		return NTSIGN_UNPACK_END;
	case LZMA_BUF_ERROR:
		return last ? fail(unpack, cut_off) : NTSIGN_UNPACK_MORE;
	case LZMA_MEMLIMIT_ERROR:
		return fail(unpack, "it needs more than 128 MiB of memory");
	case LZMA_MEM_ERROR:
		return fail(unpack, "there is no memory to unpack it");
	default:
		return fail(unpack, damaged);
	}
}

/* ---- zstd ---- */

static enum ntsign_unpack_result run_zstd(struct ntsign_unpack *unpack,
					  const uint8_t **in, size_t *in_len,
					  bool last, char *out,
					  size_t *out_len)
{
	ZSTD_inBuffer from = { .src = *in, .size = *in_len };
	ZSTD_outBuffer to = { .dst = out, .size = *out_len };
	size_t ret = 0;
	bool wrong = false;

	if (unpack->between && *in_len == 0) {
		*out_len = 0;
		return at_end(unpack, last);
	}
	/* what was decoded and found no room comes without new data too */
	do {
		ret = ZSTD_decompressStream(unpack->zstd, &to, &from);
		wrong = ZSTD_isError(ret) != 0;
		if (!wrong) {
			unpack->between = ret == 0;
			unpack->seen = unpack->seen || ret == 0;
		}
	} while (!wrong && from.pos < from.size && to.pos < to.size);
	*in += from.pos;
	*in_len -= from.pos;
	*out_len = to.pos;
	if (wrong) {
		return fail(unpack, damaged);
	}
	return *in_len > 0 || to.pos == to.size ? NTSIGN_UNPACK_MORE :
						  at_end(unpack, last);
}

enum ntsign_unpack_result ntsign_unpack_run(struct ntsign_unpack *unpack,
					    const uint8_t **in, size_t *in_len,
					    bool last, char *out,
					    size_t *out_len)
{
	switch (unpack->format) {
	case NTSIGN_UNPACK_GZIP:
		return run_gzip(unpack, in, in_len, last, out, out_len);
	case NTSIGN_UNPACK_XZ:
		return run_xz(unpack, in, in_len, last, out, out_len);
	case NTSIGN_UNPACK_ZSTD:
		return run_zstd(unpack, in, in_len, last, out, out_len);
	case NTSIGN_UNPACK_PLAIN:
		break;
	}
	*out_len = 0;
	return fail(unpack, damaged);
}

const char *ntsign_unpack_why(const struct ntsign_unpack *unpack)
{
	return unpack->why;
}
