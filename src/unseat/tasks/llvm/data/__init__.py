"""Programs as sources: the embedded corpus, real projects, folders of C and C++, and compilation databases."""
