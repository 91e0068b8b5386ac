/*
 * What the program says of itself (include/pagelens.h). Each recorder hears of it in its own way: the runtime is called,
 * the Valgrind tool and the QEMU plug-in know the request when they meet it.
 */
#include "streams.h"

/* PAGELENS_START and PAGELENS_STOP: no marks in the trace. */
enum { START = 5, STOP = 6 };

void pl_mark(struct pl_context *c, uint32_t mark, const char *name, uint64_t address) {
  if (mark == START || mark == STOP) pl_window(mark == START);
  if (!name || mark >= START) return;
  pl_event(c, PL_EVENT_MARK, pl_seq_take(), mark, pl_mark_name(name), address, 0);
}
