/* matrix.c - the pool, compressed row matrices and an ordering.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sparse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BYTES (3u << 20)

static union {
	double align;
	unsigned char bytes[POOL_BYTES];
} pool;
static size_t pool_used, pool_high;

static void *pool_take(size_t bytes)
{
	void *p = pool.bytes + pool_used;

	bytes = (bytes + 7) & ~(size_t)7;
	if (bytes > POOL_BYTES - pool_used) {
		fprintf(stderr, "pool is empty\n");
		exit(1);
	}
	memset(p, 0, bytes);
	pool_used += bytes;
	if (pool_used > pool_high)
		pool_high = pool_used;
	return p;
}

size_t pool_mark(void) { return pool_used; }
void pool_release(size_t mark) { pool_used = mark; }
size_t pool_peak(void) { return pool_high; }
double *pool_doubles(size_t n) { return pool_take(n * sizeof(double)); }
int *pool_ints(size_t n) { return pool_take(n * sizeof(int)); }

/* ---- building ---- */

static Csr csr_new(int rows, int cols, int nnz)
{
	Csr a = { rows, cols, nnz, pool_ints((size_t)rows + 1),
		  pool_ints((size_t)nnz), pool_doubles((size_t)nnz) };
	return a;
}

Triplets triplets_new(int rows, int cols, int cap)
{
	Triplets t = { 0, cap, rows, cols, pool_ints((size_t)cap),
		       pool_ints((size_t)cap), pool_doubles((size_t)cap) };
	return t;
}

int triplets_add(Triplets *t, int i, int j, double v)
{
	if (t->n == t->cap || i < 0 || j < 0 || i >= t->rows || j >= t->cols)
		return -1;
	t->i[t->n] = i;
	t->j[t->n] = j;
	t->v[t->n++] = v;
	return 0;
}

/* Turn counts, stored one place up, into offsets. */
static void prefix_sum(int *start, int n)
{
	int i;

	for (i = 0; i < n; i++)
		start[i + 1] += start[i];
}

/* Transposing sorts: the rows of the result come out in order. */
Csr csr_transpose(const Csr *a)
{
	Csr t = csr_new(a->cols, a->rows, a->nnz);
	int i, k, *next;

	for (k = 0; k < a->nnz; k++)
		t.start[a->col[k] + 1]++;
	prefix_sum(t.start, t.rows);
	next = pool_ints((size_t)t.rows);
	memcpy(next, t.start, (size_t)t.rows * sizeof *next);
	for (i = 0; i < a->rows; i++)
		for (k = a->start[i]; k < a->start[i + 1]; k++) {
			int to = next[a->col[k]]++;

			t.col[to] = i;
			t.val[to] = a->val[k];
		}
	return t;
}

static Csr sort_rows(const Csr *a)
{
	Csr t = csr_transpose(a);

	return csr_transpose(&t);
}

static void sum_duplicates(Csr *a)
{
	int i, k, to = 0, begin = 0;

	for (i = 0; i < a->rows; i++) {
		int end = a->start[i + 1], first = to;

		for (k = begin; k < end; k++) {
			if (to > first && a->col[to - 1] == a->col[k]) {
				a->val[to - 1] += a->val[k];
			} else {
				a->col[to] = a->col[k];
				a->val[to++] = a->val[k];
			}
		}
		begin = end;
		a->start[i + 1] = to;
	}
	a->nnz = to;
}

Csr csr_from_triplets(const Triplets *t)
{
	Csr a = csr_new(t->rows, t->cols, t->n);
	int k, *next = pool_ints((size_t)t->rows);

	for (k = 0; k < t->n; k++)
		a.start[t->i[k] + 1]++;
	prefix_sum(a.start, a.rows);
	memcpy(next, a.start, (size_t)t->rows * sizeof *next);
	for (k = 0; k < t->n; k++) {
		int to = next[t->i[k]]++;

		a.col[to] = t->j[k];
		a.val[to] = t->v[k];
	}
	a = sort_rows(&a);
	sum_duplicates(&a);
	return a;
}

