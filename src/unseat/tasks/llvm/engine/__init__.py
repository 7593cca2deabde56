"""The compiler: found, run in processes of its own, and asked for its decisions over LLVM's interactive channel."""
