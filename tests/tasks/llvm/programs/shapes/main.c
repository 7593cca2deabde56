#include <stdio.h>

enum kind { BOX, CIRCLE, TRIANGLE };
struct shape { enum kind kind; int a, b; };

static int box_area(int a, int b) {
    return a * b;
}

static int circle_area(int r) {
    return 314 * r * r / 100;
}

static int triangle_area(int a, int b) {
    return box_area(a, b) / 2;
}

static int area(const struct shape *shape) {
    switch (shape->kind) {
    case BOX: return box_area(shape->a, shape->b);
    case CIRCLE: return circle_area(shape->a);
    default: return triangle_area(shape->a, shape->b);
    }
}

static int larger(const struct shape *one, const struct shape *other) {
    return area(one) > area(other);
}

static void swap(struct shape *one, struct shape *other) {
    struct shape kept = *one;
    *one = *other;
    *other = kept;
}

static void sort(struct shape *shapes, int count) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j + 1 < count - i; j++)
            if (larger(&shapes[j], &shapes[j + 1]))
                swap(&shapes[j], &shapes[j + 1]);
}

int main(void) {
    struct shape shapes[] = {{BOX, 3, 4}, {CIRCLE, 2, 0}, {TRIANGLE, 5, 3}, {BOX, 1, 1}};
    sort(shapes, 4);
    for (int i = 0; i < 4; i++)
        printf("%d %d\n", shapes[i].kind, area(&shapes[i]));
    return 0;
}