/* Row by row, with a dense accumulator that remembers its row. */
Csr csr_multiply(const Csr *a, const Csr *b)
{
	int i, k, m, pass, nnz = 0, *mark = pool_ints((size_t)b->cols);
	double *acc = pool_doubles((size_t)b->cols);
	Csr c = { 0 };

	for (pass = 0; pass < 2; pass++) {
		if (pass)
			c = csr_new(a->rows, b->cols, nnz);
		memset(mark, 0, (size_t)b->cols * sizeof *mark);
		for (i = 0, nnz = 0; i < a->rows; i++) {
			int first = nnz;

			for (k = a->start[i]; k < a->start[i + 1]; k++) {
				int r = a->col[k];

				for (m = b->start[r]; m < b->start[r + 1]; m++) {
					int j = b->col[m];

					if (mark[j] != i + 1) {
						mark[j] = i + 1;
						acc[j] = 0;
						if (pass)
							c.col[nnz] = j;
						nnz++;
					}
					acc[j] += a->val[k] * b->val[m];
				}
			}
			if (!pass)
				continue;
			c.start[i + 1] = nnz;
			for (k = first; k < nnz; k++)
				c.val[k] = acc[c.col[k]];
		}
	}
	return sort_rows(&c);
}

Csr csr_permute(const Csr *a, const int *perm)
{
	int i, k, *inverse = pool_ints((size_t)a->rows);
	Triplets t = triplets_new(a->rows, a->cols, a->nnz);

	for (i = 0; i < a->rows; i++)
		inverse[perm[i]] = i;
	for (i = 0; i < a->rows; i++)
		for (k = a->start[i]; k < a->start[i + 1]; k++)
			triplets_add(&t, inverse[i], inverse[a->col[k]], a->val[k]);
	return csr_from_triplets(&t);
}

/* ---- asking ---- */

double csr_get(const Csr *a, int i, int j)
{
	int lo = a->start[i], hi = a->start[i + 1];

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (a->col[mid] == j)
			return a->val[mid];
		if (a->col[mid] < j)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

int csr_bandwidth(const Csr *a)
{
	int i, k, w = 0;

	for (i = 0; i < a->rows; i++)
		for (k = a->start[i]; k < a->start[i + 1]; k++)
			if (abs(a->col[k] - i) > w)
				w = abs(a->col[k] - i);
	return w;
}

int csr_is_symmetric(const Csr *a)
{
	int i, k;

	for (i = 0; i < a->rows; i++)
		for (k = a->start[i]; k < a->start[i + 1]; k++)
			if (csr_get(a, a->col[k], i) != a->val[k])
				return 0;
	return 1;
}

void csr_apply(const Csr *a, const double *x, double *y)
{
	int i, k;

	for (i = 0; i < a->rows; i++) {
		double s = 0;

		for (k = a->start[i]; k < a->start[i + 1]; k++)
			s += a->val[k] * x[a->col[k]];
		y[i] = s;
	}
}

double vec_dot(const double *x, const double *y, int n)
{
	double s = 0;
	int i;

	for (i = 0; i < n; i++)
		s += x[i] * y[i];
	return s;
}

double vec_norm(const double *x, int n) { return sqrt(vec_dot(x, x, n)); }

void vec_axpy(double a, const double *x, double *y, int n)
{
	int i;

	for (i = 0; i < n; i++)
		y[i] += a * x[i];
}

/* ---- reverse Cuthill-McKee ---- */

static int degree(const Csr *a, int i) { return a->start[i + 1] - a->start[i]; }

/* Breadth first from root, neighbours by degree; returns the new end. */
static int visit_component(const Csr *a, int root, int *order, int n, int *seen)
{
	int head = n, k, m;

	order[n++] = root;
	seen[root] = 1;
	for (; head < n; head++) {
		int i = order[head], first = n;

		for (k = a->start[i]; k < a->start[i + 1]; k++) {
			int j = a->col[k];

			if (seen[j])
				continue;
			seen[j] = 1;
			for (m = n++; m > first && degree(a, order[m - 1]) > degree(a, j); m--)
				order[m] = order[m - 1];
			order[m] = j;
		}
	}
	return n;
}

void order_rcm(const Csr *a, int *perm)
{
	size_t mark = pool_mark();
	int *seen = pool_ints((size_t)a->rows), n = 0, i;

	while (n < a->rows) {
		int root = -1;

		for (i = 0; i < a->rows; i++)
			if (!seen[i] && (root < 0 || degree(a, i) < degree(a, root)))
				root = i;
		n = visit_component(a, root, perm, n, seen);
	}
	for (i = 0; i < n / 2; i++) {
		int t = perm[i];

		perm[i] = perm[n - 1 - i];
		perm[n - 1 - i] = t;
	}
	pool_release(mark);
}
