/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * simdjson behind an interface for C: the only C++ there is.
 *
 * Invariant: no exception is thrown and none is passed through; memory is
 * taken when a reader is made, and for objects of very many names.
 */
#include "json.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include <simdjson.h>

static_assert(NTSIGN_JSON_PADDING >= simdjson::SIMDJSON_PADDING,
	      "simdjson reads as far behind a line as is promised");

namespace dom = simdjson::dom;

/* Names with a number, found by a hash of their length and two letters. */
#define BUCKETS 256
/* Objects of more names are looked through with a hash table. */
#define FEW_NAMES 24
#define FIELDS_MAX 64
/* What two times eight letters make out. */
#define NAME_MAX_LEN 16

/* A short name's length and letters, to be compared at once. */
struct head {
	uint64_t first, last;	/* eight letters each, which may overlap */
	size_t len;
};

struct ntsign_json {
	dom::parser parser;
	dom::element root, body;
	bool has_body;
	size_t longest;
	const char *const *names;
	size_t count;
	struct head heads[FIELDS_MAX];
	uint8_t buckets[BUCKETS];	/* a number from 1, 0: none */
	/* fields of the object that was walked through last of those in the
	 * outermost one: mostly the record, the only one there is */
	std::string_view walked;	/* its name */
	uint64_t present;
	dom::element fields[FIELDS_MAX];
};

/* Behind simdjson's texts there is room enough to read eight letters. */
static struct head head_of(const char *name, size_t len)
{
	struct head head = { 0, 0, len };

	if (len >= sizeof(head.first)) {
		memcpy(&head.first, name, sizeof(head.first));
		memcpy(&head.last, name + len - sizeof(head.last),
		       sizeof(head.last));
	} else {
		memcpy(&head.first, name, sizeof(head.first));
		head.first &= (UINT64_C(1) << 8 * len) - 1;
	}
	return head;
}

static unsigned int bucket_of(const char *name, size_t len)
{
	unsigned int first = static_cast<unsigned char>(name[0]);
	unsigned int last = static_cast<unsigned char>(name[len - 1]);

	return (static_cast<unsigned int>(len) * 37 + first * 5 + last * 11) %
	       BUCKETS;
}

/* The number of a name from 1; 0: it has none. */
static inline unsigned int number_of(const struct ntsign_json *json,
				     std::string_view name)
{
	unsigned int bucket = 0;
	struct head head;

	if (name.size() == 0 || name.size() > NAME_MAX_LEN) {
		return 0;
	}
	head = head_of(name.data(), name.size());
	bucket = bucket_of(name.data(), name.size());
	for (; json->buckets[bucket] != 0; bucket = (bucket + 1) % BUCKETS) {
		unsigned int number = json->buckets[bucket];
		const struct head *known = &json->heads[number - 1];

		if (known->len == head.len && known->first == head.first &&
		    known->last == head.last) {
			return number;
		}
	}
	return 0;
}

static void add_name(struct ntsign_json *json, size_t place)
{
	const char *name = json->names[place];
	size_t len = strlen(name);
	unsigned int bucket = bucket_of(name, len);
	char copy[NAME_MAX_LEN + sizeof(uint64_t)] = "";

	memcpy(copy, name, len);
	while (json->buckets[bucket] != 0) {
		bucket = (bucket + 1) % BUCKETS;
	}
	json->buckets[bucket] = static_cast<uint8_t>(place + 1);
	json->heads[place] = head_of(copy, len);
}

struct ntsign_json *ntsign_json_new(size_t longest, const char *const *names,
				    size_t count)
{
	struct ntsign_json *json = NULL;
	size_t i;

	if (count > FIELDS_MAX) {
		return NULL;
	}
	json = new (std::nothrow) ntsign_json();
	if (json == NULL) {
		return NULL;
	}
	if (json->parser.allocate(longest, NTSIGN_JSON_DEPTH) !=
		    simdjson::SUCCESS ||
	    json->parser.doc.allocate(longest) != simdjson::SUCCESS) {
		delete json;
		return NULL;
	}
	json->longest = longest;
	json->names = names;
	json->count = count;
	for (i = 0; i < count; i++) {
		if (strlen(names[i]) > NAME_MAX_LEN) {
			delete json;
			return NULL;
		}
		add_name(json, i);
	}
	return json;
}

void ntsign_json_free(struct ntsign_json *json)
{
	delete json;
}

/* ---- names that are there twice ---- */

/* One object's names, for as long as it is walked through. */
struct name_set {
	uint64_t numbers;		/* of names that have one */
	size_t count;			/* of the others */
	struct ntsign_slice few[FEW_NAMES];	/* filled up to count */
	std::string_view *many;		/* a hash table, NULL while there are
					 * few */
	size_t size;
};

