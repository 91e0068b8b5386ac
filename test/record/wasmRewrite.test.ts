/** WebAssembly rewritten: what its hooks are told, beside the specification's table of instructions, and that it does the same. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assetPath } from '../../core/assets.js';
import { rewrite } from '../../core/record/wasm/rewrite.js';
import { WasmError } from '../../core/symbols/wasm/binary.js';
import { parseModule } from '../../core/symbols/wasm/module.js';
import { assemble, disassembled, listen, moduleOf, rewritten } from '../helpers/wasm.js';

/** Bits of each instruction's access, as its name says them. */
function bytesOf(name: string): number {
  const narrow = /(?:load|store|rmw|splat|zero|lane)?(8|16|32|64)(?:x(\d))?(?:_|\.|$)/.exec(name.replace(/^\w+\./, ''));
  if (narrow) return (Number(narrow[1]) * Number(narrow[2] ?? 1)) / 8;
  return { i32: 4, f32: 4, i64: 8, f64: 8, v128: 16 }[name.split('.')[0]!]!;
}

const integers = ['i32', 'i64'];
const narrowLoads = integers.flatMap(type =>
  ['8_s', '8_u', '16_s', '16_u', ...(type === 'i64' ? ['32_s', '32_u'] : [])].map(form => `${type}.load${form}`),
);
const narrowStores = ['i32.store8', 'i32.store16', 'i64.store8', 'i64.store16', 'i64.store32'];
const vectorLoads = ['8x8_s', '8x8_u', '16x4_s', '16x4_u', '32x2_s', '32x2_u'].map(form => `v128.load${form}`);
const vectorParts = ['8_splat', '16_splat', '32_splat', '64_splat', '32_zero', '64_zero'].map(
  form => `v128.load${form}`,
);
const types = ['i32', 'i64', 'f32', 'f64', 'v128'];

const zero = (type: string) => (type === 'v128' ? '(v128.const i64x2 0 0)' : `(${type}.const 0)`);
const typeOf = (name: string) => name.split('.')[0]!;

describe('each instruction is an access of its size, at its address with the offset', () => {
  const loads = [...types.map(type => `${type}.load`), ...narrowLoads, ...vectorLoads, ...vectorParts];
  test.each(loads)('%s', name => {
    const { heard } = listen(moduleOf(`(func (export "f") (drop (${name} offset=40 (i32.const 1000))))`), 'f');
    expect(heard).toEqual([`read 1040+${bytesOf(name)}`]);
  });

  test.each([...types.map(type => `${type}.store`), ...narrowStores])('%s', name => {
    const code = `(${name} offset=40 (i32.const 1000) ${zero(typeOf(name))})`;
    expect(listen(moduleOf(`(func (export "f") ${code})`), 'f').heard).toEqual([`write 1040+${bytesOf(name)}`]);
  });

  test.each([8, 16, 32, 64])('v128.load%i_lane and store', bits => {
    const lane = (name: string) => `(v128.${name}${bits}_lane offset=40 0 (i32.const 1000) ${zero('v128')})`;
    const code = `(drop ${lane('load')}) ${lane('store')}`;
    const { heard } = listen(moduleOf(`(func (export "f") ${code})`), 'f');
    expect(heard).toEqual([`read 1040+${bits / 8}`, `write 1040+${bits / 8}`]);
  });

  const forms = ['i32', 'i64', 'i32 8', 'i32 16', 'i64 8', 'i64 16', 'i64 32'].map(form => form.split(' '));
  test.each(forms)('atomics of %s %s', (type, bits = '') => {
    const tail = bits ? '_u' : '';
    const size = bits ? Number(bits) / 8 : type === 'i32' ? 4 : 8;
    const at = '(i32.const 1000)';
    const rmw = ['add', 'sub', 'and', 'or', 'xor', 'xchg'].map(
      name => `(drop (${type}.atomic.rmw${bits}.${name}${tail} offset=40 ${at} (${type}.const 3)))`,
    );
    const swap = (expected: number) =>
      `(drop (${type}.atomic.rmw${bits}.cmpxchg${tail} offset=40 ${at} (${type}.const ${expected}) (${type}.const 9)))`;
    const { heard } = listen(
      moduleOf(
        `(func (export "f")
          (${type}.atomic.store${bits} offset=40 ${at} (${type}.const 5))
          (drop (${type}.atomic.load${bits}${tail} offset=40 ${at}))
          ${rmw.join(' ')} ${swap(3)} ${swap(3)})`,
      ),
      'f',
    );
    const [read, write] = [`atomic read 1040+${size}`, `atomic write 1040+${size}`];
    // xchg leaves 3: the first swap succeeds, the second meets 9 and only reads.
    expect(heard).toEqual([write, read, ...rmw.flatMap(() => [read, write]), read, write, read]);
  });

  test('a swap compares as many bits as it is wide', () => {
    const code = `(func (export "f") (result i32) (i32.store (i32.const 8) (i32.const 0x155))
      (i32.atomic.rmw8.cmpxchg_u (i32.const 8) (i32.const 0x355) (i32.const 1)))`;
    const bytes = moduleOf(code);
    const { heard, result } = listen(bytes, 'f');
    expect(result).toBe(0x55);
    // What the engine left there says whether it wrote.
    expect(heard.filter(text => text.startsWith('atomic write'))).toHaveLength(readBack(bytes) === 1 ? 1 : 0);
  });

  test('bulk operations are ranges, told before they happen', () => {
    const code = `(data $d "abcdef") (func (export "f") (result i32)
      (memory.fill (i32.const 100) (i32.const 7) (i32.const 300))
      (memory.copy (i32.const 1000) (i32.const 100) (i32.const 200))
      (memory.init $d (i32.const 2000) (i32.const 1) (i32.const 4))
      (i32.load8_u (i32.const 2003)))`;
    const { heard, result } = listen(moduleOf(code), 'f');
    expect(heard).toEqual([
      'range write 100+300 of 1',
      'range read 100+200 of 1',
      'range write 1000+200 of 1',
      'range write 2000+4 of 1',
      'read 2003+1',
    ]);
    expect(result).toBe('e'.charCodeAt(0));
  });

  test('the memory grows by what is granted', () => {
    const bytes = assemble(
      `(module (memory 1 3) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))`,
    );
    expect(listen(bytes, 'f', 2)).toEqual({ heard: ['grown 1+2'], result: 1 });
    expect(listen(bytes, 'f', 9)).toEqual({ heard: ['grown -1+9'], result: -1 });
  });
});

