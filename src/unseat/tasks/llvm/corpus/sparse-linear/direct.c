/* direct.c - sparse Cholesky factors by the elimination tree, and LU factors
 * of a band with row exchanges.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sparse.h"

#include <math.h>
#include <string.h>

/* Parent of each column, with path compression in `ancestor`. */
static void elimination_tree(const Csr *a, int *parent)
{
	size_t mark = pool_mark();
	int *ancestor = pool_ints((size_t)a->rows), i, k;

	for (i = 0; i < a->rows; i++) {
		parent[i] = ancestor[i] = -1;
		for (k = a->start[i]; k < a->start[i + 1] && a->col[k] < i; k++) {
			int j = a->col[k], next;

			for (; j != -1 && j < i; j = next) {
				next = ancestor[j];
				ancestor[j] = i;
				if (next == -1)
					parent[j] = i;
			}
		}
	}
	pool_release(mark);
}

/* Columns of row i of L, in an order that respects the tree; they end up in
 * stack[result ... n-1]. */
static int row_pattern(const Csr *a, const int *parent, int i, int *stack, int *seen)
{
	int n = a->rows, top = n, k;

	seen[i] = i + 1;
	for (k = a->start[i]; k < a->start[i + 1] && a->col[k] < i; k++) {
		int len = 0, j = a->col[k];

		for (; seen[j] != i + 1; j = parent[j]) {
			stack[len++] = j;
			seen[j] = i + 1;
		}
		while (len > 0)		/* len <= top, so nothing is lost */
			stack[--top] = stack[--len];
	}
	return top;
}

FactorStatus cholesky_factor(const Csr *a, Cholesky *f)
{
	int n = a->rows, i, k, t;
	int *stack, *seen, *next;
	double *x;

	f->n = n;
	f->parent = pool_ints((size_t)n);
	f->start = pool_ints((size_t)n + 1);
	stack = pool_ints((size_t)n);
	seen = pool_ints((size_t)n);
	next = pool_ints((size_t)n);
	x = pool_doubles((size_t)n);
	elimination_tree(a, f->parent);
	for (i = 0; i < n; i++) {	/* count */
		f->start[i + 1]++;
		for (t = row_pattern(a, f->parent, i, stack, seen); t < n; t++)
			f->start[stack[t] + 1]++;
	}
	for (i = 0; i < n; i++)
		f->start[i + 1] += f->start[i];
	f->row = pool_ints((size_t)f->start[n]);
	f->val = pool_doubles((size_t)f->start[n]);
	memcpy(next, f->start, (size_t)n * sizeof *next);
	memset(seen, 0, (size_t)n * sizeof *seen);

	for (i = 0; i < n; i++) {	/* solve for one row after the other */
		double d = 0;

		for (k = a->start[i]; k < a->start[i + 1] && a->col[k] <= i; k++)
			x[a->col[k]] = a->val[k];
		d = x[i];
		x[i] = 0;
		for (t = row_pattern(a, f->parent, i, stack, seen); t < n; t++) {
			int j = stack[t];
			double l = x[j] / f->val[f->start[j]];

			x[j] = 0;
			for (k = f->start[j] + 1; k < next[j]; k++)
				x[f->row[k]] -= f->val[k] * l;
			d -= l * l;
			f->row[next[j]] = i;
			f->val[next[j]++] = l;
		}
		if (d <= 0)
			return FACTOR_NOT_POSITIVE;
		f->row[next[i]] = i;
		f->val[next[i]++] = sqrt(d);
	}
	return FACTOR_OK;
}

void cholesky_solve(const Cholesky *f, const double *b, double *x)
{
	int i, k;

	memcpy(x, b, (size_t)f->n * sizeof *x);
	for (i = 0; i < f->n; i++) {
		x[i] /= f->val[f->start[i]];
		for (k = f->start[i] + 1; k < f->start[i + 1]; k++)
			x[f->row[k]] -= f->val[k] * x[i];
	}
	for (i = f->n - 1; i >= 0; i--) {
		for (k = f->start[i] + 1; k < f->start[i + 1]; k++)
			x[i] -= f->val[k] * x[f->row[k]];
		x[i] /= f->val[f->start[i]];
	}
}

/* ---- band ---- */

/* Element (i, j); row i holds columns i - lower ... i + lower + upper. */
static double *band_at(const BandLu *f, int i, int j)
{
	int width = 2 * f->lower + f->upper + 1;

	return &f->band[(size_t)i * (size_t)width + (size_t)(j - i + f->lower)];
}

static int min_int(int a, int b) { return a < b ? a : b; }

static void band_load(const Csr *a, BandLu *f)
{
	int i, k;

	f->n = a->rows;
	f->lower = f->upper = 0;
	for (i = 0; i < a->rows; i++)
		for (k = a->start[i]; k < a->start[i + 1]; k++) {
			int off = a->col[k] - i;

			if (off > f->upper)
				f->upper = off;
			if (-off > f->lower)
				f->lower = -off;
		}
	f->band = pool_doubles((size_t)f->n * (size_t)(2 * f->lower + f->upper + 1));
	f->pivot = pool_ints((size_t)f->n);
	for (i = 0; i < a->rows; i++)
		for (k = a->start[i]; k < a->start[i + 1]; k++)
			*band_at(f, i, a->col[k]) = a->val[k];
}

static void swap_rows(BandLu *f, int p, int q, int from, int to)
{
	int j;

	for (j = from; j <= to; j++) {
		double t = *band_at(f, p, j);

		*band_at(f, p, j) = *band_at(f, q, j);
		*band_at(f, q, j) = t;
	}
}

FactorStatus bandlu_factor(const Csr *a, BandLu *f)
{
	int k, i, j;

	band_load(a, f);
	for (k = 0; k < f->n; k++) {
		int last = min_int(f->n - 1, k + f->lower), best = k;
		int right = min_int(f->n - 1, k + f->lower + f->upper);

		for (i = k + 1; i <= last; i++)
			if (fabs(*band_at(f, i, k)) > fabs(*band_at(f, best, k)))
				best = i;
		if (fabs(*band_at(f, best, k)) < 1e-12)
			return FACTOR_SINGULAR;
		f->pivot[k] = best;
		if (best != k)
			swap_rows(f, k, best, k, right);
		for (i = k + 1; i <= last; i++) {
			double l = *band_at(f, i, k) / *band_at(f, k, k);

			*band_at(f, i, k) = l;
			if (l != 0)
				for (j = k + 1; j <= right; j++)
					*band_at(f, i, j) -= l * *band_at(f, k, j);
		}
	}
	return FACTOR_OK;
}

void bandlu_solve(const BandLu *f, const double *b, double *x)
{
	int k, i, j;

	memcpy(x, b, (size_t)f->n * sizeof *x);
	for (k = 0; k < f->n; k++) {
		double t = x[k];

		x[k] = x[f->pivot[k]];
		x[f->pivot[k]] = t;
		for (i = k + 1; i <= min_int(f->n - 1, k + f->lower); i++)
			x[i] -= *band_at(f, i, k) * x[k];
	}
	for (k = f->n - 1; k >= 0; k--) {
		for (j = k + 1; j <= min_int(f->n - 1, k + f->lower + f->upper); j++)
			x[k] -= *band_at(f, k, j) * x[j];
		x[k] /= *band_at(f, k, k);
	}
}
