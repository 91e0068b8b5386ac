/* What the files of the plug-in know of each other. See qemu.h for the licence. */
#ifndef PAGELENS_PLUGIN_H
#define PAGELENS_PLUGIN_H

#include "effects.h"
#include "numbered.h"
#include "qemu.h"

#pragma GCC visibility push(hidden)

/* ---- guest.c: what the guest has in memory ---- */

/* Before anything of the guest is mapped. */
void plq_guest_before(void);
/* Finds the program; once, when it is mapped. */
void plq_guest_find(void);
/* Announces all that is loaded. */
void plq_guest_announce(void);
/* A file was mapped at this guest address: it may be a library. */
void plq_guest_mapped(uint64_t at);
/* Bounds of the mapping that holds this guest address. */
bool plq_guest_range(uint64_t at, uint64_t *low, uint64_t *high);
/* Where this guest address is here. */
const void *plq_guest_memory(uint64_t at);
/* Path of the executable. */
const char *plq_guest_path(void);
/* e_machine of its header. */
uint32_t plq_guest_machine(void);

/* ---- calls.c: system calls, by the numbers of the guest ---- */

void plq_call_begins(int64_t number, const uint64_t *arguments);
void plq_call_ends(int64_t number, int64_t result);

/* ---- plugin.c ---- */

/* The program is about to execute another in its place. */
void plq_executes(void);

#pragma GCC visibility pop

#endif
