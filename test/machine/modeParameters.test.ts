/** Parameters of modes as the command line writes them, and page sizes that go together. */
import { describe, expect, test } from 'vitest';
import { geometryOf } from '../../core/machine/modeParameters.js';
import { modes } from '../../core/machine/modes.js';
import { optionTexts, replayOptions } from '../../core/options.js';

const given = (text: string, mode = 'all', pageSize = '4k') =>
  replayOptions({ 'mode-option': text, mode, 'page-size': pageSize });

describe('--mode-option', () => {
  test('sets parameters by mode and name, and survives the way to texts and back', () => {
    const options = given('nested.levels=5, native.leaf=2,nested.leaf=3');
    expect(options.modeOptions).toEqual({ 'native.leaf': 2, 'nested.levels': 5, 'nested.leaf': 3 });
    expect(replayOptions(optionTexts(options))).toEqual(options);
    expect(geometryOf(options)).toMatchObject({ guest: { levels: 4, leaf: 2 }, nested: { levels: 5, leaf: 3 } });
  });

  test('is refused with what it may be', () => {
    expect(() => given('nested.level=5')).toThrow(/^--mode-option nested\.level: unknown; known: .*nested\.levels/);
    expect(() => given('nested.levels=6')).toThrow(/nested\.levels=6: must be a whole number from 4 to 5/);
  });

  test('leaves are at least the pages that the run counts', () => {
    expect(geometryOf(given('', 'all', '2m'))).toMatchObject({ guest: { leaf: 2 }, nested: { leaf: 2 } });
    expect(() => given('native.leaf=1', 'all', '2m')).toThrow(/native\.leaf=1: smaller than the pages of --page-size/);
  });

  test("leaves of the EPT below the guest's are for mode nested alone, which then has TLB entries of its own", () => {
    expect(() => given('native.leaf=2,nested.leaf=1')).toThrow(/set nested\.leaf=2, or ask for --mode nested alone/);
    expect(() => given('native.share1g=5', 'native,nested')).toThrow(/larger pages \(level 3\)/);
    for (const text of ['native.leaf=2,nested.leaf=1', 'native.leaf=3,nested.leaf=2', 'native.share1g=5'])
      expect(geometryOf(given(text, 'nested')).nested.leaf).toBeLessThan(3);
  });

  test('shares of larger pages are refused where the smallest are as large, and a mixed guest where a mode has none', () => {
    expect(() => given('native.share2m=5', 'nested', '2m')).toThrow(
      /native\.share2m=5: the smallest pages are that large/,
    );
    expect(() => given('nested.leaf=3,nested.share1g=5')).toThrow(
      /nested\.share1g=5: the smallest pages are that large/,
    );
    expect(() => given('native.share2m=5,nested.leaf=2')).toThrow(
      /--mode dual-direct,vmm-direct: .*; ask for --mode native,shadow,direct,nested,dsp/,
    );
    const mixed = given('native.share2m=5,nested.leaf=2', 'native,nested,dsp,guest-direct,agile');
    expect(geometryOf(mixed).guest).toEqual({ levels: 4, leaf: 1, share2m: 5, share1g: 0 });
    expect(geometryOf(given('nested.share2m=40,nested.share1g=10')).nested).toMatchObject({ share2m: 40, share1g: 10 });
  });
});

test('every parameter of every mode has a default within its range, a unit and a source', () => {
  for (const [id, { parameters }] of Object.entries(modes)) {
    for (const [name, parameter] of Object.entries(parameters)) {
      const where = `${id}.${name}`;
      expect(parameter.default, where).toBeGreaterThanOrEqual(parameter.minimum);
      expect(parameter.default, where).toBeLessThanOrEqual(parameter.maximum);
      expect(parameter.unit, where).not.toBe('');
      expect(parameter.source, where).toMatch(/[A-L]\.\d|assumption/);
    }
  }
});
