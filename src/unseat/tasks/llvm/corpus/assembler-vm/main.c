/* main.c - assembles and runs sample programs, round-trips the disassembler. */
#include "vm.h"

#include <stdio.h>
#include <string.h>

static uint32_t image[VM_MEMORY], again[VM_MEMORY];
static vm machine;
static uint32_t out_sum;

static void report(int line, const char *message) { printf("  line %d: %s\n", line, message); }

static void output(uint32_t value, bool as_char)
{
    out_sum = out_sum * 31 + value;
    if (as_char)
        putchar((int)(value & 127));
    else
        printf("%lld ", value & 0x80000000u ? (long long)value - 4294967296LL : (long long)value);
}

static const char primes[] =
    "; sieve of Eratosthenes, then a sum over the primes\n"
    "        .equ limit, 5000\n"
    "start:  li   r1, flags\n"
    "        ldi  r2, 2\n"
    "        ldi  r9, 1\n"
    "        li   r10, limit\n"
    "next:   mul  r3, r2, r2\n"
    "        bge  r3, r10, count\n"
    "        add  r4, r1, r2\n"
    "        ld   r5, (r4)\n"
    "        bne  r5, r0, skip\n"
    "mark:   add  r4, r1, r3\n"
    "        st   r9, 0(r4)\n"
    "        add  r3, r3, r2\n"
    "        blt  r3, r10, mark\n"
    "skip:   addi r2, r2, 1\n"
    "        jmp  next\n"
    "count:  ldi  r2, 2\n"
    "again:  add  r4, r1, r2\n"
    "        ld   r5, (r4)\n"
    "        bne  r5, r0, odd\n"
    "        addi r6, r6, 1\n"
    "        add  r7, r7, r2\n"
    "odd:    addi r2, r2, 1\n"
    "        blt  r2, r10, again\n"
    "        out  r6\n"
    "        out  r7\n"
    "        halt\n"
    "flags:  .space limit\n";

static const char recursion[] =
    "        ldi  r1, 18\n"
    "        call fib\n"
    "        out  r2\n"
    "        li   r1, 3\n"
    "        ldi  r2, 'A' - 'B' + 3 * (1 + 1)\n"
    "        call ack\n"
    "        out  r3\n"
    "        li   r4, message\n"
    "        call print\n"
    "        halt\n"
    "fib:    ldi  r3, 2\n"
    "        blt  r1, r3, small\n"
    "        push r1\n"
    "        addi r1, r1, -1\n"
    "        call fib\n"
    "        pop  r1\n"
    "        push r2\n"
    "        addi r1, r1, -2\n"
    "        call fib\n"
    "        pop  r3\n"
    "        add  r2, r2, r3\n"
    "        ret\n"
    "small:  mov  r2, r1\n"
    "        ret\n"
    "ack:    bne  r1, r0, ack1      ; ack(r1, r2) in r3\n"
    "        addi r3, r2, 1\n"
    "        ret\n"
    "ack1:   push r1\n"
    "        bne  r2, r0, ack2\n"
    "        ldi  r2, 1\n"
    "        jmp  ack3\n"
    "ack2:   addi r2, r2, -1\n"
    "        call ack\n"
    "        mov  r2, r3\n"
    "ack3:   pop  r1\n"
    "        addi r1, r1, -1\n"
    "        jmp  ack\n"
    "print:  ld   r5, (r4)\n"
    "        beq  r5, r0, done\n"
    "        outc r5\n"
    "        addi r4, r4, 1\n"
    "        jmp  print\n"
    "done:   ret\n"
    "message: .string \"done, said the machine\\n\"\n";

static const char sorting[] =
    "; reads n numbers, sorts them by insertion, dispatches three reports\n"
    "        li   r1, data\n"
    "        in   r2\n"
    "        add  r3, r1, r2\n"
    "        mov  r4, r1\n"
    "read:   in   r5\n"
    "        mov  r6, r4\n"
    "shift:  beq  r6, r1, place\n"
    "        ld   r7, -1(r6)\n"
    "        bge  r5, r7, place\n"
    "        st   r7, (r6)\n"
    "        addi r6, r6, -1\n"
    "        jmp  shift\n"
    "place:  st   r5, (r6)\n"
    "        addi r4, r4, 1\n"
    "        bne  r4, r3, read\n"
    "        ldi  r8, 0\n"
    "each:   li   r9, table\n"
    "        add  r9, r9, r8\n"
    "        ld   r9, (r9)\n"
    "        callr r9\n"
    "        addi r8, r8, 1\n"
    "        ldi  r10, 3\n"
    "        bltu r8, r10, each\n"
    "        halt\n"
    "first:  ld r5, (r1) out r5 ret\n"
    "table:  .word first, last, total\n"
    "data:   .space 600\n";

