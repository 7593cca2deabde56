/* regalloc.c - linear-scan allocation to NUM_ALLOC registers; the remaining
 * two registers carry spilled operands. Jump targets become indices. */
#include "xc.h"

#include <string.h>

typedef struct { int vreg, start, end; } interval;

typedef struct {
    unit *u;
    interval all[MAX_VREGS];
    int nintervals;
    int where[MAX_VREGS];          /* register, or NUM_REGS + spill slot */
    instr out[MAX_CODE];
    int nout;
} allocator;

static void touch(allocator *al, int vreg, int at)
{
    if (vreg < 0)
        return;
    interval *iv = &al->all[vreg];
    if (iv->start < 0)
        iv->start = at;
    if (at > iv->end)
        iv->end = at;
}

static void build_intervals(allocator *al)
{
    const unit *u = al->u;
    int last_backward = 0;
    al->nintervals = u->nvregs;
    for (int i = 0; i < u->nvregs; i++) {
        interval iv = { i, i < u->nparams ? 0 : -1, -1 };
        al->all[i] = iv;
    }
    for (int i = 0; i < u->n; i++) {
        touch(al, u->code[i].a, i);
        touch(al, u->code[i].b, i);
        touch(al, u->code[i].dst, i);
        if (u->code[i].op == OP_JUMP && u->code[i].imm == 0)
            last_backward = i;      /* label 0 is the entry */
    }
    for (int i = 0; i < u->nparams && last_backward; i++)
        touch(al, i, last_backward);
}

static void sort_intervals(interval *v, int n)
{
    for (int i = 1; i < n; i++) {
        interval x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1].start > x.start; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void assign(allocator *al)
{
    interval active[NUM_ALLOC];
    int nactive = 0, free_regs = (1 << NUM_ALLOC) - 1;
    sort_intervals(al->all, al->nintervals);
    for (int i = 0; i < al->nintervals; i++) {
        interval iv = al->all[i];
        int kept = 0;
        if (iv.start < 0) {
            al->where[iv.vreg] = 0;                  /* never mentioned */
            continue;
        }
        for (int k = 0; k < nactive; k++) {          /* expire */
            if (active[k].end < iv.start || (active[k].end == iv.start && iv.vreg >= al->u->nparams))
                free_regs |= 1 << al->where[active[k].vreg];
            else
                active[kept++] = active[k];
        }
        nactive = kept;
        if (free_regs) {
            int r = 0;
            while (!(free_regs >> r & 1))
                r++;
            free_regs &= ~(1 << r);
            al->where[iv.vreg] = r;
            active[nactive++] = iv;
            continue;
        }
        int far = 0;                                 /* spill the one ending last */
        for (int k = 1; k < nactive; k++)
            if (active[k].end > active[far].end)
                far = k;
        int slot = NUM_REGS + al->u->nspills++;
        if (active[far].end > iv.end) {
            al->where[iv.vreg] = al->where[active[far].vreg];
            al->where[active[far].vreg] = slot;
            active[far] = iv;
        } else {
            al->where[iv.vreg] = slot;
        }
    }
}

static void push(allocator *al, op_t op, int dst, int a, int b, int64_t imm)
{
    if (al->nout == MAX_CODE) {
        al->u->overflow = true;
        return;
    }
    instr in = { op, dst, a, b, imm };
    al->out[al->nout++] = in;
}

static int use(allocator *al, int vreg, int scratch)
{
    if (vreg < 0)
        return -1;
    int w = al->where[vreg];
    if (w < NUM_REGS)
        return w;
    push(al, OP_LOAD, scratch, -1, -1, w - NUM_REGS);
    return scratch;
}

static void rewrite(allocator *al)
{
    int target[MAX_CODE];
    for (int i = 0; i < al->u->nparams; i++)         /* incoming: argument i */
        if (al->where[i] >= NUM_REGS) {
            push(al, OP_ARG, NUM_ALLOC, -1, -1, i);
            push(al, OP_STORE, -1, NUM_ALLOC, -1, al->where[i] - NUM_REGS);
        } else {
            push(al, OP_ARG, al->where[i], -1, -1, i);
        }
    for (int i = 0; i < al->u->n; i++) {
        const instr *in = &al->u->code[i];
        if (in->op == OP_LABEL) {
            target[in->imm] = al->nout;
            continue;
        }
        int a = use(al, in->a, NUM_ALLOC), b = use(al, in->b, NUM_ALLOC + 1);
        int w = in->dst < 0 ? -1 : al->where[in->dst], d = w >= NUM_REGS ? NUM_ALLOC : w;
        if (!(in->op == OP_MOVE && d == a && w < NUM_REGS))
            push(al, in->op, d, a, b, in->imm);
        if (w >= NUM_REGS)
            push(al, OP_STORE, -1, NUM_ALLOC, -1, w - NUM_REGS);
    }
    for (int i = 0; i < al->nout; i++)
        if (al->out[i].op == OP_JUMP || al->out[i].op == OP_BRZ)
            al->out[i].imm = target[al->out[i].imm];
    memcpy(al->u->code, al->out, sizeof(instr) * (size_t)al->nout);
    al->u->n = al->nout;
}

void allocate_registers(unit *u)
{
    static allocator al;
    memset(&al, 0, sizeof al);
    al.u = u;
    build_intervals(&al);
    assign(&al);
    rewrite(&al);
}
