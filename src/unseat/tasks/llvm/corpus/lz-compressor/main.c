/*
 * main.c - driver: every codec and level over standard input and generated
 * data, with round-trip checks, size limits and corrupted streams.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DATA 60000
#define MAX_PACKED (MAX_DATA * 2 + 64)

static uint8_t data[MAX_DATA], packed[MAX_PACKED], restored[MAX_DATA];
static uint64_t seed = 88172645463325252u;

static uint32_t next_random(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33);
}

static const struct lz_codec *const codecs[] = {
	&lz_bytewise_codec, &lz_flags_codec, &lz_welch_codec,
};
enum { NCODECS = sizeof codecs / sizeof codecs[0] };

static uint32_t fnv1a(const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261u;

	while (n--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

/* A random sentence from a little recursive grammar. */
static size_t sentence(uint8_t *p, size_t room, int depth)
{
	static const char *const noun[] = { "window", "match", "dictionary", "code" };
	static const char *const verb[] = { " finds ", " copies ", " extends " };
	size_t n = 0;
	const char *s = noun[next_random() % 4];

	if (room < 64)
		return 0;
	memcpy(p, s, strlen(s));
	n += strlen(s);
	s = verb[next_random() % 3];
	memcpy(p + n, s, strlen(s));
	n += strlen(s);
	if (depth > 0 && next_random() % 3)
		return n + sentence(p + n, room - n, depth - 1);
	memcpy(p + n, "nothing.\n", 9);
	return n + 9;
}

static size_t make_prose(void)
{
	size_t n = 0, k;

	while ((k = sentence(data + n, MAX_DATA - n, 5)) > 0)
		n += k;
	return n;
}

static size_t make_records(void)
{
	size_t n = 0;
	uint32_t id = 1000, val = 5;

	while (n + 16 <= MAX_DATA) {
		memcpy(data + n, "rec\0", 4);
		id += 1 + next_random() % 3;
		val ^= 1u << next_random() % 6;
		data[n + 4] = (uint8_t)id;
		data[n + 5] = (uint8_t)(id >> 8);
		memset(data + n + 6, (int)(val & 63), 9);
		data[n + 15] = '|';
		n += 16;
	}
	return n;
}

static size_t make_noise(void)
{
	size_t n;

	for (n = 0; n < 20000; n++)
		data[n] = (uint8_t)(next_random() >> 7);
	return n;
}

static size_t make_zeros(void)
{
	memset(data, 0, MAX_DATA);
	return MAX_DATA;
}

static size_t read_stdin(void)
{
	return fread(data, 1, MAX_DATA, stdin);
}

static const struct {
	const char *name;
	size_t (*make)(void);
} inputs[] = {
	{ "stdin", read_stdin },   { "prose", make_prose },
	{ "records", make_records }, { "noise", make_noise },
	{ "zeros", make_zeros },
};

static struct lz_span span(const uint8_t *p, size_t n)
{
	struct lz_span s = { p, p + n };
	return s;
}

static struct lz_sink sink(uint8_t *p, size_t n)
{
	struct lz_sink s = { p, p, p + n };
	return s;
}

static int try_codec(const struct lz_codec *c, int level, size_t n)
{
	lz_result len = c->compress(span(data, n), sink(packed, MAX_PACKED), level);
	lz_result back;

	if (len < 0) {
		printf("  %-8s level %d: compress: %s\n", c->name, level,
		       lz_strerror(len));
		return 1;
	}
	back = c->expand(span(packed, (size_t)len), sink(restored, MAX_DATA));
	if (back != (lz_result)n || (n && memcmp(data, restored, n))) {
		printf("  %-8s level %d: expand: %s\n", c->name, level,
		       lz_strerror(back));
		return 1;
	}
	printf("  %-8s level %d: %6ld bytes, hash %08lx\n", c->name, level,
	       (long)len, (unsigned long)fnv1a(packed, (size_t)len));
	return 0;
}

/* A sink that is one byte too small must be refused, never overrun. */
static int try_limits(const struct lz_codec *c, size_t n)
{
	lz_result len = c->compress(span(data, n), sink(packed, MAX_PACKED), 0);
	lz_result a, b, d;

	b = c->expand(span(packed, (size_t)len), sink(restored, n - 1));
	a = c->compress(span(data, n), sink(packed, (size_t)len - 1), 0);
	d = c->compress(span(data, n), sink(packed, (size_t)len), 0);
	printf("limits %-8s: %s / %s / %s\n", c->name, lz_strerror(a),
	       lz_strerror(b), lz_strerror(d));
	return a != LZ_E_SPACE || b != LZ_E_SPACE || d != len;
}

static void try_damage(const struct lz_codec *c, size_t n)
{
	unsigned tally[5] = { 0 };
	lz_result len = c->compress(span(data, n), sink(packed, MAX_PACKED), 0);
	int i;

	for (i = 0; i < 250; i++) {
		size_t at = next_random() % (size_t)len;
		uint8_t old = packed[at];
		lz_result r;

		packed[at] ^= (uint8_t)(1 + next_random() % 255);
		r = c->expand(span(packed, (size_t)len), sink(restored, n));
		tally[r < 0 ? -r : 0]++;
		packed[at] = old;
	}
	printf("damage %-8s: %u pass, %u space, %u input, %u offset, %u code\n",
	       c->name, tally[0], tally[1], tally[2], tally[3], tally[4]);
}

int main(void)
{
	int failures = 0;
	size_t i, k, n;

	for (i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
		n = inputs[i].make();
		printf("%s: %lu bytes\n", inputs[i].name, (unsigned long)n);
		for (k = 0; k < NCODECS; k++)
			for (int lv = 0; lv <= codecs[k]->max_level; lv++)
				failures += try_codec(codecs[k], lv, n);
	}
	n = make_records() / 20;
	for (k = 0; k < NCODECS; k++) {
		failures += try_limits(codecs[k], n);
		failures += try_codec(codecs[k], 0, 0);	/* empty input */
	}
	for (k = 0; k < NCODECS; k++)
		try_damage(codecs[k], n);
	printf("%d failures\n", failures);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
