@SPREAD@
    // The root: a spline on segments of equal width.
    const std::uint64_t segment = spread >> (64 - shape[4]), rest = (spread << shape[4]) >> 32;
    const std::uint64_t here = table[segment], there = table[segment + 1];
    const std::uint64_t place = (here << 32) + rest * (there - here);
