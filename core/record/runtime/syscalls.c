/*
 * System calls, as the program makes them through libc's public functions: number, result and relayed bytes, and the
 * buffers that the kernel filled. A call that may block lets the merge go on without this thread. Those that libc makes
 * inside others of its functions are seen by dispatch.c.
 *
 * One line a function: SIMPLE relays no bytes, OUT is given a buffer to send, IN one to fill; *V variants take vectors.
 */
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
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
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a wrapper of libc's function knows of its call: result is -1 with errno set, or the kernel's. */
static void called(long number, long result, uint64_t bytes) {
  struct pl_context *c = pl_recording();
  if (c) pl_called(c, number, result == -1 ? -(long)errno : result, bytes);
}

static void filled(const void *p, uint64_t bytes) {
  struct pl_context *c = pl_recording();
  if (c) pl_filled(c, p, bytes);
}

static void filled_vector(const struct iovec *parts, int count, long bytes) {
  struct pl_context *c = pl_recording();
  if (c) pl_filled_vector(c, parts, count, bytes);
}

/* The real call, errno kept over what is recorded of it. `record` sees `result`. */
#define MAKE(type, name, number, arguments, bytes, record) \
  PL_NATIVE(); \
  type result = REAL(name) arguments; \
  int saved = errno; \
  called(number, (long)result, bytes); \
  record; \
  errno = saved; \
  return result;
#define MAKE_BLOCKING(type, name, number, arguments, bytes, record) \
  PL_NATIVE(); \
  struct pl_context *pl_waiting = pl_block(); \
  type result = REAL(name) arguments; \
  int saved = errno; \
  pl_unblock(pl_waiting); \
  called(number, (long)result, bytes); \
  record; \
  errno = saved; \
  return result;
#define CALL(type, name, number, parameters, arguments, bytes, record) \
  PL_EXPORT type name parameters { MAKE(type, name, number, arguments, bytes, record) }
#define BLOCKING(type, name, number, parameters, arguments, bytes, record) \
  PL_EXPORT type name parameters { MAKE_BLOCKING(type, name, number, arguments, bytes, record) }
#define MOVED (result > 0 ? (uint64_t)result : 0)
#define SIMPLE(type, name, number, parameters, arguments) CALL(type, name, number, parameters, arguments, 0, )
#define WAIT(type, name, number, parameters, arguments) BLOCKING(type, name, number, parameters, arguments, 0, )
#define OUT(type, name, number, parameters, arguments) BLOCKING(type, name, number, parameters, arguments, MOVED, )
#define IN(type, name, number, parameters, arguments, buffer) \
  BLOCKING(type, name, number, parameters, arguments, MOVED, filled(buffer, MOVED))

/* By which system call libc does these depends on its version. Where it traps that is seen; the number here is for
 * kernels where it does not. */
#define LEAVE_TO_TRAP(name, arguments) \
  if (pl_dispatch.on) return REAL(name) arguments;
#define VARIES(type, name, number, parameters, arguments) \
  PL_EXPORT type name parameters { \
    LEAVE_TO_TRAP(name, arguments) \
    MAKE(type, name, number, arguments, 0, ) \
  }
#define WAIT_VARIES(type, name, number, parameters, arguments) \
  PL_EXPORT type name parameters { \
    LEAVE_TO_TRAP(name, arguments) \
    MAKE_BLOCKING(type, name, number, arguments, 0, ) \
  }
/* Fills one structure when it succeeds. */
#define FILLS(type, name, number, parameters, arguments, pointer) \
  PL_EXPORT type name parameters { \
    LEAVE_TO_TRAP(name, arguments) \
    MAKE(type, name, number, arguments, 0, if (result != (type)-1) filled(pointer, sizeof *(pointer))) \
  }

/* ---- reading and writing ---- */

IN(ssize_t, read, SYS_read, (int fd, void *p, size_t n), (fd, p, n), p)
IN(ssize_t, pread, SYS_pread64, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), p)
IN(ssize_t, pread64, SYS_pread64, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at), p)
OUT(ssize_t, write, SYS_write, (int fd, const void *p, size_t n), (fd, p, n))
OUT(ssize_t, pwrite, SYS_pwrite64, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
OUT(ssize_t, pwrite64, SYS_pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))
BLOCKING(ssize_t, readv, SYS_readv, (int fd, const struct iovec *parts, int count), (fd, parts, count), MOVED,
         filled_vector(parts, count, result))
BLOCKING(ssize_t, preadv, SYS_preadv, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at),
         MOVED, filled_vector(parts, count, result))