/** The byte that the swap of that test left. */
function readBack(bytes: Buffer<ArrayBuffer>): number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  (exports.f as () => number)();
  return new Uint8Array((exports.memory as WebAssembly.Memory).buffer)[8]!;
}

describe('calls', () => {
  test('enter and leave, direct and indirect; a tail call takes the place of its caller', () => {
    const bytes = moduleOf(`
      (type $v (func (result i32))) (table 1 funcref) (elem (i32.const 0) $g)
      (func $g (result i32) (i32.load (i32.const 0)))
      (func $tail (result i32) (return_call $g))
      (func (export "f") (result i32)
        (i32.add (i32.add (call $g) (call_indirect (type $v) (i32.const 0))) (call $tail)))`);
    const once = ['call', 'read 0+4', 'return'];
    expect(listen(bytes, 'f').heard).toEqual([...once, ...once, ...once]);
  });

  test('indices of functions move everywhere: exports, elements, globals, references', () => {
    const bytes = moduleOf(`
      (type $v (func (result i32))) (table $t 3 funcref) (elem (table $t) (i32.const 0) func $a)
      (elem (table $t) (i32.const 1) funcref (ref.func $b)) (global $g funcref (ref.func $c))
      (elem declare func $c)
      (func $a (result i32) (i32.const 1)) (func $b (result i32) (i32.const 2)) (func $c (result i32) (i32.const 3))
      (func (export "f") (param i32) (result i32)
        (table.set $t (i32.const 2) (ref.func $c))
        (call_indirect $t (type $v) (local.get 0)))
      (func (export "g") (result i32)
        (table.set $t (i32.const 0) (global.get $g)) (call_indirect $t (type $v) (i32.const 0)))`);
    expect([0, 1, 2].map(i => listen(bytes, 'f', i).result)).toEqual([1, 2, 3]);
    expect(listen(bytes, 'g').result).toBe(3);
  });

  test('an exception drops the calls that it leaves', () => {
    const bytes = moduleOf(`
      (tag $e (param i32))
      (func $throws (param i32) (if (local.get 0) (then (throw $e (i32.const 5)))))
      (func $between (param i32) (call $throws (local.get 0)))
      (func (export "f") (param i32) (result i32)
        (block (result i32)
          (try (result i32) (do (call $between (local.get 0)) (i32.const 1)) (catch $e (i32.add (i32.const 1)))))
        (drop (i32.load (i32.const 0))))`);
    expect(listen(bytes, 'f', 0)).toEqual({ heard: ['call', 'call', 'return', 'return', 'read 0+4'], result: 1 });
    expect(listen(bytes, 'f', 1)).toEqual({ heard: ['call', 'call', 'unwind 2', 'read 0+4'], result: 6 });
  });
});

