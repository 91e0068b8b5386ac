/**
 * Debugging information entries: abbreviations, and the few attributes that Pagelens reads, kept in slots that are
 * used again for every entry, since a program has millions. DWARF 5, sections 7.5.3 to 7.5.6.
 */
import type { Cursor } from './cursor.js';

/** Slots of `Attributes`, one per attribute that is read. */
export const NAME = 0;
export const LINKAGE_NAME = 1;
export const LOW_PC = 2;
export const HIGH_PC = 3;
export const RANGES = 4;
export const STMT_LIST = 5;
export const COMP_DIR = 6;
export const ABSTRACT_ORIGIN = 7;
export const SPECIFICATION = 8;
export const DECL_FILE = 9;
export const DECL_LINE = 10;
export const CALL_FILE = 11;
export const CALL_LINE = 12;
export const CALL_COLUMN = 13;
export const LOCATION = 14;
export const STR_OFFSETS_BASE = 15;
export const ADDR_BASE = 16;
export const RNGLISTS_BASE = 17;
export const TYPE = 18;
export const BYTE_SIZE = 19;
export const COUNT = 20;
export const UPPER_BOUND = 21;
const SLOTS = 22;

/** DW_AT_* to slot. */
const SLOT_OF = new Int8Array(0x80).fill(-1);
for (const [attribute, slot] of [
  [0x03, NAME],
  [0x6e, LINKAGE_NAME],
  [0x11, LOW_PC],
  [0x12, HIGH_PC],
  [0x55, RANGES],
  [0x10, STMT_LIST],
  [0x1b, COMP_DIR],
  [0x31, ABSTRACT_ORIGIN],
  [0x47, SPECIFICATION],
  [0x3a, DECL_FILE],
  [0x3b, DECL_LINE],
  [0x58, CALL_FILE],
  [0x59, CALL_LINE],
  [0x57, CALL_COLUMN],
  [0x02, LOCATION],
  [0x72, STR_OFFSETS_BASE],
  [0x73, ADDR_BASE],
  [0x74, RNGLISTS_BASE],
  [0x49, TYPE],
  [0x0b, BYTE_SIZE],
  [0x37, COUNT],
  [0x2f, UPPER_BOUND],
] as const)
  SLOT_OF[attribute] = slot;
/** DW_AT_MIPS_linkage_name, which old compilers write. */
const AT_MIPS_LINKAGE_NAME = 0x2007;

export const TAG_ARRAY = 0x01;
export const TAG_LEXICAL_BLOCK = 0x0b;
export const TAG_POINTER = 0x0f;
export const TAG_INLINED_SUBROUTINE = 0x1d;
export const TAG_SUBRANGE = 0x21;
export const TAG_SUBPROGRAM = 0x2e;
export const TAG_VARIABLE = 0x34;

export const FORM_ADDR = 0x01;
export const FORM_STRING = 0x08;
export const FORM_STRP = 0x0e;
export const FORM_RNGLISTX = 0x23;
export const FORM_STRX = 0x1a;
export const FORM_ADDRX = 0x1b;
export const FORM_LINE_STRP = 0x1f;
const FORM_INDIRECT = 0x16;
const FORM_IMPLICIT_CONST = 0x21;

export interface Abbreviation {
  readonly tag: number;
  readonly children: boolean;
  /** Slot (-1: skipped), form and implicit constant of each attribute. */
  readonly slots: Int8Array;
  readonly forms: Uint16Array;
  readonly constants: Float64Array;
}

/** What the length of a form depends on. */
export interface FormSizes {
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  /** Start of the unit in .debug_info, which references count from. */
  readonly start: number;
}

export function readAbbreviations(cursor: Cursor): Map<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
    const tag = cursor.uleb();
    const children = cursor.u8() !== 0;
    const slots: number[] = [];
    const forms: number[] = [];
    const constants: number[] = [];
    for (;;) {
      const attribute = cursor.uleb();
      const form = cursor.uleb();
      const constant = form === FORM_IMPLICIT_CONST ? cursor.sleb() : 0;
      if (attribute === 0 && form === 0) break;
      slots.push(attribute === AT_MIPS_LINKAGE_NAME ? LINKAGE_NAME : (SLOT_OF[attribute] ?? -1));
      forms.push(form);
      constants.push(constant);
    }
    table.set(code, {
      tag,
      children,
      slots: Int8Array.from(slots),
      forms: Uint16Array.from(forms),
      constants: Float64Array.from(constants),
    });
  }
  return table;
}

