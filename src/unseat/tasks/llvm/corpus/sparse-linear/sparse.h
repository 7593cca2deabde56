/* sparse.h - sparse matrices in compressed rows, and solvers for A x = b.
 *
 * Memory comes from one fixed pool that is handed out in order and given back
 * by mark and release; a matrix or vector is never freed on its own.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SPARSE_H
#define SPARSE_H

#include <stddef.h>

/* ---- pool.c ---- */
size_t pool_mark(void);
void pool_release(size_t mark);
size_t pool_peak(void);
double *pool_doubles(size_t n);     /* zeroed; ends the program when empty */
int *pool_ints(size_t n);

/* ---- matrix.c ---- */
typedef struct {
	int rows, cols, nnz;
	int *start;		/* rows + 1 offsets */
	int *col;		/* ascending inside a row */
	double *val;
} Csr;

typedef struct {		/* entries in any order, summed when equal */
	int n, cap, rows, cols;
	int *i, *j;
	double *v;
} Triplets;

Triplets triplets_new(int rows, int cols, int cap);
int triplets_add(Triplets *t, int i, int j, double v);	/* -1: no room */
Csr csr_from_triplets(const Triplets *t);
Csr csr_transpose(const Csr *a);
Csr csr_multiply(const Csr *a, const Csr *b);
Csr csr_permute(const Csr *a, const int *perm);	/* rows and columns alike */
double csr_get(const Csr *a, int i, int j);
int csr_bandwidth(const Csr *a);
int csr_is_symmetric(const Csr *a);
void csr_apply(const Csr *a, const double *x, double *y);	/* y = A x */
void order_rcm(const Csr *a, int *perm);	/* perm[new] = old */

double vec_dot(const double *x, const double *y, int n);
double vec_norm(const double *x, int n);
void vec_axpy(double a, const double *x, double *y, int n);	/* y += a x */

/* ---- direct.c ---- */
typedef enum { FACTOR_OK, FACTOR_NOT_POSITIVE, FACTOR_SINGULAR } FactorStatus;

typedef struct {		/* L, by columns, diagonal first */
	int n;
	int *parent;		/* elimination tree */
	int *start, *row;
	double *val;
} Cholesky;

typedef struct {		/* P A = L U, in dense rows of a band */
	int n, lower, upper;
	double *band;
	int *pivot;
} BandLu;

FactorStatus cholesky_factor(const Csr *a, Cholesky *f);
void cholesky_solve(const Cholesky *f, const double *b, double *x);
FactorStatus bandlu_factor(const Csr *a, BandLu *f);
void bandlu_solve(const BandLu *f, const double *b, double *x);

/* ---- iterative.c ---- */
typedef struct Precond {
	const char *name;
	void (*apply)(const struct Precond *, const double *r, double *z);
	const Csr *a;
	Csr factor;		/* incomplete factors */
	double *diag;
} Precond;

typedef struct {
	int steps, converged;
	double residual;	/* relative */
} IterResult;

typedef IterResult (*IterSolver)(const Csr *a, const Precond *m, const double *b,
				 double *x, double tol, int max_steps);

Precond precond_none(const Csr *a);
Precond precond_jacobi(const Csr *a);
Precond precond_sgs(const Csr *a);	/* symmetric Gauss-Seidel */
Precond precond_ilu0(const Csr *a);
IterResult solve_cg(const Csr *, const Precond *, const double *, double *, double, int);
IterResult solve_bicgstab(const Csr *, const Precond *, const double *, double *, double, int);
IterResult solve_gmres(const Csr *, const Precond *, const double *, double *, double, int);

#endif
