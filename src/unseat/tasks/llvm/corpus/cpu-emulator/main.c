/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - runs the guest programs, checks their output, reassembles their
 * disassembly, tests the arithmetic unit against plain C, and fuzzes.
 */
#include "machine.h"
#include "programs.h"

#include <stdio.h>
#include <string.h>

static cpu machine;
static u8 second_image[65536];

static uint32_t fnv(const u8 *p, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

static void busiest(const cpu *c, char *out, size_t size)
{
    int best = 0;
    for (int i = 1; i < OP_COUNT; i++)
        if (c->per_op[i] > c->per_op[best])
            best = i;
    snprintf(out, size, "%s %ld%%", op_names[best], c->per_op[best] * 100 / c->instructions);
}

static int run_program(const program *p)
{
    char top[24];
    asm_report r = assemble(p->source, machine.mem);
    if (r.errors) {
        printf("%s: line %d: %s\n", p->name, r.line, r.message);
        return 1;
    }
    uint32_t image = fnv(machine.mem, 65536);
    cpu_reset(&machine, p->input);
    status s = cpu_run(&machine, 2000000);
    bool ok = s == RUN_HALT && !strcmp(machine.out, p->expected);
    busiest(&machine, top, sizeof top);
    printf("%-15s %s, %s\n", p->name, status_names[s], ok ? "as expected" : "WRONG");
    printf("  \"%s\"\n", machine.out);
    printf("  %ld instructions, %ld cycles, mostly %s; %d labels, %d interrupts, %d traps; image %08lx\n",
           machine.instructions, machine.cycles, top, r.labels, machine.interrupts, machine.traps,
           (unsigned long)image);
    return !ok;
}

/* True for the words that the assembler itself would produce. */
static bool canonical(u16 w)
{
    int op = op_of(w), d = dst_of(w), s = src_of(w), i = ext_of(w), n = num_of(w);
    if (op >= OP_COUNT)
        return false;
    switch (op_formats[op]) {
    case F_NONE: return !d && !s && !i && n < CTL_COUNT;
    case F_RR:
    case F_JUMP: return !n && !(i && s);
    case F_CALL: return !n && !d && !(i && s);
    case F_R: return !n && !s && !i;
    case F_SYS: return !d && !s && !i;
    default: return !n;
    }
}

/* Every canonical word must survive disassembly and assembly. */
static void round_trips(void)
{
    char text[40];
    long words = 0, differ = 0, failed = 0;
    for (long k = 0; k < 65536; k++) {
        u16 w = (u16)k, extra = (u16)(k * 40503u);
        if (!canonical(w))
            continue;
        words++;
        memset(machine.mem, 0, 64);
        for (int i = 0; i < 2; i++) {
            machine.mem[CODE_START + i] = (u8)(w >> (8 * i));
            machine.mem[CODE_START + 2 + i] = (u8)(extra >> (8 * i));
        }
        int len = disassemble(&machine, CODE_START, text, sizeof text);
        asm_report r = assemble(text, second_image);
        failed += r.errors != 0 || r.size != CODE_START + len;
        differ += memcmp(machine.mem + CODE_START, second_image + CODE_START, (size_t)len) != 0;
    }
    printf("round trips: %ld words, %ld failed, %ld differ\n", words, failed, differ);
}

static uint32_t seed = 1;

static u16 rnd16(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (u16)(seed >> 7);
}

static u16 reference(int op, u16 a, u16 b, int carry)
{
    int16_t sa = (int16_t)(a < 0x8000 ? a : a - 0x10000);
    switch (op) {
    case OP_mov: return b;
    case OP_add: return (u16)(a + b);
    case OP_adc: return (u16)(a + b + carry);
    case OP_sub: return (u16)(a - b);
    case OP_sbc: return (u16)(a - b - !carry);
    case OP_and: return a & b;
    case OP_or: return a | b;
    case OP_xor: return a ^ b;
    case OP_cmp: return a;
    case OP_mul: return (u16)((uint32_t)a * b);
    case OP_mulh: return (u16)(((uint32_t)a * b) / 65536u);
    case OP_div: return a / b;
    case OP_mod: return a % b;
    case OP_shl: return (u16)((uint32_t)a << (b & 15));
    case OP_shr: return (u16)(a >> (b & 15));
    case OP_sar: {
        int v = sa, n = b & 15, step = 1 << n;
        return (u16)(v >= 0 ? v / step : -((-v + step - 1) / step));
    }
    default: return 0;
    }
}

static void test_alu(void)
{
    long wrong = 0, flags_wrong = 0, runs = 0;
    for (int op = OP_mov; op <= OP_sar; op++)
        for (int i = 0; i < 4000; i++, runs++) {
            u16 a = rnd16(), b = i % 3 ? rnd16() : a;
            if ((op == OP_div || op == OP_mod) && !b)
                b = 1;
            cpu_reset(&machine, NULL);
            u16 w = encode(op, 1, 2, 0, 0);
            machine.mem[CODE_START] = (u8)w;
            machine.mem[CODE_START + 1] = (u8)(w >> 8);
            machine.r[1] = a;
            machine.r[2] = b;
            int carry = i & 1;
            machine.flags = carry ? FLAG_C : 0;
            cpu_step(&machine);
            u16 v = machine.r[1], f = machine.flags;
            wrong += v != reference(op, a, b, carry);
            if (op == OP_cmp || op == OP_sub) {
                int sa = a < 0x8000 ? a : a - 0x10000, sb = b < 0x8000 ? b : b - 0x10000;
                flags_wrong += !!(f & FLAG_C) != (a >= b);
                flags_wrong += (!!(f & FLAG_N) != !!(f & FLAG_V)) != (sa < sb);
                flags_wrong += !!(f & FLAG_Z) != (a == b);
            }
        }
    printf("alu: %ld cases, %ld results wrong, %ld flags wrong\n", runs, wrong, flags_wrong);
}

static void test_errors(void)
{
    static const char *const bad[] = {
        "add r1\n", "mov r9, 1\n", "frob r1\n", "jmp nowhere\n", "nop\nmov r1, 70000\n", "x: nop\nx: nop\n",
        "ld r1, [5]\n", "nop nop\n", ".text \"open\n", ".bogus 1\n", "mov r1, 'a\n", "push 5\n", "?\n", "mov r1, '", ".text \"\\",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        asm_report r = assemble(bad[i], machine.mem);
        printf("  %d:%s%s", r.line, r.message ? r.message : "accepted", i % 3 == 2 ? "\n" : ",");
    }
}

static void fuzz(void)
{
    long ends[STATUS_COUNT] = { 0 };
    uint32_t digest = 0;
    for (int run = 0; run < 60; run++) {
        for (int i = 0; i < 65536; i += 2) {
            u16 w = rnd16();
            machine.mem[i] = (u8)w;
            machine.mem[i + 1] = (u8)(w >> 8);
        }
        if (run % 2)
            memset(machine.mem, 0, CODE_START); /* no handlers */
        cpu_reset(&machine, "abc");
        ends[cpu_run(&machine, 20000)]++;
        for (int i = 0; i < 8; i++)
            digest = digest * 31u + machine.r[i];
    }
    printf("fuzz:");
    for (int i = 0; i < STATUS_COUNT; i++)
        if (ends[i])
            printf(" %s %ld,", status_names[i], ends[i]);
    printf(" digest %08lx\n", (unsigned long)digest);
}

int main(void)
{
    int bad = 0;
    for (int i = 0; i < program_count; i++)
        bad += run_program(&programs[i]);
    round_trips();
    printf("assembler errors:\n");
    test_errors();
    test_alu();
    fuzz();
    return bad != 0;
}
