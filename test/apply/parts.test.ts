import { describe, expect, test } from 'vitest';
import { returnOffsets } from '../../core/apply/callSites.js';
import { nodesOfTiers, parseNodes } from '../../core/apply/nodes.js';

describe('return addresses in a disassembly', () => {
  test('x86-64: behind direct and indirect calls, not behind jumps', () => {
    // objdump 2.40 of a gcc -O2 program, and the older spelling.
    const text = [
      '0000000000001060 <main>:',
      '    1060:\tsub    $0x8,%rsp',
      '    1064:\tcall   1050 <malloc@plt>',
      '    1069:\tmov    %rax,%rbx',
      '    106c:\tnotrack call *%rax',
      '    106e:\tcallq  *0x2fe2(%rip)        # 4050',
      '    1074:\tjmp    1080 <f>',
      '    1079:\tret',
    ].join('\n');
    expect(returnOffsets(text)).toEqual([0x1069, 0x106e, 0x1074]);
  });

  test('AArch64 and RISC-V', () => {
    expect(returnOffsets('   7f0:\tbl\t620 <malloc@plt>\n   7f4:\tblr\tx3\n   7f8:\tb\t700\n   7fc:\tret')).toEqual([
      0x7f4, 0x7f8,
    ]);
    expect(returnOffsets('  100:\tjal\tra,200 <f>\n  104:\tj\t300\n  108:\tret')).toEqual([0x104]);
  });
});

describe('nodes', () => {
  test("the kernel's lists", () => {
    expect(parseNodes('0\n')).toEqual([0]);
    expect(parseNodes('0-2,5,7-8\n')).toEqual([0, 1, 2, 5, 7, 8]);
    expect(parseNodes('')).toEqual([]);
  });

  const tiers = [
    { id: 'a', name: 'A', node: null },
    { id: 'b', name: 'B', node: null },
    { id: 'c', name: 'C', node: 0 },
  ];
  test('in their order, the file before it, the command line before both', () => {
    expect(nodesOfTiers(tiers, [0, 2], undefined)).toEqual([0, 2, 0]);
    expect(nodesOfTiers(tiers, [0], undefined)).toEqual([0, 0, 0]);
    expect(nodesOfTiers(tiers, [0, 2], '2,2,0')).toEqual([2, 2, 0]);
    expect(() => nodesOfTiers(tiers, [0, 2], '1,2,0')).toThrow('node 1 of tier a');
  });
});
