/* SPDX-License-Identifier: Apache-2.0
 *
 * machine.h - a 16-bit byte-addressed machine with eight registers (r7 is
 * the stack pointer), four flags, a timer interrupt and a few traps.
 *
 * An instruction word is  oooo oddd sssi nnnn :
 *   o opcode, d destination or condition, s source, i "a word follows",
 *   n a small number (control code or service).
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t u16;
typedef uint8_t u8;

/* mnemonic, operand format */
#define OPCODES(X) \
    X(ctl, NONE) X(mov, RR) X(add, RR) X(adc, RR) X(sub, RR) X(sbc, RR) X(and, RR) X(or, RR) \
    X(xor, RR) X(cmp, RR) X(mul, RR) X(mulh, RR) X(div, RR) X(mod, RR) X(shl, RR) X(shr, RR) \
    X(sar, RR) X(push, R) X(pop, R) X(not, R) X(neg, R) X(ld, LOAD) X(st, STORE) X(ldb, LOAD) \
    X(stb, STORE) X(jmp, JUMP) X(call, CALL) X(sys, SYS)

#define CONTROLS(X) X(nop) X(hlt) X(ret) X(rti) X(sei) X(cli)
#define CONDITIONS(X) X(mp) X(z) X(nz) X(c) X(nc) X(n) X(lt) X(ge)

enum opcode {
#define X(name, format) OP_##name,
    OPCODES(X)
#undef X
    OP_COUNT
};
enum control {
#define X(name) CTL_##name,
    CONTROLS(X)
#undef X
    CTL_COUNT
};
enum condition {
#define X(name) IF_##name,
    CONDITIONS(X)
#undef X
    IF_COUNT
};
enum format { F_NONE, F_RR, F_R, F_LOAD, F_STORE, F_JUMP, F_CALL, F_SYS };

extern const char *const op_names[OP_COUNT];
extern const u8 op_formats[OP_COUNT];
extern const char *const ctl_names[CTL_COUNT];
extern const char *const if_names[IF_COUNT];

static inline u16 encode(int op, int d, int s, int i, int n)
{
    return (u16)(op << 11 | d << 8 | s << 5 | i << 4 | n);
}
static inline int op_of(u16 w) { return w >> 11; }
static inline int dst_of(u16 w) { return w >> 8 & 7; }
static inline int src_of(u16 w) { return w >> 5 & 7; }
static inline int ext_of(u16 w) { return w >> 4 & 1; }
static inline int num_of(u16 w) { return w & 15; }

/* ---- the processor (cpu.c) ---- */

enum { FLAG_Z = 1, FLAG_N = 2, FLAG_C = 4, FLAG_V = 8, FLAG_I = 16 };
enum { SP = 7, VEC_TIMER = 2, VEC_TRAP = 4, TIMER_PORT = 0xfff0, TRAP_PORT = 0xfff2, CODE_START = 16 };

typedef enum { RUN_OK, RUN_HALT, RUN_LIMIT, TRAP_ILLEGAL, TRAP_DIVIDE, TRAP_ALIGN, TRAP_SERVICE, STATUS_COUNT } status;

typedef struct cpu {
    u16 r[8], pc, flags;
    u8 mem[65536];
    long cycles, instructions;
    long per_op[OP_COUNT];
    u16 timer_left;
    int interrupts, traps;
    char out[512];
    int out_len;
    const char *in;
} cpu;

void cpu_reset(cpu *c, const char *input);
status cpu_step(cpu *c);
status cpu_run(cpu *c, long limit);
u16 cpu_load16(const cpu *c, u16 at);
extern const char *const status_names[STATUS_COUNT];

/* ---- assembler and disassembler (asm.c, disasm.c) ---- */

typedef struct {
    int line;              /* of the first error, 0: none */
    const char *message;
    int errors;
    int size;              /* bytes up to the highest one emitted */
    int labels;
} asm_report;

asm_report assemble(const char *source, u8 *mem);
int disassemble(const cpu *c, u16 at, char *out, size_t size); /* bytes used */

#endif
