/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The little of SPNEGO that carries NTLMSSP.
 *
 * Invariant: a reader moves forward only, within the bytes it was given.
 */
#include <string.h>

#include "probe_spnego.h"

#define TAG_OCTETS 0x04
#define TAG_OID 0x06
#define TAG_ENUMERATED 0x0A
#define TAG_SEQUENCE 0x30
#define TAG_APPLICATION 0x60
#define TAG_FIELD(n) (0xA0 + (n))

/* 1.3.6.1.5.5.2 and 1.3.6.1.4.1.311.2.2.10 */
static const uint8_t oid_spnego[] = {
	0x2B, 0x06, 0x01, 0x05, 0x05, 0x02,
};
#define OID_NTLMSSP 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A
static const uint8_t oid_ntlmssp[] = { OID_NTLMSSP };
static const uint8_t mechanisms[] = {
	TAG_SEQUENCE, 2 + sizeof(oid_ntlmssp),
	TAG_OID, sizeof(oid_ntlmssp), OID_NTLMSSP,
};

#define MIC_LEN 16

/* ---- writing ---- */

/* Bytes that a length takes: one, or a count and its bytes. */
static size_t length_size(size_t len)
{
	return len < 0x80 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 : 4;
}

/* Bytes of a whole element with so much in it. */
static size_t element_size(size_t len)
{
	return 1 + length_size(len) + len;
}

static void put_head(struct ntsign_bytes *out, uint8_t tag, size_t len)
{
	size_t size = length_size(len);

	ntsign_bytes_put8(out, tag);
	if (size > 1) {
		ntsign_bytes_put8(out, (uint8_t)(0x80 | (size - 1)));
	}
	if (size > 3) {
		ntsign_bytes_put8(out, (uint8_t)(len >> 16));
	}
	if (size > 2) {
		ntsign_bytes_put8(out, (uint8_t)(len >> 8));
	}
	ntsign_bytes_put8(out, (uint8_t)len);
}

static void put_element(struct ntsign_bytes *out, uint8_t tag,
			const uint8_t *data, size_t len)
{
	put_head(out, tag, len);
	ntsign_bytes_put(out, data, len);
}

void ntsign_spnego_init(struct ntsign_bytes *out, const uint8_t *token,
			size_t len)
{
	size_t octets = element_size(len);
	size_t fields = element_size(sizeof(mechanisms)) +
			element_size(octets);
	size_t choice = element_size(fields);

	put_head(out, TAG_APPLICATION, element_size(sizeof(oid_spnego)) +
				       element_size(choice));
	put_element(out, TAG_OID, oid_spnego, sizeof(oid_spnego));
	put_head(out, TAG_FIELD(0), choice);
	put_head(out, TAG_SEQUENCE, fields);
	put_element(out, TAG_FIELD(0), mechanisms, sizeof(mechanisms));
	put_head(out, TAG_FIELD(2), octets);
	put_element(out, TAG_OCTETS, token, len);
}

void ntsign_spnego_answer(struct ntsign_bytes *out, const uint8_t *token,
			  size_t len, const uint8_t *mic)
{
	size_t octets = element_size(len);
	size_t fields = element_size(octets);

	if (mic != NULL) {
		fields += element_size(element_size(MIC_LEN));
	}
	put_head(out, TAG_FIELD(1), element_size(fields));
	put_head(out, TAG_SEQUENCE, fields);
	put_head(out, TAG_FIELD(2), octets);
	put_element(out, TAG_OCTETS, token, len);
	if (mic != NULL) {
		put_head(out, TAG_FIELD(3), element_size(MIC_LEN));
		put_element(out, TAG_OCTETS, mic, MIC_LEN);
	}
}

const uint8_t *ntsign_spnego_mechanisms(size_t *len)
{
	*len = sizeof(mechanisms);
	return mechanisms;
}

/* ---- reading ---- */

struct range {
	const uint8_t *data;
	size_t len;
};

/* Reads a length; false when it is indefinite, longer than it has to be, or
 * goes over the end. */
static bool read_length(struct range *in, size_t *len)
{
	size_t count = 0;

	if (in->len == 0) {
		return false;
	}
	count = in->data[0];
	in->data++;
	in->len--;
	if (count < 0x80) {
		*len = count;
		return *len <= in->len;
	}
	count &= 0x7F;
	if (count == 0 || count > 3 || count > in->len || in->data[0] == 0) {
		return false;
	}
	*len = 0;
	for (; count > 0; count--) {
		*len = *len << 8 | in->data[0];
		in->data++;
		in->len--;
	}
	return *len >= 0x80 && *len <= in->len;
}

/* Takes the element with that tag off the front; false: it is not there, or
 * not whole. */
static bool take(struct range *in, uint8_t tag, struct range *content)
{
	struct range rest = *in;

	if (rest.len == 0 || rest.data[0] != tag) {
		return false;
	}
	rest.data++;
	rest.len--;
	if (!read_length(&rest, &content->len)) {
		return false;
	}
	content->data = rest.data;
	in->data = rest.data + content->len;
	in->len = rest.len - content->len;
	return true;
}

/* Takes a field that may be missing: [n] with one element in it. *there says
 * whether it was; false: it is there and not as it should be. */
static bool take_field(struct range *in, uint8_t n, uint8_t tag,
		       struct range *content, bool *there)
{
	struct range field = { .len = 0 };

	*there = in->len > 0 && in->data[0] == TAG_FIELD(n);
	if (!*there) {
		return true;
	}
	return take(in, TAG_FIELD(n), &field) && take(&field, tag, content) &&
	       field.len == 0;
}

/* The fields of a NegTokenResp. */
static bool read_fields(struct range *in, struct ntsign_spnego_reply *reply)
{
	struct range value = { .len = 0 };
	bool there = false;

	if (!take_field(in, 0, TAG_ENUMERATED, &value, &there)) {
		return false;
	}
	if (there) {
		if (value.len != 1 ||
		    value.data[0] > NTSIGN_SPNEGO_REQUEST_MIC) {
			return false;
		}
		reply->state = (enum ntsign_spnego_state)value.data[0];
	}
	if (!take_field(in, 1, TAG_OID, &value, &there)) {
		return false;
	}
	reply->other_mechanism =
		there && (value.len != sizeof(oid_ntlmssp) ||
			  memcmp(value.data, oid_ntlmssp, value.len) != 0);
	if (!take_field(in, 2, TAG_OCTETS, &value, &there)) {
		return false;
	}
	if (there) {
		reply->token = value.data;
		reply->token_len = value.len;
	}
	if (!take_field(in, 3, TAG_OCTETS, &value, &there)) {
		return false;
	}
	if (there) {
		reply->mic = value.data;
		reply->mic_len = value.len;
	}
	return in->len == 0;
}

bool ntsign_spnego_parse(const uint8_t *data, size_t len,
			 struct ntsign_spnego_reply *reply)
{
	struct ntsign_spnego_reply r = { .state = NTSIGN_SPNEGO_NONE };
	struct range in = { .data = data, .len = len };
	struct range choice = { .len = 0 };
	struct range fields = { .len = 0 };

	if (!take(&in, TAG_FIELD(1), &choice) || in.len != 0 ||
	    !take(&choice, TAG_SEQUENCE, &fields) || choice.len != 0 ||
	    !read_fields(&fields, &r)) {
		return false;
	}
	*reply = r;
	return true;
}
