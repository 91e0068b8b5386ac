/* Loads libplugin.so by its bare name, which only this program's own RUNPATH leads to, and calls it. */
#include <dlfcn.h>
#include <stdio.h>

int main(void) {
  void *library = dlopen("libplugin.so", RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int (*fill)(int) = (int (*)(int))dlsym(library, "fill");
  int sum = fill ? fill(333) : -1;
  dlclose(library);
  printf("%d\n", sum);
  return sum < 0;
}
