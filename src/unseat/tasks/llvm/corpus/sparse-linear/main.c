/* main.c - driver: matrices of grids and circuits, all solvers against a known
 * solution. What is printed is rounded so coarsely that it does not depend on
 * the order of floating-point operations.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sparse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int failures;
static unsigned long seed = 42;

static unsigned below(unsigned n)
{
	seed = (seed * 16807ul) % 2147483647ul;
	return (unsigned)(seed % n);
}

/* ---- matrices ---- */

/* Five-point stencil on an nx by ny grid; wind makes it unsymmetric. */
static Csr grid_matrix(int nx, int ny, double wind)
{
	int n = nx * ny, x, y;
	Triplets t = triplets_new(n, n, 5 * n);

	for (y = 0; y < ny; y++)
		for (x = 0; x < nx; x++) {
			int i = y * nx + x;

			triplets_add(&t, i, i, 4);
			if (x > 0)
				triplets_add(&t, i, i - 1, -1 - wind);
			if (x < nx - 1)
				triplets_add(&t, i, i + 1, -1 + wind);
			if (y > 0)
				triplets_add(&t, i, i - nx, -1);
			if (y < ny - 1)
				triplets_add(&t, i, i + nx, -1);
		}
	return csr_from_triplets(&t);
}

/* Conductances between random nodes of a circuit, all of them grounded. */
static Csr circuit_matrix(int n, int links)
{
	Triplets t = triplets_new(n, n, 4 * links + n);
	int i;

	for (i = 0; i < n; i++)
		triplets_add(&t, i, i, 0.5);
	for (i = 0; i < links; i++) {
		int p = i < n - 1 ? i : (int)below((unsigned)n);
		int q = i < n - 1 ? i + 1 : (int)below((unsigned)n);
		double g = 1 + below(4);

		if (p == q)
			continue;
		triplets_add(&t, p, p, g);
		triplets_add(&t, q, q, g);
		triplets_add(&t, p, q, -g);
		triplets_add(&t, q, p, -g);
	}
	return csr_from_triplets(&t);
}

/* A path whose nodes are numbered at random: a band in disguise. */
static Csr shuffled_path(int n)
{
	int *name = pool_ints((size_t)n), i;
	Csr a = grid_matrix(n, 1, 0);

	for (i = 0; i < n; i++)
		name[i] = i;
	for (i = n - 1; i > 0; i--) {
		int k = (int)below((unsigned)i + 1), t = name[i];

		name[i] = name[k];
		name[k] = t;
	}
	return csr_permute(&a, name);
}

/* ---- checks ---- */

static double *make_solution(int n)
{
	double *x = pool_doubles((size_t)n);
	int i;

	for (i = 0; i < n; i++)
		x[i] = (double)(i % 7) - 2 + (double)(i % 3) / 4;
	return x;
}

static double worst_error(const double *x, const double *want, int n)
{
	double worst = 0;
	int i;

	for (i = 0; i < n; i++)
		worst = fmax(worst, fabs(x[i] - want[i]));
	return worst;
}

static void judge(const char *what, double error, double limit)
{
	int ok = error <= limit;	/* false for NaN as well */

	printf("  %-22s %s\n", what, ok ? "ok" : "WRONG");
	failures += !ok;
}

static void direct_solvers(const Csr *a)
{
	size_t n = (size_t)a->rows;
	double *want = make_solution(a->rows), *b = pool_doubles(n);
	double *x = pool_doubles(n), *px = pool_doubles(n);
	Cholesky plain, ordered;
	BandLu lu;
	int *perm = pool_ints(n), i;
	Csr p;

	csr_apply(a, want, b);
	if (cholesky_factor(a, &plain) == FACTOR_OK) {
		cholesky_solve(&plain, b, x);
		judge("cholesky", worst_error(x, want, a->rows), 1e-8);
		order_rcm(a, perm);
		p = csr_permute(a, perm);
		if (cholesky_factor(&p, &ordered) != FACTOR_OK) {
			printf("  ordering broke the matrix\n");
			failures++;
			return;
		}
		for (i = 0; i < a->rows; i++)
			px[i] = b[perm[i]];
		cholesky_solve(&ordered, px, x);
		for (i = 0; i < a->rows; i++)
			px[perm[i]] = x[i];
		judge("cholesky, reordered", worst_error(px, want, a->rows), 1e-8);
		printf("  entries %d, factor %d, reordered %d; bandwidth %d and %d\n",
		       a->nnz, plain.start[a->rows], ordered.start[a->rows],
		       csr_bandwidth(a), csr_bandwidth(&p));
	}
	if (bandlu_factor(a, &lu) == FACTOR_OK) {
		bandlu_solve(&lu, b, x);
		judge("band lu", worst_error(x, want, a->rows), 1e-8);
	}
}

static const struct {
	const char *name;
	IterSolver solve;
	int symmetric_only;
} methods[] = {
	{ "cg", solve_cg, 1 },
	{ "bicgstab", solve_bicgstab, 0 },
	{ "gmres", solve_gmres, 0 },
};