/** The attributes of one entry. A form of 0 says that the attribute is absent. */
export class Attributes {
  /** Normalised: every indexed string is FORM_STRX, every indexed address FORM_ADDRX. */
  readonly form = new Uint16Array(SLOTS);
  /** The constant, the absolute reference, or where the string or block starts. */
  readonly value = new Float64Array(SLOTS);
  /** Length of a block. */
  readonly length = new Float64Array(SLOTS);

  has(slot: number): boolean {
    return this.form[slot] !== 0;
  }

  /** Constant or reference; 0 when absent. */
  number(slot: number): number {
    return this.form[slot] === 0 ? 0 : this.value[slot]!;
  }

  /** Reads all attributes of the entry that follows its abbreviation code. */
  read(cursor: Cursor, abbreviation: Abbreviation, sizes: FormSizes): void {
    this.form.fill(0);
    const { slots, forms, constants } = abbreviation;
    for (let i = 0; i < forms.length; i++) {
      let form = forms[i]!;
      while (form === FORM_INDIRECT) form = cursor.uleb();
      const slot = slots[i]!;
      let kind = form;
      let value = 0;
      let length = 0;
      switch (form) {
        case FORM_ADDR:
          value = sizes.addressSize === 8 ? cursor.u64() : cursor.u32();
          break;
        case 0x03: // block2
          length = cursor.u16();
          break;
        case 0x04: // block4
          length = cursor.u32();
          break;
        case 0x09: // block
        case 0x18: // exprloc
          length = cursor.uleb();
          break;
        case 0x0a: // block1
          length = cursor.u8();
          break;
        case 0x05: // data2
          value = cursor.u16();
          break;
        case 0x06: // data4
          value = cursor.u32();
          break;
        case 0x07: // data8
          value = cursor.u64();
          break;
        case FORM_STRING:
          value = cursor.stringAt();
          break;
        case 0x0b: // data1
        case 0x0c: // flag
          value = cursor.u8();
          break;
        case 0x0d: // sdata
          value = cursor.sleb();
          break;
        case FORM_STRP:
        case FORM_LINE_STRP:
        case 0x17: // sec_offset
          value = cursor.offset(sizes.offsetSize);
          break;
        case 0x0f: // udata
        case FORM_RNGLISTX:
        case 0x22: // loclistx
          value = cursor.uleb();
          break;
        case 0x10: // ref_addr
          value = sizes.version <= 2 ? cursor.u64() : cursor.offset(sizes.offsetSize);
          break;
        case 0x11: // ref1
          value = sizes.start + cursor.u8();
          break;
        case 0x12: // ref2
          value = sizes.start + cursor.u16();
          break;
        case 0x13: // ref4
          value = sizes.start + cursor.u32();
          break;
        case 0x14: // ref8
          value = sizes.start + cursor.u64();
          break;
        case 0x15: // ref_udata
          value = sizes.start + cursor.uleb();
          break;
        case 0x19: // flag_present
          break;
        case FORM_STRX:
        case FORM_ADDRX:
          value = cursor.uleb();
          break;
        case 0x25: // strx1 .. strx4
        case 0x26:
        case 0x27:
        case 0x28:
          kind = FORM_STRX;
          value = index(cursor, form - 0x25);
          break;
        case 0x29: // addrx1 .. addrx4
        case 0x2a:
        case 0x2b:
        case 0x2c:
          kind = FORM_ADDRX;
          value = index(cursor, form - 0x29);
          break;
        case FORM_IMPLICIT_CONST:
          value = constants[i]!;
          break;
        case 0x1e: // data16
          cursor.skip(16);
          break;
        case 0x20: // ref_sig8: a type unit, never a function or variable
          cursor.skip(8);
          kind = 0;
          break;
        case 0x1c: // ref_sup4
          cursor.skip(4);
          kind = 0;
          break;
        case 0x24: // ref_sup8
          cursor.skip(8);
          kind = 0;
          break;
        case 0x1d: // strp_sup
        case 0x1f20: // GNU_ref_alt
        case 0x1f21: // GNU_strp_alt
          // Shared by dwz in another file, which is not followed.
          cursor.skip(sizes.offsetSize);
          kind = 0;
          break;
        default:
          // The length of an unknown form is unknown too: the unit cannot be read on.
          throw new RangeError(`form 0x${form.toString(16)}`);
      }
      if (length > 0) {
        value = cursor.at;
        cursor.skip(length);
      }
      if (slot < 0) continue;
      this.form[slot] = kind;
      this.value[slot] = value;
      this.length[slot] = length;
    }
  }
}

function index(cursor: Cursor, width: number): number {
  if (width === 0) return cursor.u8();
  if (width === 1) return cursor.u16();
  return width === 2 ? cursor.u24() : cursor.u32();
}
