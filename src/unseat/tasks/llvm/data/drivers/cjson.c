#include "common.h"
#include "cJSON.h"
#include "cJSON_Utils.h"

static const char given[] =
    "{\"name\": \"a \\u00e9 b\", \"list\": [1, 2.5, -3e2, true, false, null, {\"deep\": [[], {}]}], \"more\": {\"x\": 1}}";
static const char wanted[] = "{\"name\": \"other\", \"list\": [1, 2, {\"deep\": [[1], {}]}], \"less\": {\"x\": 2}}";

int main(void) {
    cJSON *from = cJSON_Parse(given), *to = cJSON_Parse(wanted), *copy = cJSON_Duplicate(from, 1);
    cJSON *patch = cJSONUtils_GeneratePatches(copy, to);
    char *text = cJSON_Print(from), *plain = cJSON_PrintUnformatted(patch);
    printf("%s\n%s\n", text, plain);
    printf("applied: %d, equal: %d\n", cJSONUtils_ApplyPatches(copy, patch), cJSON_Compare(copy, to, 1));
    printf("wrong: %d\n", cJSON_Parse("{\"a\": [1, }") != NULL);
    for (int at = 0; at < 2000; at++) cJSON_AddItemToArray(cJSON_GetObjectItem(from, "list"), cJSON_CreateNumber(at / 7.0));
    char *long_text = cJSON_PrintBuffered(from, 64, 0);
    cJSON *again = cJSON_Parse(long_text);
    printf("equal: %d, checksum %08lx\n", cJSON_Compare(from, again, 1),
           (unsigned long)checksum((unsigned char *)long_text, strlen(long_text)));
    free(text), free(plain), free(long_text);
    cJSON_Delete(from), cJSON_Delete(to), cJSON_Delete(copy), cJSON_Delete(patch), cJSON_Delete(again);
    return 0;
}