static Precond (*const preconds[])(const Csr *) = {
	precond_none, precond_jacobi, precond_sgs, precond_ilu0
};
enum { NPRECONDS = sizeof preconds / sizeof preconds[0] };

static void iterative_solvers(const Csr *a)
{
	size_t n = (size_t)a->rows, k, m;
	double *want = make_solution(a->rows), *b = pool_doubles(n);
	double *x = pool_doubles(n);
	int symmetric = csr_is_symmetric(a);

	csr_apply(a, want, b);
	for (k = 0; k < sizeof methods / sizeof methods[0]; k++) {
		int steps[NPRECONDS];

		if (methods[k].symmetric_only && !symmetric)
			continue;
		for (m = 0; m < NPRECONDS; m++) {
			size_t mark = pool_mark();
			Precond p = preconds[m](a);
			IterResult r;
			char label[40];

			memset(x, 0, n * sizeof *x);
			r = methods[k].solve(a, &p, b, x, 1e-10, 2000);
			steps[m] = r.steps;
			snprintf(label, sizeof label, "%s, %s", methods[k].name, p.name);
			judge(label, r.converged ? worst_error(x, want, a->rows) : 1, 1e-6);
			pool_release(mark);
		}
		if (steps[3] >= steps[0]) {
			printf("  ilu0 does not help\n");
			failures++;
		}
	}
}

/* ---- exact algebra: small integers stay exact in doubles ---- */

static void algebra(void)
{
	Triplets t = triplets_new(4, 4, 8);
	Csr a = grid_matrix(9, 7, 0.5), b = circuit_matrix(63, 150), bt, abt, ba, at, left;
	double *x = pool_doubles(63), *y = pool_doubles(63), *z = pool_doubles(63);
	int i, k, equal = 1;

	at = csr_transpose(&a);
	bt = csr_transpose(&b);
	abt = csr_multiply(&a, &bt);		/* (A B')' = B A' */
	left = csr_transpose(&abt);
	ba = csr_multiply(&b, &at);
	equal &= left.nnz == ba.nnz;
	for (i = 0; i < 63 && equal; i++)
		for (k = ba.start[i]; k < ba.start[i + 1]; k++)
			equal &= left.col[k] == ba.col[k] && left.val[k] == ba.val[k];
	printf("algebra: transposed product %s, %d entries\n",
	       equal ? "equal" : "DIFFERENT", ba.nnz);
	for (i = 0; i < 63; i++)
		x[i] = i % 5 - 2;
	csr_apply(&bt, x, y);
	csr_apply(&a, y, z);
	csr_apply(&abt, x, y);
	printf("  A (B' x) and (A B') x differ by %g, sum %g\n",
	       worst_error(y, z, 63), vec_dot(y, y, 63));
	failures += !equal || worst_error(y, z, 63) != 0;

	triplets_add(&t, 1, 2, 3);
	triplets_add(&t, 1, 2, 4);
	triplets_add(&t, 3, 0, 1);
	triplets_add(&t, 1, 0, -1);
	a = csr_from_triplets(&t);
	printf("  triplets: %d entries, (1,2) = %g, (2,2) = %g, outside %d\n", a.nnz,
	       csr_get(&a, 1, 2), csr_get(&a, 2, 2), triplets_add(&t, 4, 0, 1));
}

static void refusals(void)
{
	Csr a = grid_matrix(4, 4, 0);
	Cholesky c;
	BandLu lu;
	int i;

	for (i = a.start[9]; i < a.start[10]; i++)
		if (a.col[i] == 9)
			a.val[i] = -4;
	printf("refusals: cholesky %d", cholesky_factor(&a, &c) == FACTOR_NOT_POSITIVE);
	for (i = a.start[9]; i < a.start[10]; i++)
		a.val[i] = 0;
	printf(", band lu %d\n", bandlu_factor(&a, &lu) == FACTOR_SINGULAR);
}

static void treat(const char *name, Csr a)
{
	printf("%s: %d unknowns, %s\n", name, a.rows,
	       csr_is_symmetric(&a) ? "symmetric" : "unsymmetric");
	if (csr_is_symmetric(&a))
		direct_solvers(&a);
	else {
		size_t n = (size_t)a.rows;
		double *want = make_solution(a.rows), *b = pool_doubles(n);
		double *x = pool_doubles(n);
		BandLu lu;

		csr_apply(&a, want, b);
		if (bandlu_factor(&a, &lu) == FACTOR_OK) {
			bandlu_solve(&lu, b, x);
			judge("band lu", worst_error(x, want, a.rows), 1e-8);
		}
	}
	iterative_solvers(&a);
	pool_release(0);
}

int main(void)
{
	algebra();
	refusals();
	pool_release(0);
	treat("square grid", grid_matrix(20, 20, 0));
	treat("long grid", grid_matrix(40, 6, 0));
	treat("windy grid", grid_matrix(18, 16, 0.9));
	treat("circuit", circuit_matrix(200, 320));
	treat("shuffled path", shuffled_path(250));
	printf("pool peak %lu KiB\n", (unsigned long)(pool_peak() + 1023) / 1024);
	printf("%d failures\n", failures);
	return failures != 0;
}
