/* machine.c - the execution loop, and the disassembler. */
#include "vm.h"

#include <stdio.h>
#include <string.h>

static uint32_t sign_extend(uint32_t w)
{
    w &= 0xFFFF;
    return w & 0x8000 ? w | 0xFFFF0000u : w;
}

static int64_t as_signed(uint32_t v) { return v & 0x80000000u ? (int64_t)v - 4294967296LL : v; }

void vm_load(vm *m, const uint32_t *words, int size)
{
    memset(m->memory, 0, sizeof m->memory);
    memset(m->reg, 0, sizeof m->reg);
    memset(m->counts, 0, sizeof m->counts);
    memcpy(m->memory, words, (size_t)size * sizeof *words);
    m->reg[VM_SP] = VM_MEMORY;
    m->pc = 0;
    m->cycles = 0;
}

static bool push(vm *m, uint32_t v)
{
    uint32_t sp = m->reg[VM_SP] - 1;
    if (sp >= VM_MEMORY)
        return false;
    m->memory[sp] = v;
    m->reg[VM_SP] = sp;
    return true;
}

static bool pop(vm *m, uint32_t *v)
{
    uint32_t sp = m->reg[VM_SP];
    if (sp >= VM_MEMORY)
        return false;
    *v = m->memory[sp];
    m->reg[VM_SP] = sp + 1;
    return true;
}

static bool divide(opcode op, uint32_t x, uint32_t y, uint32_t *result)
{
    int64_t a = as_signed(x), b = as_signed(y);
    if (b == 0)
        return false;
    *result = (uint32_t)(uint64_t)(op == I_DIV ? a / b : a % b);
    return true;
}

static bool compare(opcode op, uint32_t x, uint32_t y)
{
    switch (op) {
    case I_BEQ: return x == y;
    case I_BNE: return x != y;
    case I_BLT: return as_signed(x) < as_signed(y);
    case I_BGE: return as_signed(x) >= as_signed(y);
    default:    return x < y;
    }
}

static vm_state step(vm *m)
{
    if (m->pc >= VM_MEMORY)
        return TRAP_MEMORY;
    uint32_t w = m->memory[m->pc++], op = w >> 24, imm = sign_extend(w), address;
    if (op >= I_COUNT)
        return TRAP_OPCODE;
    m->counts[op]++;
    uint32_t *a = &m->reg[w >> 20 & 15], *b = &m->reg[w >> 16 & 15], c = m->reg[w & 15];
    switch ((opcode)op) {
    case I_HALT: return RUN_HALTED;
    case I_NOP:  break;
    case I_MOV:  *a = *b; break;
    case I_LDI:  *a = imm; break;
    case I_LUI:  *a = (*a & 0xFFFF) | w << 16; break;
    case I_ADD:  *a = *b + c; break;
    case I_SUB:  *a = *b - c; break;
    case I_MUL:  *a = *b * c; break;
    case I_DIV: case I_REM:
        if (!divide((opcode)op, *b, c, a))
            return TRAP_DIVIDE;
        break;
    case I_AND:  *a = *b & c; break;
    case I_OR:   *a = *b | c; break;
    case I_XOR:  *a = *b ^ c; break;
    case I_SHL:  *a = *b << (c & 31); break;
    case I_SHR:  *a = *b >> (c & 31); break;
    case I_ADDI: *a = *b + imm; break;
    case I_ANDI: *a = *b & (w & 0xFFFF); break;
    case I_SHLI: *a = *b << (imm & 31); break;
    case I_SHRI: *a = *b >> (imm & 31); break;
    case I_LD: case I_ST:
        address = *b + imm;
        if (address >= VM_MEMORY)
            return TRAP_MEMORY;
        if (op == I_LD)
            *a = m->memory[address];
        else
            m->memory[address] = *a;
        break;
    case I_JMP:  m->pc += imm; break;
    case I_BEQ: case I_BNE: case I_BLT: case I_BGE: case I_BLTU:
        if (compare((opcode)op, *a, *b))
            m->pc += imm;
        break;
    case I_CALL: case I_CALLR:
        if (!push(m, m->pc))
            return TRAP_MEMORY;
        m->pc = op == I_CALL ? m->pc + imm : *a;
        break;
    case I_RET:
        if (!pop(m, &m->pc))
            return TRAP_MEMORY;
        break;
    case I_PUSH:
        if (!push(m, *a))
            return TRAP_MEMORY;
        break;
    case I_POP:
        if (!pop(m, &address))
            return TRAP_MEMORY;
        *a = address;
        break;
    case I_OUT:  m->out(*a, false); break;
    case I_OUTC: m->out(*a, true); break;
    case I_IN:
        if (m->input_left == 0)
            return TRAP_INPUT;
        *a = *m->input++;
        m->input_left--;
        break;
    case I_COUNT: break;
    }
    return RUN_OK;
}

vm_state vm_run(vm *m, uint64_t limit)
{
    vm_state s = RUN_OK;
    while (s == RUN_OK) {
        if (m->cycles++ == limit)
            return TRAP_LIMIT;
        s = step(m);
    }
    return s;
}

const char *vm_state_name(vm_state s)
{
    static const char *const names[] = {
        "running", "halted", "bad opcode", "bad address", "division by zero", "cycle limit",
        "no more input",
    };
    return names[s];
}

void disassemble(uint32_t w, int address, char out[48])
{
    uint32_t op = w >> 24, fields[3] = { w >> 20 & 15, w >> 16 & 15, w & 15 };
    int imm = (int)as_signed(sign_extend(w)), slot = 0, n;
    if (op >= I_COUNT) {
        snprintf(out, 48, ".word 0x%08x", (unsigned)w);
        return;
    }
    n = snprintf(out, 48, "%s", instructions[op].name);
    for (const char *f = instructions[op].format; *f; f++) {
        n += snprintf(out + n, 48 - (size_t)n, f == instructions[op].format ? " " : ", ");
        switch (*f) {
        case 'r': n += snprintf(out + n, 48 - (size_t)n, "r%u", (unsigned)fields[slot++]); break;
        case 'i': n += snprintf(out + n, 48 - (size_t)n, "%d", imm); break;
        case 'l': n += snprintf(out + n, 48 - (size_t)n, "%d", address + 1 + imm); break;
        default:  n += snprintf(out + n, 48 - (size_t)n, "%d(r%u)", imm, (unsigned)fields[1]);
        }
    }
}
