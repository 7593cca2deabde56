/* gf.c - finite fields GF(2^m), m <= 8, and polynomials over them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gf.h"

#include <string.h>

int gf_init(struct gf *f, int m, unsigned poly)
{
	unsigned x = 1;
	int i;

	f->m = m;
	f->order = (1 << m) - 1;
	memset(f->log, 0, sizeof f->log);
	for (i = 0; i < f->order; i++) {
		if (i > 0 && x == 1)
			return -1;	/* came round too early */
		f->exp[i] = f->exp[i + f->order] = (gf_elem)x;
		f->log[x] = (uint8_t)i;
		x <<= 1;
		if (x >> m)
			x ^= poly;
	}
	return x == 1 ? 0 : -1;
}

gf_elem gf_alpha(const struct gf *f, int power)
{
	power %= f->order;
	if (power < 0)
		power += f->order;
	return f->exp[power];
}

gf_elem gf_inverse(const struct gf *f, gf_elem a)
{
	return f->exp[f->order - f->log[a]];
}

void poly_zero(struct poly *p)
{
	p->deg = -1;
	memset(p->c, 0, sizeof p->c);
}

void poly_one(struct poly *p)
{
	poly_zero(p);
	p->c[0] = 1;
	p->deg = 0;
}

void poly_trim(struct poly *p, int bound)
{
	p->deg = bound;
	while (p->deg >= 0 && p->c[p->deg] == 0)
		p->deg--;
}

void poly_mul_linear(const struct gf *f, struct poly *p, gf_elem a)
{
	int i;

	for (i = p->deg + 1; i > 0; i--)
		p->c[i] ^= gf_mul(f, p->c[i - 1], a);
	poly_trim(p, p->deg + 1);
}

/* The product modulo x^terms. */
void poly_mul_mod(const struct gf *f, const struct poly *a,
		  const struct poly *b, int terms, struct poly *out)
{
	int i, j;

	poly_zero(out);
	for (i = 0; i <= a->deg && i < terms; i++) {
		if (a->c[i] == 0)
			continue;
		for (j = 0; j <= b->deg && i + j < terms; j++)
			out->c[i + j] ^= gf_mul(f, a->c[i], b->c[j]);
	}
	poly_trim(out, terms - 1);
}

/* In characteristic two only the odd powers survive. */
void poly_derive(const struct poly *p, struct poly *out)
{
	int i;

	poly_zero(out);
	for (i = 1; i <= p->deg; i += 2)
		out->c[i - 1] = p->c[i];
	poly_trim(out, p->deg > 0 ? p->deg - 1 : 0);
}

gf_elem poly_eval(const struct gf *f, const struct poly *p, gf_elem x)
{
	gf_elem v = 0;
	int i;

	for (i = p->deg; i >= 0; i--)
		v = gf_mul(f, v, x) ^ p->c[i];
	return v;
}
