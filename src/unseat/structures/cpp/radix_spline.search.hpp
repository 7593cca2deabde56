@SPREAD@
    const std::uint64_t place = std::max(own, shape[0]) - shape[0], prefix = spread >> (64 - shape[4]);
    const std::uint64_t* found = std::lower_bound(places + table[prefix], places + table[prefix + 1], place);
    const auto most = static_cast<std::ptrdiff_t>(places_size) - 1;
    const std::ptrdiff_t knot = std::min(std::max<std::ptrdiff_t>(found - places, 1), most);
    const std::uint64_t start = places[knot - 1];
    const std::int64_t before = ranks[knot - 1], rise = ranks[knot] - before;
    const double run = static_cast<double>(std::max<std::uint64_t>(places[knot] - start, 1));
    const double part = static_cast<double>(rise) / run * static_cast<double>(std::min(place, places[knot]) - start);
    const std::int64_t guess = before + std::min(static_cast<std::int64_t>(part), rise);
    const auto count = static_cast<std::int64_t>(size);
    const std::int64_t low = std::min(std::max<std::int64_t>(guess - errors[0], 0), count);
    const std::int64_t high = std::max(std::min(guess + errors[1], count), low);
    return {static_cast<std::size_t>(low), static_cast<std::size_t>(high)};