static bool many_add(struct name_set *set, std::string_view name)
{
	struct ntsign_slice slice = { name.data(), name.size() };
	size_t slot = ntsign_slice_hash(slice, ntsign_hash_seed()) &
		      (set->size - 1);

	while (set->many[slot].data() != NULL) {
		if (set->many[slot] == name) {
			return false;
		}
		slot = (slot + 1) & (set->size - 1);
	}
	set->many[slot] = name;
	return true;
}

/* From few names to many: all that an object has fit. */
static bool many_start(struct name_set *set, size_t names)
{
	size_t i;

	set->size = 64;
	while (set->size < 2 * names) {
		set->size *= 2;
	}
	set->many = new (std::nothrow) std::string_view[set->size];
	if (set->many == NULL) {
		return false;
	}
	for (i = 0; i < FEW_NAMES; i++) {
		(void)many_add(set, std::string_view(set->few[i].text,
						     set->few[i].len));
	}
	return true;
}

/* False where the name is there already. */
static bool set_add(struct name_set *set, std::string_view name, size_t names,
		    const char **why)
{
	size_t i;

	*why = "a name is twice in an object";
	if (set->many != NULL) {
		return many_add(set, name);
	}
	for (i = 0; i < set->count; i++) {
		if (set->few[i].len == name.size() &&
		    memcmp(set->few[i].text, name.data(), name.size()) == 0) {
			return false;
		}
	}
	if (set->count < FEW_NAMES) {
		set->few[set->count].text = name.data();
		set->few[set->count++].len = name.size();
		return true;
	}
	if (!many_start(set, names)) {
		*why = "no memory for its names";
		return false;
	}
	return many_add(set, name);
}

/* What a walk looks for. */
struct walk {
	struct ntsign_json *json;
	bool escapes;		/* texts may have NUL characters */
	const char *why;	/* NULL: nothing is wrong */
};

static void walk_value(struct walk *walk, dom::element value,
		       std::string_view name, unsigned int depth);

static void walk_text(struct walk *walk, std::string_view text)
{
	if (walk->escapes &&
	    memchr(text.data(), '\0', text.size()) != NULL) {
		walk->why = "a text has a NUL character in it";
	}
}

static void walk_object(struct walk *walk, dom::object object,
			std::string_view own_name, unsigned int depth)
{
	struct ntsign_json *json = walk->json;
	struct name_set set;
	size_t names = object.size();

	set.numbers = 0;
	set.count = 0;
	set.many = NULL;
	if (depth == 1) {
		json->walked = own_name;
		json->present = 0;
	}
	for (dom::object::iterator i = object.begin();
	     i != object.end() && walk->why == NULL; ++i) {
		std::string_view name = i.key();
		dom::element value = i.value();
		unsigned int number = number_of(json, name);
		const char *why = NULL;

		walk_text(walk, name);
		if (number != 0) {
			uint64_t bit = UINT64_C(1) << (number - 1);

			if (set.numbers & bit) {
				walk->why = "a name is twice in an object";
				break;
			}
			set.numbers |= bit;
			if (depth == 1) {
				json->fields[number - 1] = value;
			}
		} else if (!set_add(&set, name, names, &why)) {
			walk->why = why;
			break;
		}
		walk_value(walk, value, name, depth + 1);
	}
	if (depth == 1) {
		json->present = set.numbers;
	}
	delete[] set.many;
}

static void walk_value(struct walk *walk, dom::element value,
		       std::string_view name, unsigned int depth)
{
	dom::object object;
	dom::array list;
	std::string_view text;

	switch (value.type()) {
	case dom::element_type::OBJECT:
		if (value.get_object().get(object) == simdjson::SUCCESS) {
			walk_object(walk, object, name, depth);
		}
		break;
	case dom::element_type::ARRAY:
		if (value.get_array().get(list) != simdjson::SUCCESS) {
			break;
		}
		for (dom::element element : list) {
			walk_value(walk, element, name, depth + 1);
			if (walk->why != NULL) {
				break;
			}
		}
		break;
	case dom::element_type::STRING:
		if (walk->escapes &&
		    value.get_string().get(text) == simdjson::SUCCESS) {
			walk_text(walk, text);
		}
		break;
	default:
		break;
	}
}

const char *ntsign_json_parse(struct ntsign_json *json, const char *text,
			      size_t len)
{
	struct walk walk = { json, false, NULL };
	simdjson::error_code error = simdjson::SUCCESS;

	json->has_body = false;
	json->walked = std::string_view();
	json->present = 0;
	if (len == 0) {
		return "it is empty";
	}
	if (len > json->longest) {
		return "it is too long";
	}
	error = json->parser.parse(text, len, false).get(json->root);
	if (error != simdjson::SUCCESS) {
		return simdjson::error_message(error);
	}
	walk.escapes = memchr(text, '\\', len) != NULL;
	walk_value(&walk, json->root, std::string_view(), 0);
	return walk.why;
}

