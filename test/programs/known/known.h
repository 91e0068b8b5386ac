/*
 * For the known-answer programs. Each source line that is counted carries a marker, `// @name`; the answers stand in
 * expected.ts under that name and are derived in the comment that opens the program.
 *
 * What makes an answer the same for every compiler and level of optimisation:
 *   - data is reached through pointers to volatile, so that every access written is an access made;
 *   - HIDE makes a value opaque, so that sizes and pointers are not constants that a compiler could expand or drop;
 *   - counters and pointers are locals whose address is never taken: they live in registers and have no hooks.
 * SHOW prints where an object lies, so that a tool that knows nothing of Pagelens can count the same range.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HIDE(value) __asm__ volatile("" : "+r"(value))
#define NOINLINE __attribute__((noinline))
#define SHOW(name, address, bytes) printf("%s %p %zu\n", name, (void *)(address), (size_t)(bytes))
