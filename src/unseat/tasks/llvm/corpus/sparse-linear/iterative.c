/* iterative.c - Krylov methods and their preconditioners.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sparse.h"

#include <math.h>
#include <string.h>

#define RESTART 20

/* ---- preconditioners ---- */

static void apply_none(const Precond *m, const double *r, double *z)
{
	memcpy(z, r, (size_t)m->a->rows * sizeof *z);
}

static void apply_jacobi(const Precond *m, const double *r, double *z)
{
	int i;

	for (i = 0; i < m->a->rows; i++)
		z[i] = r[i] / m->diag[i];
}

static double lower_sum(const Csr *a, int i, const double *z)
{
	double s = 0;
	int k;

	for (k = a->start[i]; k < a->start[i + 1] && a->col[k] < i; k++)
		s += a->val[k] * z[a->col[k]];
	return s;
}

static double upper_sum(const Csr *a, int i, const double *z)
{
	double s = 0;
	int k;

	for (k = a->start[i + 1] - 1; k >= a->start[i] && a->col[k] > i; k--)
		s += a->val[k] * z[a->col[k]];
	return s;
}

/* (D + L) D^-1 (D + U) z = r */
static void apply_sgs(const Precond *m, const double *r, double *z)
{
	int i, n = m->a->rows;

	for (i = 0; i < n; i++)
		z[i] = (r[i] - lower_sum(m->a, i, z)) / m->diag[i];
	for (i = n - 1; i >= 0; i--)
		z[i] -= upper_sum(m->a, i, z) / m->diag[i];
}

static void apply_ilu0(const Precond *m, const double *r, double *z)
{
	int i, n = m->a->rows;

	for (i = 0; i < n; i++)
		z[i] = r[i] - lower_sum(&m->factor, i, z);
	for (i = n - 1; i >= 0; i--)
		z[i] = (z[i] - upper_sum(&m->factor, i, z)) / m->diag[i];
}

static Precond make(const char *name, const Csr *a,
		    void (*apply)(const Precond *, const double *, double *))
{
	Precond m = { name, apply, a, { 0 }, pool_doubles((size_t)a->rows) };
	int i;

	for (i = 0; i < a->rows; i++)
		m.diag[i] = csr_get(a, i, i);
	return m;
}

Precond precond_none(const Csr *a) { return make("none", a, apply_none); }
Precond precond_jacobi(const Csr *a) { return make("jacobi", a, apply_jacobi); }
Precond precond_sgs(const Csr *a) { return make("sgs", a, apply_sgs); }

/* Gaussian elimination that drops everything outside the pattern of A. */
Precond precond_ilu0(const Csr *a)
{
	Precond m = make("ilu0", a, apply_ilu0);
	int n = a->rows, i, k, t, *where = pool_ints((size_t)n);
	Csr *f = &m.factor;

	*f = *a;
	f->val = pool_doubles((size_t)a->nnz);
	memcpy(f->val, a->val, (size_t)a->nnz * sizeof *f->val);
	for (i = 0; i < n; i++) {
		for (k = f->start[i]; k < f->start[i + 1]; k++)
			where[f->col[k]] = k + 1;
		for (k = f->start[i]; k < f->start[i + 1] && f->col[k] < i; k++) {
			int p = f->col[k];
			double l = f->val[k] /= m.diag[p];

			for (t = f->start[p + 1] - 1; f->col[t] > p; t--)
				if (where[f->col[t]])
					f->val[where[f->col[t]] - 1] -= l * f->val[t];
		}
		if (where[i])
			m.diag[i] = f->val[where[i] - 1];
		for (k = f->start[i]; k < f->start[i + 1]; k++)
			where[f->col[k]] = 0;
	}
	return m;
}

/* ---- methods ---- */

static void residual(const Csr *a, const double *b, const double *x, double *r)
{
	int i;

	csr_apply(a, x, r);
	for (i = 0; i < a->rows; i++)
		r[i] = b[i] - r[i];
}

static IterResult finish(const Csr *a, const double *b, const double *x, double *r,
			 int steps, double tol)
{
	IterResult res = { steps, 0, 0 };

	residual(a, b, x, r);
	res.residual = vec_norm(r, a->rows) / vec_norm(b, a->rows);
	res.converged = res.residual <= 2 * tol;
	return res;
}

IterResult solve_cg(const Csr *a, const Precond *m, const double *b, double *x,
		    double tol, int max_steps)
{
	size_t mark = pool_mark(), n = (size_t)a->rows;
	double *r = pool_doubles(n), *z = pool_doubles(n), *p = pool_doubles(n);
	double *q = pool_doubles(n), rho = 0, goal = tol * vec_norm(b, a->rows);
	IterResult res;
	int step = 0;

	residual(a, b, x, r);
	while (step < max_steps && vec_norm(r, a->rows) > goal) {
		double last = rho, alpha;
		size_t i;

		m->apply(m, r, z);
		rho = vec_dot(r, z, a->rows);
		for (i = 0; i < n; i++)
			p[i] = z[i] + (step ? rho / last : 0) * p[i];
		csr_apply(a, p, q);
		alpha = rho / vec_dot(p, q, a->rows);
		vec_axpy(alpha, p, x, a->rows);
		vec_axpy(-alpha, q, r, a->rows);
		step++;
	}
	res = finish(a, b, x, r, step, tol);
	pool_release(mark);
	return res;
}

