/**
 * Codecs: one description of a value's shape that writes it to JSON plus binary columns and reads it back, checked.
 *
 * A `.pagelens` file may come from anywhere. Reading goes through the description, never the other way round, so that
 * what comes out has exactly the described names and types, whatever the file holds.
 */
import type { Column } from '../model/columns.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Where columns go when writing, and come from when reading. In JSON a column is its number. */
export interface ColumnStore {
  put(column: Column): number;
  /** @throws ShapeError when there is no such column. */
  get(index: number, type: ColumnType, where: string): Column;
}

export interface Codec<T> {
  /** For values that are in a file as they are: whether this is one. Lists of ten thousands are checked by it alone. */
  readonly fits?: (json: Json | undefined) => boolean;
  write(value: T, columns: ColumnStore): Json;
  /** @throws ShapeError naming the place of what does not fit. */
  read(json: Json | undefined, columns: ColumnStore, where: string): T;
}

/** The content of a file is not what the description says. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export type TypeOf<C> = C extends Codec<infer T> ? T : never;

function simple<T extends Json>(name: string, fits: (json: Json | undefined) => boolean): Codec<T> {
  return {
    fits,
    write: value => value,
    read(json, _, where) {
      if (!fits(json)) throw new ShapeError(`${where} is not ${name}`);
      return json as T;
    },
  };
}

export const text = simple<string>('a text', json => typeof json === 'string');
export const flag = simple<boolean>('true or false', json => typeof json === 'boolean');
/** A whole number of 0 or more. */
export const natural = simple<number>('a whole number', json => Number.isSafeInteger(json) && (json as number) >= 0);

/** Any number; JSON has no infinities, so they travel as text. */
export const number: Codec<number> = {
  write: value => (Number.isFinite(value) ? value : String(value)),
  read(json, _, where) {
    if (typeof json === 'number') return json;
    if (json === 'Infinity' || json === '-Infinity' || json === 'NaN') return Number(json);
    throw new ShapeError(`${where} is not a number`);
  },
};

export function oneOf<const T extends string | number>(...values: readonly T[]): Codec<T> {
  return simple<T>(`one of ${values.join(', ')}`, json => (values as readonly unknown[]).includes(json));
}

export function nullable<T>(codec: Codec<T>): Codec<T | null> {
  return {
    write: (value, columns) => (value === null ? null : codec.write(value, columns)),
    read: (json, columns, where) => (json === null ? null : codec.read(json, columns, where)),
  };
}

/**
 * A member that a value may lack. Absent, it travels as null: JSON has no way to say it, and a codec of values that may
 * be null themselves has no need of it.
 */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    write: (value, columns) => (value === undefined ? null : codec.write(value, columns)),
    read: (json, columns, where) =>
      json === undefined || json === null ? undefined : codec.read(json, columns, where),
  };
}

/** A member that files of earlier versions lack: they mean `absent`. */
export function orElse<T>(codec: Codec<T>, absent: T): Codec<T> {
  return {
    write: codec.write,
    read: (json, columns, where) => (json === undefined ? absent : codec.read(json, columns, where)),
  };
}

export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    write: (values, columns) => values.map(value => codec.write(value, columns)),
    read(json, columns, where) {
      if (!Array.isArray(json)) throw new ShapeError(`${where} is not a list`);
      // To name each one's place takes longer than to look at it.
      if (codec.fits && json.every(codec.fits)) return json;
      return json.map((item: Json, i) => codec.read(item, columns, `${where}[${i}]`));
    },
  };
}

export function pair<T>(codec: Codec<T>): Codec<readonly [T, T]> {
  const values = list(codec);
  return {
    write: (value, columns) => values.write(value, columns),
    read(json, columns, where) {
      const [first, second, ...more] = values.read(json, columns, where);
      if (first === undefined || second === undefined || more.length > 0)
        throw new ShapeError(`${where} is not a pair`);
      return [first, second];
    },
  };
}

/** Names of the file's own choosing, each with a number. */
export const figures: Codec<Readonly<Record<string, number>>> = {
  write: value =>
    Object.fromEntries(Object.entries(value).map(([name, figure]) => [name, number.write(figure, NO_COLUMNS)])),
  read(json, columns, where) {
    const entries = Object.entries(members(json, where));
    // `fromEntries` defines properties: a name such as `__proto__` is a name like any other.
    return Object.fromEntries(
      entries.map(([name, figure]) => [name, number.read(figure, columns, `${where}.${name}`)]),
    );
  },
};

/** An object of exactly these members, less the `optional` ones that it lacks; others in the file are passed over. */
export function record<T extends object>(shape: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(shape) as (keyof T & string)[];
  return {
    write(value, columns) {
      return Object.fromEntries(names.map(name => [name, shape[name].write(value[name], columns)]));
    },
    read(json, columns, where) {
      const object = members(json, where);
      const path = where === '' ? '' : `${where}.`;
      return Object.fromEntries(
        names.flatMap(name => {
          const member = Object.hasOwn(object, name) ? object[name] : undefined;
          const value = shape[name].read(member, columns, `${path}${name}`);
          return value === undefined ? [] : [[name, value]];
        }),
      ) as T;
    },
  };
}

function members(json: Json | undefined, where: string): { readonly [name: string]: Json } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ShapeError(`${where} is not an object`);
  return json as { readonly [name: string]: Json };
}

/** The first that fits when reading; `is` tells which one a value is when writing. */
export function either<A, B>(is: (value: A | B) => value is A, first: Codec<A>, second: Codec<B>): Codec<A | B> {
  return {
    write: (value, columns) => (is(value) ? first.write(value, columns) : second.write(value, columns)),
    read(json, columns, where) {
      try {
        return first.read(json, columns, where);
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        return second.read(json, columns, where);
      }
    },
  };
}

export type ColumnType = 'u8' | 'i32' | 'u32' | 'u64' | 'f32' | 'f64';

const constructors = {
  u8: Uint8Array,
  i32: Int32Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

export const COLUMN_TYPES = Object.keys(constructors) as readonly ColumnType[];

export function columnType(column: Column): ColumnType {
  const type = COLUMN_TYPES.find(candidate => column instanceof constructors[candidate]);
  if (!type) throw new TypeError(`${Object.prototype.toString.call(column)} is no column`);
  return type;
}

export function bytesPerRow(type: ColumnType): number {
  return constructors[type].BYTES_PER_ELEMENT;
}

/** A column of zeros, in memory that threads can share. */
export function emptyColumn(type: ColumnType, rows: number): Column {
  const Constructor: new (buffer: ArrayBufferLike) => Column = constructors[type];
  return new Constructor(new SharedArrayBuffer(rows * bytesPerRow(type)));
}

type ColumnOf<T extends ColumnType> = InstanceType<(typeof constructors)[T]>;

export function column<T extends ColumnType>(type: T): Codec<ColumnOf<T>> {
  return {
    write: (value, columns) => columns.put(value),
    read: (json, columns, where) => columns.get(natural.read(json, columns, where), type, where) as ColumnOf<T>,
  };
}

/** For codecs that are known to hold no columns. */
const NO_COLUMNS: ColumnStore = {
  put: () => {
    throw new Error('no columns here');
  },
  get: (_, __, where) => {
    throw new ShapeError(`${where} holds a column`);
  },
};
