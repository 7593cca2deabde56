/* What is counted in a module, through LLVM's C interface (`worker`): a call of it from Python costs as much as a hundred
   from here, and there are two for every instruction. It includes nothing, so that it compiles where clang is alone. */

typedef void *Ref;

Ref LLVMGetFirstFunction(Ref), LLVMGetNextFunction(Ref), LLVMGetFirstGlobal(Ref), LLVMGetNextGlobal(Ref);
Ref LLVMGetFirstBasicBlock(Ref), LLVMGetNextBasicBlock(Ref), LLVMGetPreviousBasicBlock(Ref);
Ref LLVMGetFirstInstruction(Ref), LLVMGetNextInstruction(Ref), LLVMGetBasicBlockTerminator(Ref);
Ref LLVMGetSuccessor(Ref, unsigned);
unsigned LLVMGetNumSuccessors(Ref);
int LLVMGetInstructionOpcode(Ref);

enum { OPCODES = 80 };
struct counts {
    long long opcodes[OPCODES];
    long long functions, declarations, globals, blocks, edges, backward, single;
};

/* Whether a block is another one or lies before it. */
static int not_after(Ref one, Ref other) {
    while (other && other != one)
        other = LLVMGetPreviousBasicBlock(other);
    return other != 0;
}

void unseat_count(Ref module, struct counts *to) {
    for (Ref global = LLVMGetFirstGlobal(module); global; global = LLVMGetNextGlobal(global))
        to->globals++;
    for (Ref function = LLVMGetFirstFunction(module); function; function = LLVMGetNextFunction(function)) {
        Ref first = LLVMGetFirstBasicBlock(function);
        to->declarations += !first;
        to->functions += first != 0;
        to->single += first && !LLVMGetNextBasicBlock(first);
        for (Ref block = first; block; block = LLVMGetNextBasicBlock(block)) {
            to->blocks++;
            for (Ref one = LLVMGetFirstInstruction(block); one; one = LLVMGetNextInstruction(one)) {
                int opcode = LLVMGetInstructionOpcode(one);
                to->opcodes[opcode > 0 && opcode < OPCODES ? opcode : 0]++;
            }
            Ref end = LLVMGetBasicBlockTerminator(block);
            unsigned leads = end ? LLVMGetNumSuccessors(end) : 0;
            to->edges += leads;
            for (unsigned number = 0; number < leads; number++)
                to->backward += not_after(LLVMGetSuccessor(end, number), block);
        }
    }
}