IterResult solve_bicgstab(const Csr *a, const Precond *m, const double *b, double *x,
			  double tol, int max_steps)
{
	size_t mark = pool_mark(), n = (size_t)a->rows, i;
	double *r = pool_doubles(n), *shadow = pool_doubles(n), *p = pool_doubles(n);
	double *v = pool_doubles(n), *t = pool_doubles(n), *ph = pool_doubles(n);
	double *sh = pool_doubles(n);
	double rho = 1, alpha = 1, omega = 1, goal = tol * vec_norm(b, a->rows);
	IterResult res;
	int step = 0, k = a->rows;

	residual(a, b, x, r);
	memcpy(shadow, r, n * sizeof *r);
	while (step < max_steps && vec_norm(r, k) > goal) {
		double last = rho, beta, tt;

		rho = vec_dot(shadow, r, k);
		if (rho == 0 || omega == 0)
			break;		/* breakdown */
		beta = rho / last * (alpha / omega);
		for (i = 0; i < n; i++)
			p[i] = r[i] + beta * (p[i] - omega * v[i]);
		m->apply(m, p, ph);
		csr_apply(a, ph, v);
		alpha = rho / vec_dot(shadow, v, k);
		vec_axpy(alpha, ph, x, k);
		vec_axpy(-alpha, v, r, k);
		m->apply(m, r, sh);
		csr_apply(a, sh, t);
		tt = vec_dot(t, t, k);
		omega = tt > 0 ? vec_dot(t, r, k) / tt : 0;
		vec_axpy(omega, sh, x, k);
		vec_axpy(-omega, t, r, k);
		step++;
	}
	res = finish(a, b, x, r, step, tol);
	pool_release(mark);
	return res;
}

/* Givens rotation that makes the second component vanish. */
static void rotate(double c, double s, double *x, double *y)
{
	double t = c * *x + s * *y;

	*y = -s * *x + c * *y;
	*x = t;
}

typedef struct {
	double h[RESTART + 1][RESTART];
	double c[RESTART], s[RESTART], g[RESTART + 1];
} Hessenberg;

static void solve_triangle(const Hessenberg *w, int k, double *y)
{
	int i, j;

	for (i = k - 1; i >= 0; i--) {
		y[i] = w->g[i];
		for (j = i + 1; j < k; j++)
			y[i] -= w->h[i][j] * y[j];
		y[i] /= w->h[i][i];
	}
}

/* Orthogonalise basis[k + 1] against the others and rotate the new column. */
static double arnoldi_column(Hessenberg *w, double **basis, int k, int n)
{
	double norm, d;
	int i;

	for (i = 0; i <= k; i++) {
		w->h[i][k] = vec_dot(basis[k + 1], basis[i], n);
		vec_axpy(-w->h[i][k], basis[i], basis[k + 1], n);
	}
	norm = vec_norm(basis[k + 1], n);
	w->h[k + 1][k] = norm;
	for (i = 0; i < k; i++)
		rotate(w->c[i], w->s[i], &w->h[i][k], &w->h[i + 1][k]);
	d = hypot(w->h[k][k], w->h[k + 1][k]);
	w->c[k] = w->h[k][k] / d;
	w->s[k] = w->h[k + 1][k] / d;
	rotate(w->c[k], w->s[k], &w->h[k][k], &w->h[k + 1][k]);
	w->g[k + 1] = 0;
	rotate(w->c[k], w->s[k], &w->g[k], &w->g[k + 1]);
	return norm;
}

/* Restarted, preconditioned from the right. */
IterResult solve_gmres(const Csr *a, const Precond *m, const double *b, double *x,
		       double tol, int max_steps)
{
	size_t mark = pool_mark(), n = (size_t)a->rows, i;
	double *basis[RESTART + 1], *z = pool_doubles(n), *r = pool_doubles(n);
	double y[RESTART], goal = tol * vec_norm(b, a->rows), beta;
	Hessenberg w;
	IterResult res;
	int step = 0, k, j;

	for (k = 0; k <= RESTART; k++)
		basis[k] = pool_doubles(n);
	for (;;) {
		residual(a, b, x, r);
		beta = vec_norm(r, a->rows);
		if (beta <= goal || step >= max_steps)
			break;
		for (i = 0; i < n; i++)
			basis[0][i] = r[i] / beta;
		w.g[0] = beta;
		for (k = 0; k < RESTART && step < max_steps; step++) {
			double norm;

			m->apply(m, basis[k], z);
			csr_apply(a, z, basis[k + 1]);
			norm = arnoldi_column(&w, basis, k, a->rows);
			k++;
			if (fabs(w.g[k]) <= goal || norm == 0) {
				step++;
				break;
			}
			for (i = 0; i < n; i++)
				basis[k][i] /= norm;
		}
		solve_triangle(&w, k, y);
		memset(r, 0, n * sizeof *r);
		for (j = 0; j < k; j++)
			vec_axpy(y[j], basis[j], r, a->rows);
		m->apply(m, r, z);
		vec_axpy(1, z, x, a->rows);
	}
	res = finish(a, b, x, r, step, tol);
	pool_release(mark);
	return res;
}
