/* machine.c - executes allocated code; every call has its own window. */
#include "xc.h"

#include <stdlib.h>

typedef struct { const unit *units; machine_stats *st; } machine;

static int64_t run_unit(machine *m, int func, const int64_t *args)
{
    const unit *u = &m->units[func];
    int64_t r[NUM_REGS] = { 0 }, out[MAX_ARGS], spill_small[16] = { 0 };
    int64_t *spill = spill_small;
    if (u->nspills > 16 && !(spill = calloc((size_t)u->nspills, sizeof *spill)))
        abort();
    for (int pc = 0;; ) {
        const instr *in = &u->code[pc++];
        m->st->executed++;
        switch (in->op) {
        case OP_CONST: r[in->dst] = in->imm; break;
        case OP_MOVE:  r[in->dst] = r[in->a]; break;
        case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV: case OP_MOD:
        case OP_EQ: case OP_NE: case OP_LT: case OP_LE:
            r[in->dst] = arith(in->op, r[in->a], r[in->b]);
            break;
        case OP_NEG: case OP_NOT:
            r[in->dst] = arith(in->op, r[in->a], 0);
            break;
        case OP_ARG:
            if (in->dst >= 0)
                r[in->dst] = args[in->imm];
            else
                out[in->imm] = r[in->a];
            break;
        case OP_CALL:
            m->st->calls++;
            r[in->dst] = run_unit(m, (int)in->imm, out);
            break;
        case OP_JUMP:  pc = (int)in->imm; break;
        case OP_BRZ:   if (r[in->a] == 0) pc = (int)in->imm; break;
        case OP_LOAD:  m->st->loads++; r[in->dst] = spill[in->imm]; break;
        case OP_STORE: m->st->stores++; spill[in->imm] = r[in->a]; break;
        case OP_RET: {
            int64_t v = r[in->a];
            if (spill != spill_small)
                free(spill);
            return v;
        }
        default: abort();
        }
    }
}

int64_t machine_run(const unit *units, int func, const int64_t *args, machine_stats *st)
{
    machine m = { units, st };
    return run_unit(&m, func, args);
}
