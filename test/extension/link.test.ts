/** Links into the editor: what they may say, and that nothing else gets through. */
import { expect, test } from 'vitest';
import { parseLink } from '../../extension/link.js';

const open = (query: string) => parseLink('/open', query);
const nothing = { profile: null, source: null, view: null, tracker: null };

test('a profile, with the view and the tracker to show', () => {
  expect(open('file=/w/run.pagelens')).toEqual({ ...nothing, profile: '/w/run.pagelens' });
  expect(open('file=%2Fw%2Fa%20b.pltrace&view=heatmap&tracker=ept-ad-scan')).toEqual({
    ...nothing,
    ...{ profile: '/w/a b.pltrace', view: 'heatmap', tracker: 'ept-ad-scan' },
  });
});

test('a line of source; the first without one', () => {
  expect(open('file=/w/scan.c&line=14')).toEqual({ ...nothing, source: { file: '/w/scan.c', line: 14 } });
  expect(open('file=/w/../x/scan.c')).toEqual({ ...nothing, source: { file: '/x/scan.c', line: 1 } });
});

test('a view or a tracker of what is shown', () => {
  expect(open('view=placement')).toEqual({ ...nothing, view: 'placement' });
  expect(open('tracker=pml')).toEqual({ ...nothing, tracker: 'pml' });
});

test.each([
  ['/run', 'file=/w/a.c', 'unknownAction'],
  ['', '', 'unknownAction'],
  ['/open', '', 'nothing'],
  ['/open', 'command=pagelens.profile', 'unknownParameter'],
  ['/open', 'file=/a.c&file=/b.c', 'repeatedParameter'],
  ['/open', 'file=a.c', 'notAbsolute'],
  ['/open', 'file=', 'notAbsolute'],
  ['/open', 'file=file:///a.c', 'notAbsolute'],
  ['/open', 'file=/a%00.c', 'notAbsolute'],
  ['/open', 'file=/a.c&line=0', 'badLine'],
  ['/open', 'file=/a.c&line=-1', 'badLine'],
  ['/open', 'file=/a.c&line=1e3', 'badLine'],
  ['/open', 'line=3', 'badLine'],
  ['/open', 'file=/a.pagelens&line=3', 'badLine'],
  ['/open', 'view=a/b', 'badName'],
  ['/open', 'tracker=', 'badName'],
])('%s?%s is refused: %s', (action, query, kind) => {
  expect(parseLink(action, query)).toMatchObject({ kind });
});
