/* SPDX-License-Identifier: Apache-2.0
 *
 * cpu.c - fetch, decode, execute; interrupts; host services.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>

void cpu_reset(cpu *c, const char *input)
{
    memset(c->r, 0, sizeof c->r);
    c->pc = CODE_START;
    c->flags = 0;
    c->r[SP] = TIMER_PORT;
    c->cycles = c->instructions = 0;
    memset(c->per_op, 0, sizeof c->per_op);
    c->timer_left = 0;
    c->interrupts = c->traps = 0;
    c->out_len = 0;
    c->out[0] = '\0';
    c->in = input;
}

u16 cpu_load16(const cpu *c, u16 at) { return (u16)(c->mem[at] | c->mem[(u16)(at + 1)] << 8); }

static void store8(cpu *c, u16 at, u8 v)
{
    c->mem[at] = v;
    if (at == TIMER_PORT || at == TIMER_PORT + 1)
        c->timer_left = cpu_load16(c, TIMER_PORT);
}

static void store16(cpu *c, u16 at, u16 v)
{
    store8(c, at, (u8)v);
    store8(c, (u16)(at + 1), (u8)(v >> 8));
}

static u16 fetch(cpu *c)
{
    u16 w = cpu_load16(c, c->pc);
    c->pc = (u16)(c->pc + 2);
    return w;
}

static void push(cpu *c, u16 v)
{
    c->r[SP] = (u16)(c->r[SP] - 2);
    store16(c, c->r[SP], v);
}

static u16 pop(cpu *c)
{
    u16 v = cpu_load16(c, c->r[SP]);
    c->r[SP] = (u16)(c->r[SP] + 2);
    return v;
}

static void set_flag(cpu *c, u16 flag, bool on) { c->flags = on ? (u16)(c->flags | flag) : (u16)(c->flags & ~flag); }

static u16 set_zn(cpu *c, u16 v)
{
    set_flag(c, FLAG_Z, v == 0);
    set_flag(c, FLAG_N, v >> 15);
    return v;
}

/* Logical results leave carry and overflow clear. */
static u16 logical(cpu *c, u16 v)
{
    c->flags = (u16)(c->flags & ~(FLAG_C | FLAG_V));
    return set_zn(c, v);
}

static u16 add(cpu *c, u16 a, u16 b, int carry)
{
    uint32_t sum = (uint32_t)a + b + (uint32_t)carry;
    u16 v = (u16)sum;
    set_flag(c, FLAG_C, sum >> 16);
    set_flag(c, FLAG_V, (~(a ^ b) & (a ^ v)) >> 15 & 1);
    return set_zn(c, v);
}

/* Carry means "no borrow", so that a - b is a + ~b + 1. */
static u16 sub(cpu *c, u16 a, u16 b, int carry) { return add(c, a, (u16)~b, carry); }

static u16 shift(cpu *c, int op, u16 a, u16 by)
{
    for (by &= 15; by; by--) {
        set_flag(c, FLAG_C, op == OP_shl ? a >> 15 : a & 1);
        switch (op) {
        case OP_shl: a = (u16)(a << 1); break;
        case OP_shr: a = a >> 1; break;
        default: a = (u16)(a >> 1 | (a & 0x8000)); break;
        }
    }
    set_flag(c, FLAG_V, false);
    return set_zn(c, a);
}

static bool holds(const cpu *c, int condition)
{
    bool n = c->flags & FLAG_N, v = c->flags & FLAG_V;
    switch ((enum condition)condition) {
    case IF_mp: return true;
    case IF_z: return c->flags & FLAG_Z;
    case IF_nz: return !(c->flags & FLAG_Z);
    case IF_c: return c->flags & FLAG_C;
    case IF_nc: return !(c->flags & FLAG_C);
    case IF_n: return n;
    case IF_lt: return n != v;
    case IF_ge: return n == v;
    case IF_COUNT: break;
    }
    return false;
}

static void put_char(cpu *c, int ch)
{
    if (c->out_len + 1 < (int)sizeof c->out) {
        c->out[c->out_len++] = (char)ch;
        c->out[c->out_len] = '\0';
    }
}

static void put_text(cpu *c, const char *s)
{
    while (*s)
        put_char(c, *s++);
}

static void service_putc(cpu *c) { put_char(c, c->r[0] & 0xff); }

static void service_unsigned(cpu *c)
{
    char text[8];
    snprintf(text, sizeof text, "%u", c->r[0]);
    put_text(c, text);
}

static void service_signed(cpu *c)
{
    char text[8];
    int v = c->r[0] < 0x8000 ? c->r[0] : c->r[0] - 0x10000;
    snprintf(text, sizeof text, "%d", v);
    put_text(c, text);
}

static void service_puts(cpu *c)
{
    for (u16 at = c->r[0]; c->mem[at]; at++)
        put_char(c, c->mem[at]);
}

static void service_getc(cpu *c) { c->r[0] = c->in && *c->in ? (u8)*c->in++ : 0xffff; }

static void (*const services[])(cpu *) = { service_putc, service_unsigned, service_signed, service_puts, service_getc };

