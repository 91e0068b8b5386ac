/*
 * Calls of steps.c, put into the program's code as it is translated. See tool.h for the licence.
 *
 * What counts as an access, at machine level (docs/recording.md): each load and store of the flat intermediate code,
 * before it happens; an atomic read-modify-write as one read and, when it is done, one write; what an instruction does in
 * a helper (x87's 80 bits, fxsave) as its stated effect. A conditional one counts when its condition holds.
 */
#include "pub_tool_basics.h"
#include "libvex_guest_amd64.h"
#include "pub_tool_debuginfo.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_machine.h"
#include "pub_tool_tooliface.h"

#include "tool.h"

#if !defined(VGA_amd64)
#error "The Pagelens tool knows calls and arguments of x86-64 only."
#endif
#define ARGUMENT(name) offsetof(VexGuestAMD64State, guest_##name)

/* The instruction that is translated: where it ends, and what it has done so far. */
struct instruction {
  IRSB *out;
  Addr end;
  UInt ordinal;
  IRExpr *loaded; /* address of its latest plain load */
};

static void add_call(IRSB *out, Int registers, const HChar *name, void *function, IRExpr **arguments, IRExpr *guard) {
  IRDirty *call = unsafeIRDirty_0_N(registers, name, VG_(fnptr_to_fnentry)(function), arguments);
  if (guard) call->guard = guard;
  addStmtToIRSB(out, IRStmt_Dirty(call));
}

static IRExpr *word(UWord value) { return mkIRExpr_HWord(value); }

static IRExpr *assigned(IRSB *out, IRType type, IRExpr *value) {
  IRTemp temporary = newIRTemp(out->tyenv, type);
  addStmtToIRSB(out, IRStmt_WrTmp(temporary, value));
  return IRExpr_RdTmp(temporary);
}

static UInt log2_below(UInt size) {
  UInt log2 = 0;
  while (size >> (log2 + 1)) log2++;
  return log2;
}

/* An access of up to 64 bytes; a longer one counts as a range does, one for each started line. */
static void access(struct instruction *in, UInt direction, IRExpr *address, UInt size, IRExpr *guard, UInt flags) {
  if (plt_tallies) {
    plt_tally_access(in->out, in->end - 1, direction == PL_WRITE, address, guard);
    return;
  }
  Bool range = size > 64;
  UInt kind = range ? PL_RANGE_READ + direction : direction | PL_SIZE(log2_below(size)) | flags;
  UInt number = pl_numbered(in->end, kind, in->ordinal++);
  if (number == UINT32_MAX) return;
  IRExpr *offset = word(pl_offset_of(number));
  if (range)
    add_call(in->out, 3, "plt_range", plt_range, mkIRExprVec_3(offset, address, word(size)), guard);
  else
    add_call(in->out, 2, "plt_access", plt_access, mkIRExprVec_2(offset, address), guard);
}

static Bool same(const IRExpr *a, const IRExpr *b) {
  if (!a || a->tag != b->tag) return False;
  if (a->tag == Iex_RdTmp) return a->Iex.RdTmp.tmp == b->Iex.RdTmp.tmp;
  return a->tag == Iex_Const && a->Iex.Const.con->Ico.U64 == b->Iex.Const.con->Ico.U64;
}

static UInt size_of(const IRSB *block, const IRExpr *value) {
  return sizeofIRType(typeOfIRExpr(block->tyenv, value));
}

/* Bits of a value by which two can be compared. */
static IRExpr *difference(IRSB *out, IRExpr *a, IRExpr *b) {
  IRType type = typeOfIRExpr(out->tyenv, a);
  IROp exclusive = type == Ity_I8 ? Iop_Xor8 : type == Ity_I16 ? Iop_Xor16 : type == Ity_I32 ? Iop_Xor32 : Iop_Xor64;
  IRExpr *bits = assigned(out, type, IRExpr_Binop(exclusive, a, b));
  IROp widen = type == Ity_I8 ? Iop_8Uto64 : type == Ity_I16 ? Iop_16Uto64 : Iop_32Uto64;
  return type == Ity_I64 ? bits : assigned(out, Ity_I64, IRExpr_Unop(widen, bits));
}

static void compare_and_swap(struct instruction *in, IRStmt *statement) {
  const IRCAS *cas = statement->Ist.CAS.details;
  UInt size = size_of(in->out, cas->dataLo) * (cas->dataHi ? 2 : 1);
  /* A locked instruction other than cmpxchg has loaded what it now expects: that was its read. */
  if (!same(in->loaded, cas->addr)) access(in, PL_READ, cas->addr, size, NULL, PL_ATOMIC);
  addStmtToIRSB(in->out, statement);
  IRExpr *missed = difference(in->out, IRExpr_RdTmp(cas->oldLo), cas->expdLo);
  if (cas->dataHi) {
    IRExpr *high = difference(in->out, IRExpr_RdTmp(cas->oldHi), cas->expdHi);
    missed = assigned(in->out, Ity_I64, IRExpr_Binop(Iop_Or64, missed, high));
  }
  IRExpr *done = assigned(in->out, Ity_I1, IRExpr_Binop(Iop_CmpEQ64, missed, IRExpr_Const(IRConst_U64(0))));
  access(in, PL_WRITE, cas->addr, size, done, PL_ATOMIC);
}

