/*
 * The run directory: what the recorded program leaves for the drain while it runs and after it died.
 *
 * Everything here is read by another program (core/record/drain.ts), so offsets are fixed. All numbers are
 * little-endian u64 unless a size is given.
 */
#ifndef PAGELENS_LAYOUT_H
#define PAGELENS_LAYOUT_H

#include <stdint.h>

#define PL_PAGE 4096

/* `run`: one page that the driver makes and every process of the run maps shared. */
struct pl_run {
  char magic[8]; /* "PLRUN001" */
  char pad0[56];
  uint64_t next_seq; /* 64: sequence numbers, taken with an atomic add; the driver writes 1 */
  char pad1[56];
  uint64_t next_process; /* 128 */
  char pad2[56];
  uint64_t next_stream; /* 192 */
  char pad3[56];
  uint64_t stop; /* 256: 1 asks every runtime to stop recording and let the program go on */
  char pad4[56];
  uint64_t max_bytes; /* 320: limit of the bytes of all streams together, 0 for none */
  uint64_t used_bytes; /* 328: bytes of chunks begun so far, in all processes */
  uint64_t lost; /* 336: bit 1 << PL_LOST_*: something is missing for that; also where no record could say so */
  char pad5[40];
  /* Who drains: when it is gone, recording stops. 0 for nobody to watch. */
  uint64_t owner_pid; /* 384 */
  uint64_t owner_start; /* 392: field `starttime` of /proc/PID/stat, since process ids are given again */
  uint64_t owner_namespace; /* 400: inode of the process ids' namespace; in others the owner cannot be watched */
  char pad6[40];
  /* Windows of recording: the driver, and every process of the run, may open and close them for all. */
  uint64_t closed; /* 448: 1 while accesses are only counted, not recorded */
  uint64_t windows; /* 456: how often a window was opened */
  /* Bursts: each thread records `burst_steps` steps, then skips `burst_skip` times as many accesses; 0: all is recorded. */
  uint64_t burst_steps; /* 464 */
  uint64_t burst_skip; /* 472 */
};

/* `s<stream>.ctl`: one page, mapped shared by the thread that writes the stream. */
struct pl_ctl {
  char magic[8]; /* "PLSTR001" */
  uint64_t process; /* 8 */
  uint64_t tid; /* 16 */
  uint64_t chunk_bytes; /* 24 */
  uint64_t state; /* 32: PL_STATE_* */
  uint64_t pad0[3];
  uint64_t committed; /* 64: bytes of whole records written, over all chunks */
  uint64_t count; /* 72: steps recorded, with the correctly predicted ones that no record holds yet */
  uint64_t last_seq; /* 80: sequence number of the stream's latest stamp or event */
  int64_t adjust; /* 88: accesses = count + adjust (entries and exits are no accesses, ranges expand to several) */
  uint64_t skipped; /* 96: accesses outside of windows of recording */
  uint64_t off; /* 104: PL_OFF_*: why accesses are not recorded now; 0 when they are */
  uint64_t skip_until; /* 112: when so many are skipped, the writer looks whether they are to be recorded again */
  uint64_t bursts; /* 120: recorded, where the run is sampled */
  /*
   * 128: steps that the committed records hold, double-buffered so that a kill between two stores cannot tear it: the
   * writer fills the entry that does not describe `committed`, then stores `committed`. The reader takes `committed`
   * first, then the entry whose `bytes` equals it. pending hits = max(0, count - steps).
   */
  struct {
    uint64_t bytes;
    uint64_t steps;
  } held[2];
};

enum {
  PL_OFF_WINDOW = 1, /* no window of recording is open */
  PL_OFF_BURST = 2, /* between two bursts */
};

enum {
  PL_STATE_RUNNING = 1,
  PL_STATE_IDLE = 2, /* inside a blocking call, after a stamp */
  PL_STATE_ENDED = 3,
};

#define PL_CHUNK_BYTES (1u << 20)

/*
 * `s<stream>.<chunk>`: bytes of records. The drain renames a chunk that it has read to `s<stream>.<chunk>.free`; the
 * writer, which keeps its latest chunks mapped, renames one of those to its next and fills it again, without the work of
 * a new file and its pages. Whichever of the two renames or removes a file first has it.
 */
#define PL_KEPT_CHUNKS 8

/*
 * `watch`: functions that open and close windows, one a line: `start NAME` or `stop NAME`, by the name that symbol tables
 * have. What is both is open while it runs. Without the file there are none.
 */

/* Records of `p<process>.meta`: u32 type, u32 payload length, payload padded to 8. */
enum {
  PL_META_PROCESS = 1,
  PL_META_THREAD = 2,
  PL_META_MODULE = 3,
  PL_META_SITE = 4,
  PL_META_FILENAME = 5,
  PL_META_WARNING = 6,
  PL_META_LOST = 7,
  PL_META_MARK_NAME = 8,
};

/* Flags of PL_META_PROCESS. */
enum {
  PL_PROCESS_TRAPS = 1, /* system calls that libc makes inside itself are recorded too */
  PL_PROCESS_RANK = 2, /* it is one of a parallel program: its rank stands in the bits from PL_RANK_SHIFT on */
  PL_RANK_SHIFT = 8,
};

/* Why a stream ended early: PL_META_LOST. */
enum {
  PL_LOST_DISK = 1, /* the disk is full */
  PL_LOST_LIMIT = 2, /* max_bytes was reached */
  PL_LOST_STOPPED = 3, /* the driver asked to stop */
  PL_LOST_MEMORY = 4, /* no address space for the predictor's tables, or too many sites */
  PL_LOST_FILE = 5, /* a file of the run could not be made or grow, and not for want of disk */
};

_Static_assert(sizeof(struct pl_run) <= PL_PAGE, "run page");
_Static_assert(__builtin_offsetof(struct pl_run, max_bytes) == 320, "run page");
_Static_assert(__builtin_offsetof(struct pl_run, owner_pid) == 384, "run page");
_Static_assert(__builtin_offsetof(struct pl_run, closed) == 448, "run page");
_Static_assert(__builtin_offsetof(struct pl_ctl, committed) == 64, "ctl page");
_Static_assert(__builtin_offsetof(struct pl_ctl, skipped) == 96, "ctl page");
_Static_assert(__builtin_offsetof(struct pl_ctl, held) == 128, "ctl page");

#endif
