/** Parameters of trackers as the command line writes them, and the table's own soundness. */
import { describe, expect, test } from 'vitest';
import { optionTexts, replayOptions } from '../../core/options.js';
import { valuesOf } from '../../core/tracking/parameters.js';
import { trackers } from '../../core/tracking/trackers.js';

const given = (text: string) => replayOptions({ 'tracker-option': text }).trackerOptions;

describe('--tracker-option', () => {
  test('sets parameters by tracker and name, in the order of the table', () => {
    const options = given(' ept-ad-scan.periodSeconds=2, pml.periodSeconds=0.5 ');
    expect(JSON.stringify(options)).toBe('{"pml.periodSeconds":0.5,"ept-ad-scan.periodSeconds":2}');
    expect(valuesOf('pml', trackers.pml.parameters, options)).toEqual({ periodSeconds: 0.5 });
  });

  test('leaves what is not named at its default', () => {
    expect(given('')).toEqual({});
    expect(valuesOf('pml', trackers.pml.parameters, {})).toEqual({ periodSeconds: 1 });
  });

  test('survives the way to texts and back', () => {
    const options = replayOptions({ 'tracker-option': 'pml.periodSeconds=0.25' });
    expect(replayOptions(optionTexts(options))).toEqual(options);
  });

  test('is refused with what it may be', () => {
    expect(() => given('pml.period=1')).toThrow(/^--tracker-option pml\.period: unknown; known: .*pml\.periodSeconds/);
    expect(() => given('pml.periodSeconds=0')).toThrow(
      /pml\.periodSeconds=0: must be a number from 0\.000001 to 86400 \(s/,
    );
    expect(() => given('pml.periodSeconds')).toThrow(/pml\.periodSeconds=: must be a number/);
    expect(() => given('pml.periodSeconds=soon')).toThrow(/must be a number/);
  });
});

test('every parameter of every tracker has a default within its range, a unit and a source', () => {
  for (const [id, { parameters }] of Object.entries(trackers)) {
    for (const [name, parameter] of Object.entries(parameters)) {
      const where = `${id}.${name}`;
      expect(parameter.default, where).toBeGreaterThanOrEqual(parameter.minimum);
      expect(parameter.default, where).toBeLessThanOrEqual(parameter.maximum);
      if (parameter.whole) expect(Number.isInteger(parameter.default), where).toBe(true);
      for (const text of [parameter.summary, parameter.unit, parameter.source]) expect(text, where).not.toBe('');
    }
  }
});
