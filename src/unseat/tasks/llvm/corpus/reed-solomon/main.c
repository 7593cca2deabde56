/* main.c - driver: published code words, the correction limits of several
 * codes, behaviour beyond them, and burst errors on an interleaved channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include "interleave.h"
#include "rs.h"

#include <stdio.h>
#include <string.h>

static uint32_t state = 1;

static uint32_t rand32(void)		/* Lehmer generator */
{
	state = (uint32_t)((uint64_t)state * 48271u % 2147483647u);
	return state;
}

static int below(int n)
{
	return (int)(rand32() % (uint32_t)n);
}

static void fill(const struct rs_code *c, gf_elem *p, int n)
{
	while (n--)
		*p++ = (gf_elem)((int)(rand32() >> 5) & c->field.order);
}

static void shuffle_positions(int *pos, int n)
{
	int i;

	for (i = 0; i < n; i++)
		pos[i] = i;
	for (i = n - 1; i > 0; i--) {
		int k = below(i + 1), t = pos[i];

		pos[i] = pos[k];
		pos[k] = t;
	}
}

static void print_symbols(const char *label, const gf_elem *p, int n)
{
	printf("%s", label);
	while (n--)
		printf(" %d", *p++);
	printf("\n");
}

/* ---- published code words ---- */

static int known_words(void)
{
	/* RS(15,11) over GF(16), the worked example of many lectures */
	static const gf_elem small[11] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	static const gf_elem small_check[4] = { 3, 3, 12, 12 };
	/* "HELLO WORLD" as a version 1-M QR symbol */
	static const gf_elem qr[16] = { 32, 91, 11, 120, 209, 114, 220, 77, 67,
					64, 236, 17, 236, 17, 236, 17 };
	static const gf_elem qr_check[10] = { 196, 35, 39, 119, 235, 215, 231,
					      226, 93, 23 };
	struct rs_code c;
	gf_elem check[RS_MAX_PARITY];
	int ok;

	if (rs_init(&c, 4, 0x13, 0, 4) != 0)
		return 0;
	print_symbols("generator RS(15,11):", c.generator, 5);
	rs_encode(&c, small, 11, check);
	print_symbols("check symbols:", check, 4);
	ok = memcmp(check, small_check, 4) == 0;
	if (rs_init(&c, 8, 0x11d, 0, 10) != 0)
		return 0;
	rs_encode(&c, qr, 16, check);
	print_symbols("QR check symbols:", check, 10);
	return ok && memcmp(check, qr_check, 10) == 0;
}

/* ---- random trials ---- */

struct trial_sum {
	int status[RS_STATUS_COUNT];
	int right;		/* decoded to what was sent */
	int wrong;		/* claimed success, but another word */
	long changed;
};

static void trial(const struct rs_code *c, int n, int nerr, int nera,
		  struct trial_sum *sum)
{
	gf_elem sent[255], got[255];
	int pos[255], i, good;
	struct rs_report r;

	fill(c, sent, n - c->parity);
	rs_encode(c, sent, n - c->parity, sent + n - c->parity);
	memcpy(got, sent, (size_t)n);
	shuffle_positions(pos, n);
	for (i = 0; i < nera; i++)	/* erased: any value, even the right one */
		got[pos[i]] = (gf_elem)below(c->field.order + 1);
	for (; i < nera + nerr; i++)
		got[pos[i]] ^= (gf_elem)(1 + below(c->field.order));
	r = rs_decode(c, got, n, pos, nera);
	good = r.status <= RS_CORRECTED && memcmp(sent, got, (size_t)n) == 0;
	sum->status[r.status]++;
	sum->right += good;
	sum->wrong += r.status <= RS_CORRECTED && !good;
	sum->changed += r.errors;
}

static void print_sum(int nerr, int nera, const struct trial_sum *t)
{
	int s;

	printf("  %2d errors %2d erasures: right %3d wrong %2d changed %4ld |",
	       nerr, nera, t->right, t->wrong, t->changed);
	for (s = 0; s < RS_STATUS_COUNT; s++)
		if (t->status[s])
			printf(" %s %d", rs_status_name((enum rs_status)s),
			       t->status[s]);
	printf("\n");
}

/* Returns the number of failures inside the guaranteed limits. */
static int test_code(const char *name, const struct rs_code *c, int n, int rounds)
{
	int e, k, failures = 0, half = c->parity / 2;
	int step = half > 4 ? half / 4 : 1;

	printf("%s: length %d, %d check symbols\n", name, n, c->parity);
	for (e = 0; e <= half + 2; e += step) {
		int nera = e <= half ? c->parity - 2 * e : 0;
		struct trial_sum plain = { { 0 }, 0, 0, 0 }, mixed = plain;

		for (k = 0; k < rounds; k++) {
			trial(c, n, e, 0, &plain);
			if (nera)
				trial(c, n, e, nera, &mixed);
		}
		print_sum(e, 0, &plain);
		if (nera)
			print_sum(e, nera, &mixed);
		if (e <= half)
			failures += rounds - plain.right +
				    (nera ? rounds - mixed.right : 0);
	}
	return failures;
}

/* ---- interleaved channel with bursts ---- */

static void burst_channel(const struct rs_code *c, int depth, int burst, int flag)
{
	static gf_elem payload[IL_MAX_BLOCK], back[IL_MAX_BLOCK];
	static gf_elem block[IL_MAX_BLOCK];
	static uint8_t suspect[IL_MAX_BLOCK];
	struct interleaver il = { c, depth, 60 };
	int len = il_block_len(&il), round, i, failed = 0, corrections = 0;
	int intact = 0;

	for (round = 0; round < 20; round++) {
		int start = below(len - burst);

		fill(c, payload, il_payload_len(&il));
		il_encode(&il, payload, block);
		memset(suspect, 0, sizeof suspect);
		for (i = start; i < start + burst; i++) {
			block[i] ^= (gf_elem)(1 + below(255));
			suspect[i] = 1;
		}
		failed += il_decode(&il, block, flag ? suspect : NULL, back,
				    &corrections);
		intact += memcmp(payload, back,
				 (size_t)il_payload_len(&il)) == 0;
	}
	printf("  depth %d burst %3d %s: %2d of 20 intact, %3d words failed, "
	       "%d corrections\n", depth, burst, flag ? "flagged  " : "unflagged",
	       intact, failed, corrections);
}

int main(void)
{
	static struct rs_code nibble, byte, space, broken;
	int bad = 0;

	if (!known_words()) {
		printf("known code words differ\n");
		bad++;
	}
	printf("not primitive: %d, too much parity: %d\n",
	       rs_init(&broken, 8, 0x11b, 0, 8), rs_init(&broken, 4, 0x13, 0, 15));
	if (rs_init(&nibble, 4, 0x19, 1, 6) || rs_init(&byte, 8, 0x11d, 0, 16) ||
	    rs_init(&space, 8, 0x187, 112, 32)) {
		printf("initialisation failed\n");
		return 1;
	}
	bad += test_code("nibble", &nibble, 15, 60);
	bad += test_code("short byte", &byte, 80, 40);
	bad += test_code("long", &space, 255, 25);
	printf("bursts\n");
	burst_channel(&byte, 1, 8, 0);
	burst_channel(&byte, 1, 9, 0);
	burst_channel(&byte, 4, 32, 0);
	burst_channel(&byte, 4, 40, 0);
	burst_channel(&byte, 4, 64, 1);
	burst_channel(&byte, 8, 64, 0);
	burst_channel(&byte, 8, 128, 1);
	burst_channel(&byte, 8, 129, 1);
	printf("%d failures\n", bad);
	return bad != 0;
}
