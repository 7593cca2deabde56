    const int side = query.substr(0, shared().size()).compare(shared());
    if (side != 0) return side < 0 ? std::pair<std::size_t, std::size_t>{0, 0} : std::pair{size, size};
    return window(text_code(query));
