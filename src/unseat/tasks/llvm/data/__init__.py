"""Programs as sources: the embedded corpus, folders of C and C++, and compilation databases."""
