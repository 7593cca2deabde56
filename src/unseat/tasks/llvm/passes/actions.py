"""What can be done to a module: LLVM's passes and pipelines, by short names.

Left out are passes that check, print or instrument, that drop symbols, debug information or metadata, that are for
other languages or targets, that end LLVM on some program of the corpus, and the attributor, which LLVM does not run by
itself and which spoils several of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unseat.core.policy import InvalidAnswer

LEVELS = ("-O1", "-O2", "-O3", "-Os", "-Oz")
"""The whole pipelines of clang. The functions say themselves that they are to be small, whichever it is."""

_MODULE = (
    "always-inline", "called-value-propagation", "constmerge", "deadargelim", "elim-avail-extern",
    "globaldce", "globalopt", "global-merge-func", "hotcoldsplit", "inferattrs", "ipsccp", "iroutliner", "mergefunc",
    "module-inline", "partial-inliner", "rpo-function-attrs", "strip-dead-prototypes",
)  # fmt: skip
_CALL_GRAPH = ("argpromotion", "function-attrs", "inline")
_FUNCTION = (
    "adce", "aggressive-instcombine", "bdce", "break-crit-edges", "callsite-splitting", "chr", "consthoist",
    "constraint-elimination", "correlated-propagation", "dce", "dfa-jump-threading", "div-rem-pairs", "dse",
    "early-cse", "early-cse<memssa>", "flatten-cfg", "float2int", "gvn", "gvn-hoist", "gvn-sink", "infer-alignment",
    "instsimplify", "jump-threading", "lcssa", "libcalls-shrinkwrap", "load-store-vectorizer", "loop-distribute",
    "loop-fusion", "loop-load-elim", "loop-simplify", "loop-sink", "loop-unroll<O2>", "loop-vectorize", "lower-expect",
    "lower-switch", "mem2reg", "memcpyopt", "mergeicmps", "mldst-motion", "nary-reassociate", "newgvn",
    "partially-inline-libcalls", "reassociate", "sccp", "separate-const-offset-from-gep", "sink", "slp-vectorizer",
    "slsr", "speculative-execution", "sroa", "tailcallelim", "typepromotion", "vector-combine",
)  # fmt: skip
_LOOP = (
    "canon-freeze", "indvars", "loop-deletion", "loop-idiom", "loop-instsimplify", "loop-predication", "loop-reduce",
    "loop-rotate", "loop-unroll-full", "loop-versioning-licm",
)  # fmt: skip
_MEMORY_LOOP = ("licm", "lnicm", "loop-simplifycfg", "simple-loop-unswitch")
_NEST = ("loop-flatten", "loop-interchange", "loop-unroll-and-jam")
_ADVANCED = "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-lookup;no-keep-loops;hoist-common-insts;"

_SCALAR = (
    "sroa,early-cse<memssa>,jump-threading,correlated-propagation,simplifycfg,instcombine<no-verify-fixpoint>,"
    "reassociate,sccp,bdce,memcpyopt,dse,adce,simplifycfg,instcombine<no-verify-fixpoint>"
)
"""What LLVM runs on a function before its callers are looked at, but for the passes for loops: they enlarge code."""

_SIMPLIFIED = "function-simplification<O2>"
"""What LLVM runs there itself."""

PIPELINES: Mapping[str, str] = {
    **{level: f"default<{level[1:] if level[2].isdigit() else 'O2'}>" for level in LEVELS},
    **{name: name for name in _MODULE},
    **{name: f"cgscc({name})" for name in _CALL_GRAPH},
    **{name: f"function({name})" for name in _FUNCTION},
    # LLVM ends the process where the pass finds more to do the second time, unless it is told not to look.
    "instcombine": "function(instcombine<no-verify-fixpoint>)",
    "simplifycfg": "function(simplifycfg)",
    "gvn<no-pre>": "function(gvn<no-scalar-pre;no-load-pre>)",
    "ipsccp<no-func-spec>": "ipsccp<no-func-spec>",
    "simplify": f"function({_SIMPLIFIED})",
    "scalar": f"function({_SCALAR})",
    "inline<simplify>": f"cgscc(devirt<4>(inline,function-attrs,function({_SIMPLIFIED})))",
    "inline<scalar>": f"cgscc(devirt<4>(inline,function-attrs,function({_SCALAR})))",
    "simplifycfg<sink>": f"function({_ADVANCED}sink-common-insts>)",
    **{name: f"function(loop({name}))" for name in _LOOP},
    **{name: f"function(loop-mssa({name}))" for name in _MEMORY_LOOP},
    **{name: f"function(loop({name}))" for name in _NEST},
}
"""Name to what ``opt -passes=`` takes. Each is complete in itself, so that they can be joined by commas."""

NAMES: Sequence[str] = tuple(PIPELINES)
"""The names, in the order of the actions."""

MOST = 45
"""Passes of a sequence at most."""


def checked(answer: object) -> tuple[str, ...]:
    """A whole answer: the names of at most `MOST` passes, in their order.

    Raises:
        InvalidAnswer: It is something else.
    """
    if not isinstance(answer, list | tuple) or len(answer) > MOST:
        raise InvalidAnswer(f"a sequence is a list of at most {MOST} names of passes, not {answer!r:.80}")
    unknown = [name for name in answer if not (isinstance(name, str) and name in PIPELINES)]
    if unknown:
        raise InvalidAnswer(f"there is no pass {unknown[0]!r:.80} among the actions")
    return tuple(answer)
