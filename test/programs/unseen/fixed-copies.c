/*
 * Copies and fills of a length that the compiler knows, 10 of each, every kind with arrays of its own that begin at
 * a cache line: 40 bytes are one line, 5000 bytes are 79.
 */
#define ROUNDS 10
#include <string.h>
#include "marked.h"

struct small { char bytes[40]; };
struct large { char bytes[5000]; };
struct huge { char bytes[20000]; };

#define LINE __attribute__((aligned(64)))
static LINE char copyFrom[64], copyTo[64], bigFrom[5056], bigTo[5056], fill[5056];
static LINE char builtinFrom[64], builtinTo[64];
static LINE struct small smallFrom, smallTo;
static LINE struct large largeFrom, largeTo;
static LINE struct huge hugeFrom, hugeTo;

/* Between rounds, so that no copy can be left out or moved. */
#define BARRIER() __asm__ volatile("" ::: "memory")

int main(void) {
  mark("copyFrom", copyFrom, sizeof copyFrom);
  mark("copyTo", copyTo, sizeof copyTo);
  mark("bigFrom", bigFrom, sizeof bigFrom);
  mark("bigTo", bigTo, sizeof bigTo);
  mark("fill", fill, sizeof fill);
  mark("builtinFrom", builtinFrom, sizeof builtinFrom);
  mark("builtinTo", builtinTo, sizeof builtinTo);
  mark("smallFrom", &smallFrom, sizeof smallFrom);
  mark("smallTo", &smallTo, sizeof smallTo);
  mark("largeFrom", &largeFrom, sizeof largeFrom);
  mark("largeTo", &largeTo, sizeof largeTo);
  mark("hugeFrom", &hugeFrom, sizeof hugeFrom);
  mark("hugeTo", &hugeTo, sizeof hugeTo);
  for (int i = 0; i < ROUNDS; i++) {
    memcpy(copyTo, copyFrom, 40);
    BARRIER();
    memcpy(bigTo, bigFrom, 5000);
    BARRIER();
    memset(fill, i, 5000);
    BARRIER();
    __builtin_memcpy(builtinTo, builtinFrom, 40);
    BARRIER();
    smallTo = smallFrom;
    BARRIER();
    largeTo = largeFrom;
    BARRIER();
    hugeTo = hugeFrom;
    BARRIER();
  }
  printf("done\n");
  return 0;
}
