/* SPDX-License-Identifier: Apache-2.0
 *
 * disasm.c - the name tables and the way back from words to text.
 */
#include "machine.h"

#include <stdio.h>

#define X(name, format) #name,
const char *const op_names[OP_COUNT] = { OPCODES(X) };
#undef X
#define X(name, format) F_##format,
const u8 op_formats[OP_COUNT] = { OPCODES(X) };
#undef X
#define X(name) #name,
const char *const ctl_names[CTL_COUNT] = { CONTROLS(X) };
const char *const if_names[IF_COUNT] = { CONDITIONS(X) };
#undef X

const char *const status_names[STATUS_COUNT] = {
    "running", "halted", "out of time", "illegal instruction", "division by zero", "misaligned access", "unknown service",
};

int disassemble(const cpu *c, u16 at, char *out, size_t size)
{
    u16 w = cpu_load16(c, at), ext = cpu_load16(c, (u16)(at + 2));
    int op = op_of(w), d = dst_of(w), s = src_of(w), len = ext_of(w) ? 4 : 2;
    char operand[12];

    if (op >= OP_COUNT || (op == OP_ctl && num_of(w) >= CTL_COUNT)) {
        snprintf(out, size, ".word %u", w);
        return 2;
    }
    if (ext_of(w))
        snprintf(operand, sizeof operand, "%u", ext);
    else
        snprintf(operand, sizeof operand, "r%d", s);
    switch (op_formats[op]) {
    case F_NONE: snprintf(out, size, "%s", ctl_names[num_of(w)]); break;
    case F_RR: snprintf(out, size, "%s r%d, %s", op_names[op], d, operand); break;
    case F_R: snprintf(out, size, "%s r%d", op_names[op], d); break;
    case F_LOAD:
        if (ext_of(w))
            snprintf(out, size, "%s r%d, [r%d+%u]", op_names[op], d, s, ext);
        else
            snprintf(out, size, "%s r%d, [r%d]", op_names[op], d, s);
        break;
    case F_STORE:
        if (ext_of(w))
            snprintf(out, size, "%s [r%d+%u], r%d", op_names[op], s, ext, d);
        else
            snprintf(out, size, "%s [r%d], r%d", op_names[op], s, d);
        break;
    case F_JUMP: snprintf(out, size, "j%s %s", if_names[d], operand); break;
    case F_CALL: snprintf(out, size, "call %s", operand); break;
    case F_SYS: snprintf(out, size, "sys %d", num_of(w)); break;
    }
    return len;
}
