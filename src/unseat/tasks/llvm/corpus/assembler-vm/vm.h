/* vm.h - a 32-bit register machine with a two-pass assembler.
 *
 * Word layout: opcode 8 bits, a 4, b 4, then 16 bits: register c in the low
 * four or a signed immediate. r15 is the stack pointer, memory is in words. */
#ifndef VM_H
#define VM_H

#include <stdbool.h>
#include <stdint.h>

enum { VM_MEMORY = 1 << 16, VM_REGS = 16, VM_SP = 15, MAX_SYMBOLS = 256, NAME_LEN = 24 };

/* Operand formats: r register, i immediate, l branch distance, m "imm(reg)". */
#define INSTRUCTIONS(X)                                                              \
    X(HALT, "halt", "") X(NOP, "nop", "") X(MOV, "mov", "rr") X(LDI, "ldi", "ri")    \
    X(LUI, "lui", "ri") X(ADD, "add", "rrr") X(SUB, "sub", "rrr") X(MUL, "mul", "rrr") \
    X(DIV, "div", "rrr") X(REM, "rem", "rrr") X(AND, "and", "rrr") X(OR, "or", "rrr") \
    X(XOR, "xor", "rrr") X(SHL, "shl", "rrr") X(SHR, "shr", "rrr") X(ADDI, "addi", "rri") \
    X(ANDI, "andi", "rri") X(SHLI, "shli", "rri") X(SHRI, "shri", "rri")             \
    X(LD, "ld", "rm") X(ST, "st", "rm") X(JMP, "jmp", "l") X(BEQ, "beq", "rrl")      \
    X(BNE, "bne", "rrl") X(BLT, "blt", "rrl") X(BGE, "bge", "rrl") X(BLTU, "bltu", "rrl") \
    X(CALL, "call", "l") X(CALLR, "callr", "r") X(RET, "ret", "") X(PUSH, "push", "r") \
    X(POP, "pop", "r") X(OUT, "out", "r") X(OUTC, "outc", "r") X(IN, "in", "r")

#define X(id, name, format) I_##id,
typedef enum { INSTRUCTIONS(X) I_COUNT } opcode;
#undef X

typedef struct { const char *name, *format; } instruction_info;
extern const instruction_info instructions[I_COUNT];

typedef struct { char name[NAME_LEN]; int32_t value; } symbol;

typedef struct {
    uint32_t *words;               /* output, VM_MEMORY words */
    int size, errors, line;
    symbol symbols[MAX_SYMBOLS];
    int nsymbols;
    void (*report)(int line, const char *message);
} assembler;

bool assemble(assembler *as, const char *source);
void disassemble(uint32_t word, int address, char out[48]);

typedef enum { RUN_OK, RUN_HALTED, TRAP_OPCODE, TRAP_MEMORY, TRAP_DIVIDE, TRAP_LIMIT, TRAP_INPUT } vm_state;

typedef struct {
    uint32_t memory[VM_MEMORY];
    uint32_t reg[VM_REGS], pc;
    uint64_t cycles, counts[I_COUNT];
    const uint32_t *input;
    int input_left;
    void (*out)(uint32_t value, bool as_char);
} vm;

void     vm_load(vm *m, const uint32_t *words, int size);
vm_state vm_run(vm *m, uint64_t limit);
const char *vm_state_name(vm_state s);

#endif
