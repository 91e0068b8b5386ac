/*
 * A process that forks, whose child executes this program again with an argument: three processes, of which the first
 * writes `mine` 1,000 times, its child 2,000 times, and what that executes 3,000 times. `./family KILL` kills itself
 * after 500,000 writes.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile long mine;

static void write_times(long times) {
  for (long i = 0; i < times; i++) mine = i;
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "KILL") == 0) {
    write_times(500000);
    kill(getpid(), SIGKILL);
  }
  if (count > 1) {
    write_times(3000);
    return 0;
  }
  pid_t child = fork();
  if (child == 0) {
    write_times(2000);
    char *none[] = {NULL};
    /* As a search along PATH does. */
    for (int i = 0; i < 3; i++) execve("/nowhere/family", arguments, none);
    execve(arguments[0], (char *[]){arguments[0], "again", NULL}, none);
    return 1;
  }
  write_times(1000);
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
