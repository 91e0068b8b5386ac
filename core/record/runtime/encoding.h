/*
 * The bytes of a stream's records. docs/trace-records.md is the specification; core/kernel/decode.ts reads them.
 *
 * A record is a tag byte and its fields. The tag's low 3 bits say what missed, its high 5 bits how many correctly
 * predicted steps ("hits") came before: 0..PL_RUN_DIRECT-1 directly, PL_RUN_BYTE: one more byte, PL_RUN_VARINT: a
 * varint. PL_RUN_SPECIAL makes the low 3 bits the kind of a record that is no missed step.
 */
#ifndef PAGELENS_ENCODING_H
#define PAGELENS_ENCODING_H

/*
 * What missed: successor (next, alternate, explicit) and address (primary, alternate, follower, explicit). The address
 * byte of an EXPLICIT record may also say that the alternate or the follower was right: PL_ADDRESS_*.
 */
enum {
  PL_MISS_NEXT_ALTERNATE = 0,
  PL_MISS_NEXT_EXPLICIT = 1,
  PL_MISS_ALTERNATE_PRIMARY = 2,
  PL_MISS_NEXT_FOLLOWER = 3,
  PL_MISS_ALTERNATE_EXPLICIT = 4,
  PL_MISS_SITE_PRIMARY = 5,
  PL_MISS_ALTERNATE_ALTERNATE = 6,
  PL_MISS_SITE_EXPLICIT = 7,
};

#define PL_RUN_SHIFT 3
#define PL_RUN_DIRECT 29 /* runs 0..28 in the tag */
#define PL_RUN_BYTE 29 /* run = 29 + next byte */
#define PL_RUN_VARINT 30 /* run = varint */
#define PL_RUN_SPECIAL 31

/* Records that are no missed step; tag = PL_SPECIAL(kind). All but PAD have the run as a varint first. */
enum {
  PL_SPECIAL_HITS = 0, /* run */
  PL_SPECIAL_EVENT = 1, /* run, kind byte, sequence delta, fields */
  PL_SPECIAL_UNWIND = 2, /* run, number of frames dropped */
  PL_SPECIAL_STAMP = 3, /* run, sequence delta */
  PL_SPECIAL_PAD = 7, /* one byte, 0xff: fills the end of a chunk */
};
#define PL_SPECIAL(kind) (PL_RUN_SPECIAL << PL_RUN_SHIFT | (kind))

/* Explicit address: a byte of base (2 bits), shift (1 bit), bytes (3 bits), low bits (2 bits), then the bytes. */
#define PL_BASE_SELF 0 /* this site's own last address; 1..PL_EARLIER: that of the 1st, 2nd, 3rd access before it */
#define PL_EARLIER 3
#define PL_ADDRESS_SHIFT 3 /* deltas that are multiples of 8 are stored without their low bits */
/* A delta of 0 is never shifted: these bytes, which would say so, stand alone and name a prediction. */
#define PL_ADDRESS_ALTERNATE 4
#define PL_ADDRESS_FOLLOWER 5

/* Entries of a stream's table of followers, and an entry's place by site number and the site's last address. */
#define PL_FOLLOWER_BITS 14
#define PL_FOLLOWERS (1u << PL_FOLLOWER_BITS)
#define PL_FOLLOWER_HASH(number, last) \
  ((((last) ^ (uint64_t)(number) << 40) * 0x9e3779b97f4a7c15ull) >> (64 - PL_FOLLOWER_BITS))

/* A record never takes more bytes: tag, run, site, address, length or event fields. */
#define PL_RECORD_MAX 96

/* Site classes and event kinds: core/kernel/abi.ts. */
#define PL_READ 0
#define PL_WRITE 1
#define PL_RANGE_READ 2
#define PL_RANGE_WRITE 3
#define PL_ENTRY 4
#define PL_EXIT 5
#define PL_CALL 6
#define PL_CLASS_MASK 7
#define PL_SIZE(log2) ((log2) << 3)
#define PL_ATOMIC 64
#define PL_UNALIGNED 128

enum {
  PL_EVENT_STAMP = 1,
  PL_EVENT_ALLOC = 2,
  PL_EVENT_FREE = 3,
  PL_EVENT_MAP = 4,
  PL_EVENT_UNMAP = 5,
  PL_EVENT_REMAP = 6,
  PL_EVENT_BRK = 7,
  PL_EVENT_THREAD_START = 8,
  PL_EVENT_THREAD_EXIT = 9,
  PL_EVENT_SYSCALL = 10,
  PL_EVENT_KERNEL_WRITE = 11,
  PL_EVENT_FORK = 12,
  PL_EVENT_EXEC = 13,
  PL_EVENT_MARK = 14,
  PL_EVENTS = 15,
};

enum { PL_ALLOC_MALLOC = 0, PL_ALLOC_CALLOC = 1, PL_ALLOC_REALLOC = 2, PL_ALLOC_ALIGNED = 3, PL_ALLOC_NEW = 4 };

/* Steps between two stamps when nothing synchronises. */
#define PL_STAMP_STEPS 65536

/* Frames that the shadow stack keeps; deeper ones are only counted. */
#define PL_DEPTH_MAX (1u << 18)

#endif
