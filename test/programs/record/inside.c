/*
 * System calls that libc makes inside itself, between two marks on each thread (getpgid, which nothing else here calls).
 * The argument says what to do; counts are compared with strace's.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void mark(void) { (void)!getpgid(0); }

/* 200 KB through the buffers of two files. */
static void copy(void) {
  FILE *in = tmpfile(), *out = tmpfile();
  char line[4096];
  for (int i = 0; i < 30000; i++) fprintf(in, "%d\n", i);
  rewind(in);
  for (size_t n; (n = fread(line, 1, 100, in)) > 0;) fwrite(line, 1, n, out);
  rewind(out);
  while (fgets(line, sizeof line, out)) {
  }
  fclose(in);
  fclose(out);
}

static void *thread(void *name) {
  mark();
  FILE *file = fopen(name, "r");
  char line[256];
  while (fgets(line, sizeof line, file)) {
  }
  fclose(file);
  free(malloc(1000));
  mark();
  return NULL;
}

static void threads(void) {
  pthread_t all[3];
  for (int i = 0; i < 3; i++) {
    pthread_create(&all[i], NULL, thread, "/etc/passwd");
    pthread_join(all[i], NULL);
  }
}

/* Blocks that malloc maps, moves, gives back; and a heap that grows and shrinks. */
static void blocks(void) {
  char *big = malloc(40 << 20);
  big[5] = 1;
  big = realloc(big, 80 << 20);
  big[70 << 20] = 1;
  free(big);
  static char *small[4000];
  for (int i = 0; i < 4000; i++) small[i] = malloc(1000);
  for (int i = 0; i < 4000; i++) free(small[i]);
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* glibc before 2.37 sorts by merging in memory of its own, asks for the memory size first; opendir and scandir. */
static void folders(void) {
  static int numbers[300000];
  for (int i = 0; i < 300000; i++) numbers[i] = i * 7919L % 300007;
  qsort(numbers, 300000, sizeof *numbers, compare);
  DIR *folder = opendir("/usr/lib");
  while (readdir(folder)) {
  }
  closedir(folder);
  struct dirent **list;
  int count = scandir("/etc", &list, NULL, alphasort);
  while (count-- > 0) free(list[count]);
  free(list);
  free(realpath("/usr/bin/../lib", NULL));
}

static void nothing(int number) { (void)number; }

static void signals(void) {
  struct sigaction action = {.sa_handler = nothing};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t mask, before;
  sigfillset(&mask);
  sigprocmask(SIG_BLOCK, &mask, &before);
  raise(SIGUSR1);
  sigprocmask(SIG_SETMASK, &before, NULL);
  raise(SIGUSR1);
}

static void commands(void) {
  if (system("exit 3") == -1) exit(9);
  FILE *pipe = popen("echo one two", "r");
  char line[100];
  while (fgets(line, sizeof line, pipe)) {
  }
  pclose(pipe);
  pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
}

#define PATH "inside.scratch"

/* Each public function that the runtime stands in front of. */
static void wrappers(void) {
  char text[4096] = "text";
  struct iovec part = {text, 4};
  struct stat info;
  struct timespec moment = {0, 1000};
  mkdir(PATH ".d", 0700);
  rmdir(PATH ".d");
  int fd = open(PATH, O_RDWR | O_CREAT | O_TRUNC, 0600);
  close(creat(PATH "2", 0600));
  close(openat(AT_FDCWD, PATH, O_RDONLY));
  (void)!write(fd, text, 4);
  (void)!pwrite(fd, text, 4, 0);
  (void)!writev(fd, &part, 1);
  (void)!pwritev(fd, &part, 1, 0);
  lseek(fd, 0, SEEK_SET);
  (void)!read(fd, text, 4);
  (void)!pread(fd, text, 4, 0);
  (void)!readv(fd, &part, 1);
  (void)!preadv(fd, &part, 1, 0);
  fsync(fd);
  fdatasync(fd);
  (void)!ftruncate(fd, 100);
  (void)!truncate(PATH, 50);
  fallocate(fd, 0, 0, 100);
  flock(fd, LOCK_EX);
  fcntl(fd, F_GETFL);
  ioctl(fd, FIONREAD, text);
  fstat(fd, &info);
  stat(PATH, &info);
  lstat(PATH, &info);
  fstatat(AT_FDCWD, PATH, &info, 0);
  access(PATH, R_OK);
  faccessat(AT_FDCWD, PATH, R_OK, 0);
  close(dup(fd));
  close(dup2(fd, 50));
  close(dup3(fd, 51, O_CLOEXEC));
  off_t at = 0;
  int copy = open(PATH "2", O_RDWR);
  (void)!sendfile(copy, fd, &at, 4);
  loff_t from = 0, to = 0;
  (void)!copy_file_range(fd, &from, copy, &to, 4, 0);
  close(copy);
  rename(PATH "2", PATH "3");
  unlink(PATH "3");
  unlinkat(AT_FDCWD, PATH, 0);
  (void)!readlink("/proc/self/exe", text, sizeof text);
  (void)!readlinkat(AT_FDCWD, "/proc/self/exe", text, sizeof text);
  (void)!getrandom(text, 10, 0);
  (void)!chdir(".");
  int ends[2];
  (void)!pipe(ends);
  (void)!write(ends[1], text, 1);
  struct pollfd wanted = {ends[0], POLLIN, 0};
  poll(&wanted, 1, 0);
  ppoll(&wanted, 1, &moment, NULL);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval soon = {0, 0};
  select(ends[0] + 1, &set, NULL, NULL, &soon);
  pselect(ends[0] + 1, &set, NULL, NULL, &moment, NULL);
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  epoll_wait(epoll, &event, 1, 0);
  epoll_pwait(epoll, &event, 1, 0, NULL);
  close(epoll);
  close(eventfd(0, 0));
  (void)!pipe2(ends, O_CLOEXEC);
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  send(pair[0], text, 2, 0);
  recv(pair[1], text, 2, 0);
  sendto(pair[0], text, 2, 0, NULL, 0);
  recvfrom(pair[1], text, 2, 0, NULL, NULL);
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  sendmsg(pair[0], &message, 0);
  recvmsg(pair[1], &message, 0);
  int value;
  socklen_t length = sizeof value;
  getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &length);
  setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value);
  shutdown(pair[0], SHUT_RDWR);
  struct sockaddr name = {AF_UNIX, {0}};
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(server, &name, sizeof(sa_family_t));
  listen(server, 1);
  accept(-1, NULL, NULL);
  accept4(-1, NULL, NULL, 0);
  connect(-1, &name, sizeof name);
  nanosleep(&moment, NULL);
  clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
  usleep(1);
  sleep(0);
  sched_yield();
  char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  map = mremap(map, 8192, 16384, MREMAP_MAYMOVE);
  mprotect(map, 4096, PROT_READ);
  madvise(map, 4096, MADV_WILLNEED);
  mlock(map, 4096);
  munlock(map, 4096);
  msync(map, 4096, MS_ASYNC);
  munmap(map, 16384);
  (void)!sbrk(4096);
  getpid();
  getppid();
  getuid();
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  struct utsname system_name;
  uname(&system_name);
  struct tms used;
  times(&used);
  kill(getpid(), 0);
  wait(NULL);
  waitpid(-1, NULL, 0);
  wait3(NULL, 0, NULL);
  wait4(-1, NULL, 0, NULL);
  siginfo_t ended;
  waitid(P_ALL, 0, &ended, WEXITED);
  closefrom(60);
  close_range(60, 100, 0);
}

static const struct {
  const char *name;
  void (*run)(void);
} all[] = {{"copy", copy},       {"threads", threads},   {"blocks", blocks},    {"folders", folders},
           {"signals", signals}, {"commands", commands}, {"wrappers", wrappers}};

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(argv[1], all[i].name) == 0) {
      mark();
      all[i].run();
      mark();
      return 0;
    }
  return 2;
}
