/* rs.c - Reed-Solomon codes: systematic encoder, errors-and-erasures decoder.
 *
 * Decoding: syndromes, erasure locator, Berlekamp-Massey started from it,
 * Chien search and Forney's formula. The result is checked once more, for
 * beyond the design distance the decoder may be misled.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rs.h"

#include <string.h>

int rs_init(struct rs_code *c, int m, unsigned poly, int first_root, int parity)
{
	int i, k;

	if (gf_init(&c->field, m, poly) != 0)
		return -1;
	if (parity < 1 || parity > RS_MAX_PARITY || parity >= c->field.order)
		return -1;
	c->parity = parity;
	c->first_root = first_root;
	memset(c->generator, 0, sizeof c->generator);
	c->generator[0] = 1;
	for (i = 0; i < parity; i++) {
		gf_elem root = gf_alpha(&c->field, first_root + i);

		for (k = i + 1; k > 0; k--)
			c->generator[k] ^= gf_mul(&c->field,
						  c->generator[k - 1], root);
	}
	return 0;
}

/* Division by the generator, as a shift register. */
void rs_encode(const struct rs_code *c, const gf_elem *data, int n,
	       gf_elem *check)
{
	int i, k, last = c->parity - 1;

	memset(check, 0, (size_t)c->parity);
	for (i = 0; i < n; i++) {
		gf_elem feedback = data[i] ^ check[0];

		for (k = 0; k < last; k++)
			check[k] = check[k + 1] ^
				   gf_mul(&c->field, feedback,
					  c->generator[k + 1]);
		check[last] = gf_mul(&c->field, feedback, c->generator[last + 1]);
	}
}

/* Returns whether any syndrome differs from zero. */
static int syndromes(const struct rs_code *c, const gf_elem *word, int n,
		     struct poly *s)
{
	gf_elem any = 0;
	int i, k;

	poly_zero(s);
	for (k = 0; k < c->parity; k++) {
		gf_elem x = gf_alpha(&c->field, c->first_root + k), v = 0;

		for (i = 0; i < n; i++)
			v = gf_mul(&c->field, v, x) ^ word[i];
		s->c[k] = v;
		any |= v;
	}
	poly_trim(s, c->parity - 1);
	return any != 0;
}

static void erasure_locator(const struct rs_code *c, int n, const int *erasures,
			    int nerasures, struct poly *loc)
{
	int i;

	poly_one(loc);
	for (i = 0; i < nerasures; i++)
		poly_mul_linear(&c->field, loc,
				gf_alpha(&c->field, n - 1 - erasures[i]));
}

static gf_elem discrepancy(const struct gf *f, const struct poly *loc,
			   const struct poly *s, int r)
{
	gf_elem d = 0;
	int i;

	for (i = 0; i <= loc->deg && i <= r; i++)
		d ^= gf_mul(f, loc->c[i], s->c[r - i]);
	return d;
}

/* old <- old * x */
static void shift_up(struct poly *p)
{
	memmove(p->c + 1, p->c, POLY_MAX - 1);
	p->c[0] = 0;
	p->deg++;
}

static void add_scaled(const struct gf *f, struct poly *p, const struct poly *q,
		       gf_elem a)
{
	int i, bound = p->deg > q->deg ? p->deg : q->deg;

	for (i = 0; i <= q->deg; i++)
		p->c[i] ^= gf_mul(f, q->c[i], a);
	poly_trim(p, bound);
}

static void scale(const struct gf *f, struct poly *p, gf_elem a)
{
	int i;

	for (i = 0; i <= p->deg; i++)
		p->c[i] = gf_mul(f, p->c[i], a);
}

/* Berlekamp-Massey; loc comes in as the erasure locator. */
static void find_locator(const struct rs_code *c, const struct poly *s,
			 int nerasures, struct poly *loc)
{
	const struct gf *f = &c->field;
	struct poly old = *loc, tmp;
	int r, length = nerasures;

	for (r = nerasures; r < c->parity; r++) {
		gf_elem d = discrepancy(f, loc, s, r);

		shift_up(&old);
		if (d == 0)
			continue;
		if (2 * length > r + nerasures) {
			add_scaled(f, loc, &old, d);
			continue;
		}
		tmp = *loc;
		add_scaled(f, loc, &old, d);
		old = tmp;
		scale(f, &old, gf_inverse(f, d));
		length = r + 1 + nerasures - length;
	}
}

/* All i with loc(alpha^-i) = 0; the exponent i is a position from the end. */
static int chien_search(const struct gf *f, const struct poly *loc, int *roots)
{
	int i, n = 0;

	for (i = 0; i < f->order && n <= loc->deg; i++)
		if (poly_eval(f, loc, gf_alpha(f, -i)) == 0)
			roots[n++] = i;
	return n;
}

/* Error value at position i, from omega and the derivative of the locator. */
static gf_elem forney(const struct rs_code *c, const struct poly *omega,
		      const struct poly *slope, int i)
{
	const struct gf *f = &c->field;
	gf_elem x = gf_alpha(f, -i);
	gf_elem den = poly_eval(f, slope, x);
	gf_elem num = gf_mul(f, poly_eval(f, omega, x),
			     gf_alpha(f, i * (1 - c->first_root)));

	return den ? gf_div(f, num, den) : 0;
}

struct rs_report rs_decode(const struct rs_code *c, gf_elem *word, int n,
			   const int *erasures, int nerasures)
{
	struct rs_report rep = { RS_CLEAN, 0, { 0 } };
	struct poly s, loc, omega, slope;
	int roots[POLY_MAX], i, nroots;

	if (!syndromes(c, word, n, &s))
		return rep;
	if (nerasures > c->parity) {
		rep.status = RS_TOO_MANY_ERASURES;
		return rep;
	}
	erasure_locator(c, n, erasures, nerasures, &loc);
	find_locator(c, &s, nerasures, &loc);
	nroots = chien_search(&c->field, &loc, roots);
	if (nroots != loc.deg || nroots > c->parity || nroots == 0) {
		rep.status = RS_BAD_LOCATOR;
		return rep;
	}
	for (i = 0; i < nroots; i++)
		if (roots[i] >= n) {
			rep.status = RS_OUT_OF_RANGE;
			return rep;
		}
	poly_mul_mod(&c->field, &s, &loc, c->parity, &omega);
	poly_derive(&loc, &slope);
	for (i = nroots - 1; i >= 0; i--) {
		gf_elem e = forney(c, &omega, &slope, roots[i]);

		if (e == 0)
			continue;	/* an erasure that was right */
		word[n - 1 - roots[i]] ^= e;
		rep.at[rep.errors++] = n - 1 - roots[i];
	}
	rep.status = syndromes(c, word, n, &s) ? RS_STILL_WRONG : RS_CORRECTED;
	return rep;
}

const char *rs_status_name(enum rs_status s)
{
	static const char *const names[RS_STATUS_COUNT] = {
		[RS_CLEAN] = "clean",
		[RS_CORRECTED] = "corrected",
		[RS_TOO_MANY_ERASURES] = "too many erasures",
		[RS_BAD_LOCATOR] = "bad locator",
		[RS_OUT_OF_RANGE] = "out of range",
		[RS_STILL_WRONG] = "still wrong",
	};

	return names[s];
}