static void helper_effect(struct instruction *in, const IRDirty *helper) {
  if (helper->mFx == Ifx_None) return;
  if (helper->mFx != Ifx_Write) access(in, PL_READ, helper->mAddr, helper->mSize, helper->guard, 0);
  if (helper->mFx != Ifx_Read) access(in, PL_WRITE, helper->mAddr, helper->mSize, helper->guard, 0);
}

static UInt loadg_size(IRLoadGOp conversion) {
  IRType result, loaded;
  typeOfIRLoadGOp(conversion, &result, &loaded);
  return sizeofIRType(loaded);
}

/* Adds the statement, with what it does to memory recorded before it. */
static void statement_of(struct instruction *in, IRStmt *statement) {
  IRSB *out = in->out;
  switch (statement->tag) {
    case Ist_IMark:
      in->end = statement->Ist.IMark.addr + statement->Ist.IMark.len;
      in->ordinal = 0;
      in->loaded = NULL;
      break;
    case Ist_WrTmp: {
      IRExpr *data = statement->Ist.WrTmp.data;
      if (data->tag != Iex_Load) break;
      access(in, PL_READ, data->Iex.Load.addr, sizeofIRType(data->Iex.Load.ty), NULL, 0);
      in->loaded = data->Iex.Load.addr;
      break;
    }
    case Ist_Store:
      access(in, PL_WRITE, statement->Ist.Store.addr, size_of(out, statement->Ist.Store.data), NULL, 0);
      break;
    case Ist_LoadG: {
      const IRLoadG *load = statement->Ist.LoadG.details;
      access(in, PL_READ, load->addr, loadg_size(load->cvt), load->guard, 0);
      break;
    }
    case Ist_StoreG: {
      const IRStoreG *store = statement->Ist.StoreG.details;
      access(in, PL_WRITE, store->addr, size_of(out, store->data), store->guard, 0);
      break;
    }
    case Ist_CAS:
      compare_and_swap(in, statement);
      return;
    case Ist_Dirty:
      helper_effect(in, statement->Ist.Dirty.details);
      break;
    default:
      break;
  }
  addStmtToIRSB(out, statement);
}

static void function_begins(IRSB *out, Addr at) {
  const HChar *name;
  if (plt_tallies || !VG_(get_fnname_if_entry)(VG_(current_DiEpoch)(), at, &name)) return;
  UInt watched = pl_watched_name(name);
  if (watched) {
    IRExpr *at = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RSP), Ity_I64));
    add_call(out, 2, "plt_watched", plt_watched, mkIRExprVec_2(word(watched), at), NULL);
  }
  Int function = plt_allocation_function(name);
  if (function < 0) return;
  IRExpr *sp = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RSP), Ity_I64));
  IRExpr *first = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RDI), Ity_I64));
  IRExpr *second = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RSI), Ity_I64));
  IRExpr *third = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RDX), Ity_I64));
  add_call(out, 3, "plt_allocation_begins", plt_allocation_begins,
           mkIRExprVec_5(word(function), sp, first, second, third), NULL);
}

/* The block ends with a call or a return, after which the stack pointer is what it is for the caller. */
static void call_or_return(struct instruction *in) {
  IRSB *out = in->out;
  if (plt_tallies || (out->jumpkind != Ijk_Call && out->jumpkind != Ijk_Ret)) return;
  IRExpr *sp = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RSP), Ity_I64));
  if (out->jumpkind == Ijk_Call) {
    /* The site of the call first: the entry refers to it. */
    if (pl_numbered(in->end, PL_CALL, 0) == UINT32_MAX) return;
    UInt number = pl_numbered(in->end, PL_ENTRY, 0);
    if (number == UINT32_MAX) return;
    sp = assigned(out, Ity_I64, IRExpr_Binop(Iop_Add64, sp, IRExpr_Const(IRConst_U64(sizeof(Addr)))));
    add_call(out, 2, "plt_call", plt_call, mkIRExprVec_2(word(pl_offset_of(number)), sp), NULL);
  } else {
    UInt number = pl_numbered(in->end, PL_EXIT, 0);
    if (number == UINT32_MAX) return;
    IRExpr *result = assigned(out, Ity_I64, IRExpr_Get(ARGUMENT(RAX), Ity_I64));
    add_call(out, 3, "plt_return", plt_return, mkIRExprVec_3(word(pl_offset_of(number)), sp, result), NULL);
  }
}

IRSB *plt_instrument(VgCallbackClosure *closure, IRSB *block, const VexGuestLayout *layout,
                     const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest_word, IRType host_word) {
  (void)closure, (void)layout, (void)arch, (void)guest_word, (void)host_word;
  struct instruction in = {deepCopyIRSBExceptStmts(block), extents->base[0], 0, NULL};
  Int i = 0;
  /* What valgrind itself puts before the first instruction. */
  for (; i < block->stmts_used && block->stmts[i]->tag != Ist_IMark; i++) addStmtToIRSB(in.out, block->stmts[i]);
  if (i < block->stmts_used) {
    Addr first = block->stmts[i]->Ist.IMark.addr;
    statement_of(&in, block->stmts[i++]);
    function_begins(in.out, first);
  }
  for (; i < block->stmts_used; i++) statement_of(&in, block->stmts[i]);
  call_or_return(&in);
  return in.out;
}
