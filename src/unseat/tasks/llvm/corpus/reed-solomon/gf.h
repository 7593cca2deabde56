/* gf.h - finite fields GF(2^m), m <= 8, and polynomials over them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GF_H
#define GF_H

#include <stdint.h>

typedef uint8_t gf_elem;

struct gf {
	int m;			/* bits of an element */
	int order;		/* 2^m - 1, the size of the multiplicative group */
	gf_elem exp[2 * 255];	/* doubled, so that a product needs no modulo */
	uint8_t log[256];
};

/* Builds the tables; returns -1 when the polynomial is not primitive. */
int gf_init(struct gf *f, int m, unsigned poly);

static inline gf_elem gf_mul(const struct gf *f, gf_elem a, gf_elem b)
{
	return a && b ? f->exp[f->log[a] + f->log[b]] : 0;
}

static inline gf_elem gf_div(const struct gf *f, gf_elem a, gf_elem b)
{
	return a ? f->exp[f->log[a] + f->order - f->log[b]] : 0;
}

gf_elem gf_alpha(const struct gf *f, int power);	/* any sign of power */
gf_elem gf_inverse(const struct gf *f, gf_elem a);

/* A polynomial; c[i] belongs to x^i. */
#define POLY_MAX 256

struct poly {
	int deg;		/* -1 for zero */
	gf_elem c[POLY_MAX];
};

void poly_zero(struct poly *p);
void poly_one(struct poly *p);
void poly_trim(struct poly *p, int bound);
void poly_mul_linear(const struct gf *f, struct poly *p, gf_elem a); /* 1 - ax */
void poly_mul_mod(const struct gf *f, const struct poly *a,
		  const struct poly *b, int terms, struct poly *out);
void poly_derive(const struct poly *p, struct poly *out);
gf_elem poly_eval(const struct gf *f, const struct poly *p, gf_elem x);

#endif