test('handlers of try_table: the calls that they leave are dropped where they go, be it a block, a loop or the end', () => {
  const bytes = moduleOf(`
    (tag $e) (tag $with (param i32))
    (func $throws (throw $e))
    (func $block (block $caught (try_table (catch $e $caught) (call $throws))))
    (func $loop (loop $again (try_table (catch_all $again) (call $throws))))
    (func $end (try_table (catch_all 0) (call $throws)))
    (func $value (result i32) (try_table (result i32) (catch $with 0) (call $throws) (i32.const 3)))`);
  // Not all engines know them yet; binaryen says whether the result is valid, and shows where the hooks are.
  const text = disassembled(rewritten(bytes).bytes);
  const callsOf = (code: string, hook: string) => {
    const name = new RegExp(`"pagelens" "${hook}" \\(func (\\S+)`).exec(text)![1]!;
    return code.split(`call ${name}`).length - 1;
  };
  const [, , ...catching] = text.split('\n (func ');
  expect(catching.map(code => [callsOf(code, 'depth'), callsOf(code, 'unwind')])).toEqual(Array(4).fill([1, 1]));
});

describe('allocators', () => {
  const types = '(global $next (mut i32) (i32.const 1024))';
  test('are told with their results, and those that they call themselves are not', () => {
    const bytes = moduleOf(`${types}
      (func $malloc (export "malloc") (param i32) (result i32) (local $at i32)
        (local.set $at (global.get $next))
        (global.set $next (i32.add (global.get $next) (local.get 0)))
        (local.get $at))
      (func $calloc (export "calloc") (param i32 i32) (result i32) (call $malloc (i32.mul (local.get 0) (local.get 1))))
      (func $realloc (export "realloc") (param i32 i32) (result i32) (call $malloc (local.get 1)))
      (func $free (export "free") (param i32))
      (func (export "f")
        (call $free (call $realloc (call $calloc (i32.const 3) (i32.const 8)) (i32.const 100)))
        (drop (call $malloc (i32.const 16))))`);
    const { heard } = listen(bytes, 'f');
    expect(heard.filter(text => /allocated|free/.test(text))).toEqual([
      'allocated 1024+24 for 0 by 1',
      'allocated 1048+100 for 1024 by 2',
      'free 1048',
      'allocated 0+0 for 0 by 0',
      'allocated 1148+16 for 0 by 0',
    ]);
  });

  test('posix_memalign puts its result into memory', () => {
    const bytes = moduleOf(`
      (func $posix_memalign (param i32 i32 i32) (result i32)
        (i32.store (local.get 0) (i32.const 4096)) (i32.const 0))
      (func (export "f") (drop (call $posix_memalign (i32.const 8) (i32.const 64) (i32.const 200))))`);
    expect(listen(bytes, 'f').heard).toContain('allocated 4096+200 for 0 by 3');
  });

  test('a function of the name but not of the type is none', () => {
    const bytes = moduleOf('(func (export "malloc") (param i64) (result i32) (i32.const 0))');
    expect(rewritten(bytes).allocators).toEqual([]);
  });
});

describe('hostile modules', () => {
  const kernel = readFileSync(assetPath('kernel.wasm'));

  test('a large module with vectors stays valid', () => {
    const { bytes, sites } = rewritten(kernel);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(sites.code.length).toBeGreaterThan(1000);
  });

  test('any damage is refused in one line, or what is still valid stays valid', () => {
    const small = readFileSync(assetPath('wasmHooks.wasm'));
    const place = fc.nat({ max: small.length - 1 });
    const damage = fc.oneof(
      place.map(at => small.subarray(0, at)),
      fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 5 })).map(([at, bytes]) => {
        const copy = Buffer.from(small);
        copy.set(bytes.subarray(0, copy.length - at), at);
        return copy;
      }),
      fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.concat([small.subarray(0, 8), bytes])),
    );
    fc.assert(
      fc.property(damage, bytes => {
        try {
          const { bytes: out } = rewrite(parseModule(bytes));
          if (WebAssembly.validate(bytes)) expect(WebAssembly.validate(out)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(WasmError);
          expect((error as Error).message).not.toContain('\n');
          // What an engine takes is never refused as damaged.
          if (WebAssembly.validate(bytes)) expect((error as Error).message).not.toContain('damaged');
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['text', 'int main() {}', /no WebAssembly/],
    ['a component', Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), /component/],
    ['another version', Buffer.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), /version 2/],
    [
      'a list longer than the file',
      Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]),
      /damaged/,
    ],
  ])('%s is refused', (_what, bytes, why) => {
    expect(() => parseModule(Buffer.from(bytes as Buffer))).toThrow(why);
  });

  test('several memories, and addresses of 64 bits, are refused by name', () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    expect(() => parseModule(Buffer.from([...header, 5, 5, 2, 0, 1, 0, 1]))).toThrow(/2 memories/);
    expect(() => parseModule(Buffer.from([...header, 5, 3, 1, 4, 1]))).toThrow(/64-bit/);
  });
});
