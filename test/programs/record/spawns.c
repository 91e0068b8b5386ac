/* Starts itself in every way that there is; a child writes `marks` as often as its argument says. */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int marks[64];

static void caught(int number) { marks[0] = number; }

static void ended(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    for (int i = 0; i < atoi(argv[1]); i++) marks[i & 63] = i;
    return 0;
  }
  signal(SIGUSR1, caught);
  raise(SIGUSR1);
  char command[4200];
  char *const none[] = {NULL};
  char *arguments[] = {argv[0], "101", NULL};
  pid_t child;
  if (posix_spawn(&child, argv[0], NULL, NULL, arguments, none) != 0) return 1;
  ended(child);
  arguments[1] = "102";
  if (posix_spawnp(&child, argv[0], NULL, NULL, arguments, none) != 0) return 1;
  ended(child);
  snprintf(command, sizeof command, "%s 103", argv[0]);
  if (system(command) != 0) return 1;
  snprintf(command, sizeof command, "%s 104", argv[0]);
  FILE *pipe = popen(command, "r");
  if (!pipe || pclose(pipe) != 0) return 1;
  child = vfork();
  if (child == 0) {
    execl(argv[0], argv[0], "105", (char *)NULL);
    _exit(1);
  }
  ended(child);
  child = fork();
  if (child == 0) {
    marks[1] = 1;
    execle(argv[0], argv[0], "106", (char *)NULL, none);
    _exit(1);
  }
  ended(child);
  return 0;
}
