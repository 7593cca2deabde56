    return {0, size};