static status control(cpu *c, int code)
{
    switch (code) {
    case CTL_nop: return RUN_OK;
    case CTL_hlt: return RUN_HALT;
    case CTL_ret:
        c->pc = pop(c);
        return RUN_OK;
    case CTL_rti:
        c->pc = pop(c);
        c->flags = pop(c);
        return RUN_OK;
    case CTL_sei:
        set_flag(c, FLAG_I, true);
        return RUN_OK;
    case CTL_cli:
        set_flag(c, FLAG_I, false);
        return RUN_OK;
    default:
        return TRAP_ILLEGAL;
    }
}

static status execute(cpu *c, u16 w)
{
    int op = op_of(w), d = dst_of(w);
    u16 ext = ext_of(w) ? fetch(c) : 0;
    u16 *r = c->r;
    u16 b = ext_of(w) ? ext : r[src_of(w)];
    u16 at = (u16)(r[src_of(w)] + ext);

    switch (op) {
    case OP_ctl: return control(c, num_of(w));
    case OP_mov: r[d] = b; break;
    case OP_add: r[d] = add(c, r[d], b, 0); break;
    case OP_adc: r[d] = add(c, r[d], b, c->flags >> 2 & 1); break;
    case OP_sub: r[d] = sub(c, r[d], b, 1); break;
    case OP_sbc: r[d] = sub(c, r[d], b, c->flags >> 2 & 1); break;
    case OP_and: r[d] = logical(c, r[d] & b); break;
    case OP_or: r[d] = logical(c, r[d] | b); break;
    case OP_xor: r[d] = logical(c, r[d] ^ b); break;
    case OP_cmp: sub(c, r[d], b, 1); break;
    case OP_mul: r[d] = logical(c, (u16)((uint32_t)r[d] * b)); break;
    case OP_mulh: r[d] = logical(c, (u16)((uint32_t)r[d] * b >> 16)); break;
    case OP_div:
    case OP_mod:
        if (!b)
            return TRAP_DIVIDE;
        r[d] = logical(c, op == OP_div ? r[d] / b : r[d] % b);
        break;
    case OP_shl:
    case OP_shr:
    case OP_sar: r[d] = shift(c, op, r[d], b); break;
    case OP_push: push(c, r[d]); break;
    case OP_pop: r[d] = pop(c); break;
    case OP_not: r[d] = logical(c, (u16)~r[d]); break;
    case OP_neg: r[d] = sub(c, 0, r[d], 1); break;
    case OP_ld:
        if (at & 1)
            return TRAP_ALIGN;
        r[d] = cpu_load16(c, at);
        break;
    case OP_st:
        if (at & 1)
            return TRAP_ALIGN;
        store16(c, at, r[d]);
        break;
    case OP_ldb: r[d] = c->mem[at]; break;
    case OP_stb: store8(c, at, (u8)r[d]); break;
    case OP_jmp:
        if (holds(c, d))
            c->pc = b;
        break;
    case OP_call:
        push(c, c->pc);
        c->pc = b;
        break;
    case OP_sys:
        if (num_of(w) >= (int)(sizeof services / sizeof services[0]))
            return TRAP_SERVICE;
        services[num_of(w)](c);
        break;
    default:
        return TRAP_ILLEGAL;
    }
    return RUN_OK;
}

static int cost(u16 w)
{
    int extra = ext_of(w);
    switch (op_of(w)) {
    case OP_mul:
    case OP_mulh: return 4 + extra;
    case OP_div:
    case OP_mod: return 12 + extra;
    case OP_ld:
    case OP_st:
    case OP_ldb:
    case OP_stb:
    case OP_push:
    case OP_pop:
    case OP_call: return 2 + extra;
    default: return 1 + extra;
    }
}

static void enter_handler(cpu *c, u16 vector)
{
    push(c, c->flags);
    push(c, c->pc);
    set_flag(c, FLAG_I, false);
    c->pc = cpu_load16(c, vector);
}

static void tick_timer(cpu *c)
{
    if (!c->timer_left || --c->timer_left)
        return;
    c->timer_left = cpu_load16(c, TIMER_PORT);
    if ((c->flags & FLAG_I) && cpu_load16(c, VEC_TIMER)) {
        c->interrupts++;
        enter_handler(c, VEC_TIMER);
    }
}

status cpu_step(cpu *c)
{
    u16 w = fetch(c);
    status s = execute(c, w);
    c->instructions++;
    c->cycles += cost(w);
    if (op_of(w) < OP_COUNT)
        c->per_op[op_of(w)]++;
    if (s > RUN_LIMIT && cpu_load16(c, VEC_TRAP)) {
        c->traps++;
        store16(c, TRAP_PORT, (u16)s);
        enter_handler(c, VEC_TRAP);
        s = RUN_OK;
    }
    if (s == RUN_OK)
        tick_timer(c);
    return s;
}

status cpu_run(cpu *c, long limit)
{
    status s = RUN_OK;
    while (s == RUN_OK && limit-- > 0)
        s = cpu_step(c);
    return s == RUN_OK ? RUN_LIMIT : s;
}
