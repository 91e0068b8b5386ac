/* Loaded while the program runs. */
#include <stdlib.h>
#include <string.h>

char *plugin_block(void) {
  char *block = malloc(100000); /* plug-in */
  return block ? memset(block, 9, 100000) : NULL;
}