static const char numbers[] =
    "        li   r1, 0x80000000\n"
    "        ldi  r2, -1\n"
    "        div  r3, r1, r2\n"
    "        rem  r4, r1, r2\n"
    "        shri r5, r1, 4\n"
    "        xor  r6, r5, r2\n"
    "        andi r7, r6, 0b1111000011110000\n"
    "        out r3\n out r4\n out r5\n out r6\n out r7\n"
    "        li r8, 1000000007\n ldi r9, 12345\n mul r10, r8, r9\n out r10\n"
    "        ldi r11, 33\n shl r12, r9, r11\n out r12\n halt\n";

static void run(const char *title, const char *source, const uint32_t *input, int n)
{
    assembler as = { .words = image, .report = report };
    printf("%s:\n", title);
    if (!assemble(&as, source)) {
        printf("  %d errors\n", as.errors);
        return;
    }
    machine.out = output;
    machine.input = input;
    machine.input_left = n;
    vm_load(&machine, image, as.size);
    vm_state s = vm_run(&machine, 5000000);
    int busiest = 0;
    for (int i = 1; i < I_COUNT; i++)
        if (machine.counts[i] > machine.counts[busiest])
            busiest = i;
    printf("\n  %s after %llu cycles, %d words, %d symbols, mostly %s, sum %08x\n", vm_state_name(s),
           (unsigned long long)machine.cycles, as.size, as.nsymbols, instructions[busiest].name,
           (unsigned)out_sum);
}

static uint32_t seed = 20240607;

static uint32_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static void run_sorting(void)
{
    static char fixed[2048];
    static uint32_t input[501];
    const char *one_line = strstr(sorting, "first:");
    run("sorting with errors", sorting, input, 0);
    size_t head = (size_t)(one_line - sorting);
    memcpy(fixed, sorting, head);
    strcpy(fixed + head,
           "first: ld r5, (r1)\n out r5\n ret\n"
           "last:  ld r5, -1(r3)\n out r5\n ret\n"
           "total: mov r6, r1\n ldi r7, 0\n ldi r11, 0\n"
           "more:  ld r5, (r6)\n addi r11, r11, 1\n mul r12, r5, r11\n add r7, r7, r12\n"
           " addi r6, r6, 1\n bne r6, r3, more\n out r7\n ret\n"
           "table: .word first, last, total\ndata: .space 600\n");
    input[0] = 500;
    for (int i = 1; i <= 500; i++)
        input[i] = next_random() % 20001 - 10000u;
    run("sorting", fixed, input, 501);
    run("sorting without input", fixed, input, 100);
}

static void run_errors(void)
{
    static const char bad[] =
        "a: add r1, r2\n b: add r1, r2, 3\n a: halt\n frob r1\n ldi r16, 4\n .what\n"
        "ld r1, 3\n .string \"abc\n ldi r1, 99999999999\n halt halt\n ldi r1, (2\n 7: nop\n .equ 5\n";
    static const char late[] = "jmp nowhere\nldi r1, 70000\nldi r2, x + 'y'\nbeq r1, r2, 40000 + 1\n";
    run("first-pass errors", bad, NULL, 0);
    run("second-pass errors", late, NULL, 0);
    run("trap", "div r1, r1, r0\n", NULL, 0);
    run("trap", "ldi r1, -5\nld r2, (r1)\n", NULL, 0);
    run("trap", "pop r1\n", NULL, 0);
    run("trap", ".word 0xff000000\n", NULL, 0);
    run("trap", "x: jmp x\n", NULL, 0);
    run("trap", "x: push r1\n jmp x\n", NULL, 0);
}

/* Random valid words must survive disassembly and reassembly. */
static void round_trip(int rounds)
{
    static char text[VM_MEMORY];
    int wrong = 0, total = 0;
    uint32_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        assembler as = { .words = again, .report = report };
        char *w = text;
        int n = 200;
        for (int i = 0; i < n; i++) {
            uint32_t op = next_random() % I_COUNT, word = op << 24;
            const char *f = instructions[op].format;
            for (int slot = 0; *f; f++) {
                if (*f == 'r')
                    word |= (next_random() & 15) << (slot == 0 ? 20 : slot == 1 ? 16 : 0), slot++;
                else
                    word |= next_random() & 0xFFFF;
                if (*f == 'm')
                    word |= (next_random() & 15) << 16;
            }
            char line[48];
            image[i] = word;
            disassemble(word, i, line);
            w += sprintf(w, "%s\n", line);
        }
        if (!assemble(&as, text) || as.size != n || memcmp(image, again, (size_t)n * sizeof *image))
            wrong++;
        for (const char *s = text; *s; s++)
            sum = sum * 33 + (unsigned char)*s;
        total += n;
    }
    printf("round trip: %d words, %d wrong, sum %08x\n", total, wrong, (unsigned)sum);
}

int main(void)
{
    char line[48];
    run("primes", primes, NULL, 0);
    for (int i = 6; i < 14; i++) {
        disassemble(image[i], i, line);
        printf("  %3d  %08x  %s\n", i, (unsigned)image[i], line);
    }
    run("recursion", recursion, NULL, 0);
    run("numbers", numbers, NULL, 0);
    run_sorting();
    run_errors();
    round_trip(40);
    return 0;
}
