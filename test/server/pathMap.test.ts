import { describe, expect, test } from 'vitest';
import { commonSuffix, isWithin, PathMap, proposeMapping } from '../../core/server/pathMap.js';

describe('path mapping', () => {
  const map = new PathMap({
    '/build': '/home/me/all',
    '/build/src/': '/home/me/src',
    relative: '/home/me/x',
    '/other': 'relative',
  });

  test.each([
    ['/build/src/a/b.c', '/home/me/src/a/b.c'],
    ['/build/lib/c.c', '/home/me/all/lib/c.c'],
    ['/builder/src/a.c', '/builder/src/a.c'],
    ['/other/a.c', '/other/a.c'],
    ['relative/a.c', 'relative/a.c'],
  ])('%s is %s here', (built, local) => expect(map.toLocal(built)).toBe(local));

  test('and back; a file that no entry is about keeps its path', () => {
    expect(map.toBuilt('/home/me/src/a/b.c')).toBe('/build/src/a/b.c');
    expect(map.toBuilt('/home/me/all/lib/c.c')).toBe('/build/lib/c.c');
    expect(map.toBuilt('/home/you/src/a.c')).toBe('/home/you/src/a.c');
  });

  test('folders hold whole components', () => {
    expect(isWithin('/a/bc/d', '/a/b')).toBe(false);
    expect(isWithin('/a/b/d', '/a/b')).toBe(true);
    expect(isWithin('/a/b', '/a/b')).toBe(true);
    expect(isWithin('/a', '/')).toBe(true);
    expect(commonSuffix('/x/src/a.c', '/y/src/a.c')).toBe(2);
    expect(commonSuffix('/x/a.c', '/x/b.c')).toBe(0);
  });
});

describe('a mapping is proposed from a folder', () => {
  const here = new Set(['/me/project/src/a.c', '/me/project/src/util/b.c', '/me/project/c.c']);
  const exists = (file: string) => here.has(file);

  test('what most files agree on', () => {
    const missing = ['/build/src/a.c', '/build/src/util/b.c', '/elsewhere/deep/c.c', '/build/src/gone.c'];
    expect(proposeMapping(missing, '/me/project', exists)).toEqual({ built: '/build', local: '/me/project', files: 2 });
  });

  test('the folder that corresponds to a deeper one', () => {
    expect(proposeMapping(['/build/src/util/b.c'], '/me/project/src', exists)).toEqual({
      built: '/build/src',
      local: '/me/project/src',
      files: 1,
    });
  });

  test('nothing, when it holds none of them', () => {
    expect(proposeMapping(['/build/x.c'], '/me/project', exists)).toBeNull();
  });
});