OUT(ssize_t, writev, SYS_writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
OUT(ssize_t, pwritev, SYS_pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
OUT(ssize_t, sendfile, SYS_sendfile, (int out, int in, off_t *at, size_t n), (out, in, at, n))
OUT(ssize_t, splice, SYS_splice, (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags),
    (in, in_at, out, out_at, n, flags))
OUT(ssize_t, copy_file_range, SYS_copy_file_range,
    (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags), (in, in_at, out, out_at, n, flags))
IN(ssize_t, getrandom, SYS_getrandom, (void *p, size_t n, unsigned flags), (p, n, flags), p)
IN(ssize_t, readlink, SYS_readlink, (const char *path, char *p, size_t n), (path, p, n), p)
IN(ssize_t, readlinkat, SYS_readlinkat, (int dir, const char *path, char *p, size_t n), (dir, path, p, n), p)

/* ---- files ---- */

#define MODE(flags) \
  unsigned mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list list; \
    va_start(list, flags); \
    mode = va_arg(list, unsigned); \
    va_end(list); \
  }
#define OPEN(name) \
  PL_EXPORT int name(const char *path, int flags, ...) { \
    MODE(flags) \
    PL_NATIVE(); \
    int result = REAL(name)(path, flags, mode); \
    int saved = errno; \
    called(SYS_openat, result, 0); \
    errno = saved; \
    return result; \
  }
#define OPENAT(name) \
  PL_EXPORT int name(int dir, const char *path, int flags, ...) { \
    MODE(flags) \
    PL_NATIVE(); \
    int result = REAL(name)(dir, path, flags, mode); \
    int saved = errno; \
    called(SYS_openat, result, 0); \
    errno = saved; \
    return result; \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
#ifdef SYS_creat
SIMPLE(int, creat, SYS_creat, (const char *path, mode_t mode), (path, mode))
#endif

/* The meta file's descriptor is not the program's to close. */
PL_EXPORT int close(int fd) {
  if (fd >= 0 && fd == pl_meta_fd) {
    errno = EBADF;
    return -1;
  }
  PL_NATIVE();
  int result = REAL(close)(fd);
  int saved = errno;
  called(SYS_close, result, 0);
  errno = saved;
  return result;
}

/* Gives up the meta file's descriptor to a program that wants its number; it is opened anew when next needed. */
static void yield(int fd) {
  if (fd < 0 || fd != pl_meta_fd) return;
  struct pl_guard guard = pl_lock();
  PL_SYS1(SYS_close, pl_meta_fd);
  pl_meta_fd = -1;
  pl_unlock(guard);
}

#define GIVES(name, number, parameters, arguments) \
  PL_EXPORT int name parameters { \
    yield(to); \
    PL_NATIVE(); \
    int result = REAL(name) arguments; \
    int saved = errno; \
    called(number, result, 0); \
    errno = saved; \
    return result; \
  }
#ifndef SYS_dup2
#define SYS_dup2 SYS_dup3
#endif
GIVES(dup2, SYS_dup2, (int from, int to), (from, to))
GIVES(dup3, SYS_dup3, (int from, int to, int flags), (from, to, flags))
PL_EXPORT int close_range(unsigned first, unsigned last, int flags) {
  if ((unsigned)pl_meta_fd >= first && (unsigned)pl_meta_fd <= last) yield(pl_meta_fd);
  return REAL(close_range)(first, last, flags);
}
PL_EXPORT void closefrom(int first) {
  if (pl_meta_fd >= first) yield(pl_meta_fd);
  REAL(closefrom)(first);
}

SIMPLE(int, dup, SYS_dup, (int fd), (fd))
SIMPLE(off_t, lseek, SYS_lseek, (int fd, off_t at, int from), (fd, at, from))
SIMPLE(off64_t, lseek64, SYS_lseek, (int fd, off64_t at, int from), (fd, at, from))
WAIT(int, fsync, SYS_fsync, (int fd), (fd))
WAIT(int, fdatasync, SYS_fdatasync, (int fd), (fd))
WAIT(int, msync, SYS_msync, (void *p, size_t n, int flags), (p, n, flags))
SIMPLE(int, ftruncate, SYS_ftruncate, (int fd, off_t length), (fd, length))
SIMPLE(int, ftruncate64, SYS_ftruncate, (int fd, off64_t length), (fd, length))
SIMPLE(int, truncate, SYS_truncate, (const char *path, off_t length), (path, length))
VARIES(int, unlink, SYS_unlink, (const char *path), (path))
SIMPLE(int, unlinkat, SYS_unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
VARIES(int, rename, SYS_rename, (const char *from, const char *to), (from, to))
VARIES(int, mkdir, SYS_mkdir, (const char *path, mode_t mode), (path, mode))
VARIES(int, rmdir, SYS_rmdir, (const char *path), (path))
SIMPLE(int, chdir, SYS_chdir, (const char *path), (path))
VARIES(int, access, SYS_access, (const char *path, int mode), (path, mode))
VARIES(int, faccessat, SYS_faccessat, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
WAIT(int, flock, SYS_flock, (int fd, int operation), (fd, operation))
SIMPLE(int, fallocate, SYS_fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
FILLS(int, stat, SYS_newfstatat, (const char *restrict path, struct stat *restrict p), (path, p), p)
FILLS(int, fstat, SYS_fstat, (int fd, struct stat *p), (fd, p), p)
FILLS(int, lstat, SYS_newfstatat, (const char *restrict path, struct stat *restrict p), (path, p), p)
FILLS(int, fstatat, SYS_newfstatat, (int dir, const char *restrict path, struct stat *restrict p, int flags),
      (dir, path, p, flags), p)
FILLS(int, stat64, SYS_newfstatat, (const char *restrict path, struct stat64 *restrict p), (path, p), p)
FILLS(int, fstat64, SYS_fstat, (int fd, struct stat64 *p), (fd, p), p)
FILLS(int, lstat64, SYS_newfstatat, (const char *restrict path, struct stat64 *restrict p), (path, p), p)
CALL(int, pipe, SYS_pipe2, (int fds[2]), (fds), 0, if (result == 0) filled(fds, 2 * sizeof *fds))
CALL(int, pipe2, SYS_pipe2, (int fds[2], int flags), (fds, flags), 0, if (result == 0) filled(fds, 2 * sizeof *fds))
VARIES(int, eventfd, SYS_eventfd2, (unsigned count, int flags), (count, flags))

PL_EXPORT int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  PL_NATIVE();
  int result = REAL(ioctl)(fd, request, argument);
  int saved = errno;
  called(SYS_ioctl, result, 0);
  /* The request itself says how much it fills: bits 30-31 the direction, 16-29 the size (asm-generic/ioctl.h). */
  if (result != -1 && (request >> 30 & 2)) filled(argument, request >> 16 & 0x3fff);
  errno = saved;
  return result;
}

#define FCNTL(name) \
  PL_EXPORT int name(int fd, int command, ...) { \
    va_list list; \
    va_start(list, command); \
    void *argument = va_arg(list, void *); \
    va_end(list); \
    PL_NATIVE(); \
    struct pl_context *pl_waiting = command == F_SETLKW ? pl_block() : NULL; \
    int result = REAL(name)(fd, command, argument); \
    int saved = errno; \
    pl_unblock(pl_waiting); \
    called(SYS_fcntl, result, 0); \
    errno = saved; \
    return result; \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

/* ---- waiting ---- */

#define TRAPPABLE(mask) pl_trappable(mask, &(sigset_t){{0}})

BLOCKING(int, poll, SYS_poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout), 0,
         if (result > 0) filled(fds, count * sizeof *fds))
BLOCKING(int, ppoll, SYS_ppoll,
         (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
         (fds, count, timeout, TRAPPABLE(mask)), 0, if (result > 0) filled(fds, count * sizeof *fds))
WAIT_VARIES(int, select, SYS_pselect6,
     (int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except, struct timeval *restrict timeout),
     (count, in, out, except, timeout))
WAIT(int, pselect, SYS_pselect6,
     (int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except,
      const struct timespec *restrict timeout, const sigset_t *restrict mask),
     (count, in, out, except, timeout, TRAPPABLE(mask)))
SIMPLE(int, epoll_create1, SYS_epoll_create1, (int flags), (flags))
SIMPLE(int, epoll_ctl, SYS_epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event),
       (epoll, operation, fd, event))
BLOCKING(int, epoll_wait, SYS_epoll_wait, (int epoll, struct epoll_event *events, int most, int timeout),
         (epoll, events, most, timeout), 0, filled(events, MOVED * sizeof *events))
BLOCKING(int, epoll_pwait, SYS_epoll_pwait,
         (int epoll, struct epoll_event *events, int most, int timeout, const sigset_t *mask),
         (epoll, events, most, timeout, TRAPPABLE(mask)), 0, filled(events, MOVED * sizeof *events))
WAIT_VARIES(int, nanosleep, SYS_nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
WAIT_VARIES(int, clock_nanosleep, SYS_clock_nanosleep,
     (clockid_t clock, int flags, const struct timespec *time, struct timespec *left), (clock, flags, time, left))
WAIT_VARIES(int, usleep, SYS_clock_nanosleep, (useconds_t time), (time))
WAIT_VARIES(unsigned, sleep, SYS_clock_nanosleep, (unsigned time), (time))
WAIT_VARIES(int, pause, SYS_pause, (void), ())
WAIT(int, sigsuspend, SYS_rt_sigsuspend, (const sigset_t *mask), (TRAPPABLE(mask)))
WAIT(int, sched_yield, SYS_sched_yield, (void), ())
WAIT(pid_t, wait, SYS_wait4, (int *status), (status))
WAIT(pid_t, waitpid, SYS_wait4, (pid_t pid, int *status, int options), (pid, status, options))
WAIT(pid_t, wait3, SYS_wait4, (int *status, int options, struct rusage *usage), (status, options, usage))
WAIT(pid_t, wait4, SYS_wait4, (pid_t pid, int *status, int options, struct rusage *usage), (pid, status, options, usage))
WAIT(int, waitid, SYS_waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options))

/* ---- sockets ---- */

SIMPLE(int, socket, SYS_socket, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, socketpair, SYS_socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds), 0,
     if (result == 0) filled(fds, 2 * sizeof *fds))
SIMPLE(int, bind, SYS_bind, (int fd, const struct sockaddr *name, socklen_t length), (fd, name, length))
SIMPLE(int, listen, SYS_listen, (int fd, int backlog), (fd, backlog))
WAIT(int, connect, SYS_connect, (int fd, const struct sockaddr *name, socklen_t length), (fd, name, length))
WAIT(int, accept, SYS_accept, (int fd, struct sockaddr *restrict name, socklen_t *restrict length), (fd, name, length))
WAIT(int, accept4, SYS_accept4, (int fd, struct sockaddr *restrict name, socklen_t *restrict length, int flags),
     (fd, name, length, flags))
SIMPLE(int, shutdown, SYS_shutdown, (int fd, int how), (fd, how))
SIMPLE(int, setsockopt, SYS_setsockopt, (int fd, int level, int option, const void *value, socklen_t length),
       (fd, level, option, value, length))
CALL(int, getsockopt, SYS_getsockopt, (int fd, int level, int option, void *restrict value, socklen_t *restrict length),
     (fd, level, option, value, length), 0, if (result == 0 && length) filled(value, *length))
OUT(ssize_t, send, SYS_sendto, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
OUT(ssize_t, sendto, SYS_sendto,
    (int fd, const void *p, size_t n, int flags, const struct sockaddr *name, socklen_t length),
    (fd, p, n, flags, name, length))
OUT(ssize_t, sendmsg, SYS_sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
IN(ssize_t, recv, SYS_recvfrom, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), p)
IN(ssize_t, recvfrom, SYS_recvfrom,
   (int fd, void *restrict p, size_t n, int flags, struct sockaddr *restrict name, socklen_t *restrict length),
   (fd, p, n, flags, name, length), p)
BLOCKING(ssize_t, recvmsg, SYS_recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), MOVED,
         if (result > 0) filled_vector(message->msg_iov, (int)message->msg_iovlen, result))

/* ---- the process and its memory ---- */

SIMPLE(int, mprotect, SYS_mprotect, (void *p, size_t n, int protection), (p, n, protection))
SIMPLE(int, madvise, SYS_madvise, (void *p, size_t n, int advice), (p, n, advice))
SIMPLE(int, mlock, SYS_mlock, (const void *p, size_t n), (p, n))
SIMPLE(int, munlock, SYS_munlock, (const void *p, size_t n), (p, n))
SIMPLE(pid_t, getpid, SYS_getpid, (void), ())
SIMPLE(pid_t, getppid, SYS_getppid, (void), ())
SIMPLE(uid_t, getuid, SYS_getuid, (void), ())
FILLS(int, getrusage, SYS_getrusage, (__rusage_who_t who, struct rusage *p), (who, p), p)
FILLS(int, getrlimit, SYS_prlimit64, (__rlimit_resource_t resource, struct rlimit *p), (resource, p), p)
FILLS(int, uname, SYS_uname, (struct utsname * p), (p), p)
FILLS(clock_t, times, SYS_times, (struct tms * p), (p), p)
SIMPLE(int, kill, SYS_kill, (pid_t pid, int number), (pid, number))
