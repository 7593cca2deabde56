#include <stdio.h>
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static const char script[] =
    "local function sieve(n) local p, c = {}, {} for i = 2, n do if not c[i] then p[#p + 1] = i "
    "for j = i * i, n, i do c[j] = true end end end return p end\n"
    "print(#sieve(20000), table.concat(sieve(50), ','))\n"
    "local words = {} for w in ('the cache evicts a block and the queue grows'):gmatch('%a+') do "
    "words[w] = (words[w] or 0) + 1 end\n"
    "local keys = {} for k in pairs(words) do keys[#keys + 1] = k end table.sort(keys)\n"
    "for _, k in ipairs(keys) do io.write(k, '=', words[k], ' ') end print()\n"
    "local C = setmetatable({}, {__index = function(t, k) return k * 2 end, __call = function(_, a, b) return a // b end})\n"
    "print(C[21], C(7, 2), 7 % -3, 2^10, 0x10 >> 2, ('%5.2f|%q'):format(math.pi, 'a\\nb'))\n"
    "local co = coroutine.wrap(function(a) for i = 1, 3 do a = coroutine.yield(a * i) end return 'done' end)\n"
    "print(co(2), co(3), co(4), co(5))\n"
    "print(pcall(error, {code = 1}), select('#', 1, nil, 3), string.rep('ab', 3, '-'), ('x'):byte(), #utf8.char(233, 8364))\n"
    "print(load('return 1 +')) print(tostring(1e100), 1 < 1.5, math.type(3), 10 // 0.3, string.pack('>I2', 258):byte(1, 2))\n"
    "goto out do print('never') end ::out:: print(collectgarbage('count') > 0, os.time{year = 2020, month = 1, day = 2, hour = 12} > 0)\n";

int main(void) {
    lua_State *state = luaL_newstate();
    luaL_openlibs(state);
    if (luaL_dostring(state, script)) {
        printf("%s\n", lua_tostring(state, -1));
        return 1;
    }
    lua_close(state);
    return 0;
}
