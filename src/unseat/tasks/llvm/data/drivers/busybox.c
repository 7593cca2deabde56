#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common.h"

typedef int applet(int, char **);
applet awk_main, bc_main, cut_main, dc_main, diff_main, expr_main, grep_main, md5_sha1_sum_main, sed_main, sort_main, tr_main;

/* What busybox's own main would bring along. */
const char *applet_name;
char bb_common_bufsiz1[1024];
extern int *bb_errno;

void bb_show_usage(void) { exit(1); }

unsigned string_array_len(char **words) {
    unsigned count = 0;
    while (words[count]) count++;
    return count;
}

/* Runs an applet in a process of its own, as a shell does, and says how it ended. */
static void run(applet *chosen, const char *input, char **words) {
    int status = 0;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (!child) {
        applet_name = words[0];
        /* Applets cut their arguments into pieces. */
        for (char **word = words; *word; word++) *word = strdup(*word);
        bb_errno = &errno;
        if (!freopen(input, "r", stdin)) exit(99);
        exit(chosen((int)string_array_len(words), words));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) exit(1);
    printf("%s: %d\n", words[0], WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

#define RUN(name, input, ...) run(name##_main, input, (char *[]){#name, __VA_ARGS__, NULL})

static void write_file(const char *path, const char *data, size_t size) {
    FILE *file = fopen(path, "w");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) exit(1);
}

static const char counting[] =
    "{ for (i = 1; i <= NF; i++) { w = tolower($i); gsub(/[^a-z]/, \"\", w); if (w) n[w]++ } total += length($0) }\n"
    "function fib(k) { return k < 2 ? k : fib(k - 1) + fib(k - 2) }\n"
    "END { for (w in n) print n[w], w >\"counts\"; close(\"counts\"); print NR, total, fib(15);\n"
    "  split(\"b:a:c\", part, \":\"); printf \"%5.2f|%-4s|%x|%s\\n\", atan2(0, -1), part[2], 255, substr(\"inline\", 3, 2);\n"
    "  s = \"one two\"; sub(/t[a-z]+/, \"[&]\", s); print s, index(s, \"[\"), match(s, /n+/), RSTART, RLENGTH, 2 ^ 10 % 7 }";

static const char reckoning[] =
    "define f(n) { if (n < 2) return 1; return n * f(n - 1) }\nf(30)\nscale = 20\nsqrt(2)\n2 ^ 100 / 3\n"
    "for (i = 0; i < 3; ++i) { a[i] = i * i; a[i] }\nobase = 16\n255 * 255\n";

static const char stack[] = "20k 2v p 1 2 3 f + p [la1+dsa*pla10>y]sy 0sa1 lyx 16o 255 p";

int main(void) {
    static char text[12000], other[12000];
    size_t size = make_text((unsigned char *)text, sizeof text, 9);
    memcpy(other, text, size);
    memcpy(other + 700, "QUEUE", 5);
    other[5000] = other[9000] = '\n';
    write_file("text", text, size);
    write_file("other", other, size);
    write_file("bc", reckoning, sizeof reckoning - 1);
    write_file("dc", stack, sizeof stack - 1);
    RUN(awk, "text", (char *)counting);
    RUN(sort, "counts", "-k1nr", "-k2");
    RUN(sort, "text", "-u", "-r", "-f");
    RUN(sed, "text", "-n", "-e", "1,40{s/\\(cache\\) \\([a-z]*\\)/<\\2 \\1>/gp;/block/!{N;s/\\n/+/;P;D}}",
        "-e", "$!{h;d}", "-e", "y/abc/ABC/;G;=;p");
    RUN(sed, "other", "-e", ":a", "-e", "s/^\\(.\\{1,20\\}\\)the/\\1/;ta", "-e", "3,9d;$a\\", "-e", "end", "-e", "/up/c\\", "-e", "down");
    RUN(grep, "text", "-n", "-i", "-c", "-E", "(cache|queue) +(evicts|the)");
    RUN(grep, "text", "-o", "-m", "5", "-A", "1", "abba [a-z]*", "-i");
    RUN(grep, "text", "-v", "-F", "-e", "a", "-e", "e");
    RUN(diff, "text", "-u", "text", "other");
    RUN(bc, "bc", "-q");
    run(dc_main, "dc", (char *[]){"dc", NULL});
    RUN(cut, "other", "-d", " ", "-f", "2,4-5");
    RUN(tr, "text", "-s", "[:lower:] ", "[:upper:]_");
    RUN(expr, "text", "(", "7", "*", "6", ")", "%", "5", "+", "length", "inline");
    RUN(expr, "text", "cache42", ":", "[a-z]*\\([0-9]*\\)");
    for (int kind = 0; kind < 5; kind++) {
        static char *const names[] = {"md5sum", "sha1sum", "sha256sum", "sha512sum", "sha3sum"};
        run(md5_sha1_sum_main, "text", (char *[]){names[kind], "text", "other", NULL});
    }
    return 0;
}
