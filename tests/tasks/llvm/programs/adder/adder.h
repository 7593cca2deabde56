int adder_add(int one, int other);
int adder_clamp(int value, int low, int high);