/* ---- reading ---- */

static bool text_of(dom::element element, struct ntsign_slice *value)
{
	std::string_view text;

	if (element.get_string().get(text) != simdjson::SUCCESS) {
		return false;
	}
	value->text = text.data();
	value->len = text.size();
	return true;
}

static bool find_in(dom::element outer, const char *name, size_t len,
		    dom::element *value)
{
	dom::object object;

	if (outer.get_object().get(object) != simdjson::SUCCESS) {
		return false;
	}
	return object.at_key(std::string_view(name, len)).get(*value) ==
	       simdjson::SUCCESS;
}

static bool find(const struct ntsign_json *json, const char *object,
		 const char *name, dom::element *value)
{
	dom::element outer = json->body;

	if (!json->has_body) {
		return false;
	}
	if (object != NULL &&
	    !find_in(json->body, object, strlen(object), &outer)) {
		return false;
	}
	return find_in(outer, name, strlen(name), value);
}

bool ntsign_json_is_object(const struct ntsign_json *json)
{
	return json->root.is_object();
}

bool ntsign_json_outer(const struct ntsign_json *json, const char *name,
		       struct ntsign_slice *value)
{
	dom::element element;

	return find_in(json->root, name, strlen(name), &element) &&
	       text_of(element, value);
}

bool ntsign_json_enter(struct ntsign_json *json, struct ntsign_slice name)
{
	struct walk walk = { json, false, NULL };
	dom::object object;

	if (!find_in(json->root, name.text, name.len, &json->body) ||
	    json->body.get_object().get(object) != simdjson::SUCCESS) {
		return false;
	}
	json->has_body = true;
	if (json->walked != std::string_view(name.text, name.len)) {
		walk_object(&walk, object, std::string_view(), 1);
	}
	return true;
}

bool ntsign_json_text(const struct ntsign_json *json, size_t field,
		      struct ntsign_slice *value)
{
	return (json->present & UINT64_C(1) << field) &&
	       text_of(json->fields[field], value);
}

bool ntsign_json_bool(const struct ntsign_json *json, size_t field,
		      bool *value)
{
	return (json->present & UINT64_C(1) << field) &&
	       json->fields[field].get_bool().get(*value) ==
		       simdjson::SUCCESS;
}

bool ntsign_json_party(const struct ntsign_json *json, size_t field,
		       bool *patched, struct ntsign_slice *signing)
{
	dom::object object;
	bool has_patched = false;
	bool has_signing = false;

	if (!(json->present & UINT64_C(1) << field) ||
	    json->fields[field].get_object().get(object) !=
		    simdjson::SUCCESS) {
		return false;
	}
	for (dom::object::iterator i = object.begin(); i != object.end();
	     ++i) {
		std::string_view name = i.key();

		if (name == "patched") {
			has_patched = i.value().get_bool().get(*patched) ==
				      simdjson::SUCCESS;
		} else if (name == "signing") {
			has_signing = text_of(i.value(), signing);
		}
	}
	return has_patched && has_signing;
}

bool ntsign_json_find_text(const struct ntsign_json *json, const char *object,
			   const char *name, struct ntsign_slice *value)
{
	dom::element element;

	return find(json, object, name, &element) && text_of(element, value);
}

bool ntsign_json_find_bool(const struct ntsign_json *json, const char *object,
			   const char *name, bool *value)
{
	dom::element element;

	return find(json, object, name, &element) &&
	       element.get_bool().get(*value) == simdjson::SUCCESS;
}

bool ntsign_json_find_int(const struct ntsign_json *json, const char *object,
			  const char *name, int64_t *value)
{
	dom::element element;

	return find(json, object, name, &element) &&
	       element.get_int64().get(*value) == simdjson::SUCCESS;
}

bool ntsign_json_has(const struct ntsign_json *json, const char *object,
		     const char *name)
{
	dom::element element;

	return find(json, object, name, &element);
}

static bool find_list(const struct ntsign_json *json, const char *name,
		      dom::array *list)
{
	dom::element element;

	return find(json, NULL, name, &element) &&
	       element.get_array().get(*list) == simdjson::SUCCESS;
}

size_t ntsign_json_list_count(const struct ntsign_json *json,
			      const char *name)
{
	dom::array list;

	return find_list(json, name, &list) ? list.size() : 0;
}

bool ntsign_json_list_text(const struct ntsign_json *json, const char *name,
			   size_t place, struct ntsign_slice *value)
{
	dom::array list;
	dom::element element;

	return find_list(json, name, &list) &&
	       list.at(place).get(element) == simdjson::SUCCESS &&
	       text_of(element, value);
}
