/** Names of allocations and of functions, as people read them. */
import { describe, expect, test } from 'vitest';
import {
  allocationName,
  decidingFrame,
  frameText,
  isAllocator,
  isSystemFile,
  stackFrames,
} from '../../core/attribution/naming.js';
import type { Source } from '../../core/attribution/source.js';
import { shortFunctionName } from '../../core/model/names.js';
import { frame } from './run.js';

test.each([
  ['main', 'main'],
  ['parse_scene', 'parse_scene'],
  ['bump(int)', 'bump'],
  ['void times<int>(int, int)', 'times<int>'],
  [
    'std::vector<int, std::allocator<int> >::push_back(int const&)',
    'std::vector<int, std::allocator<int> >::push_back',
  ],
  ['void times<main::{lambda(int)#1}>(int, main::{lambda(int)#1})', 'times<main::{lambda(int)#1}>'],
  ['main::{lambda(int)#1}::operator()(int) const', 'main::{lambda(int)#1}::operator()'],
  ['(anonymous namespace)::grow(unsigned long)', '(anonymous namespace)::grow'],
  ['operator new(unsigned long)', 'operator new'],
  ['operator new[](unsigned long)', 'operator new[]'],
  ['Vec::operator+(Vec const&) const', 'Vec::operator+'],
  ['bool operator< <int>(int const&, int const&)', 'operator< <int>'],
  ['bool std::operator<<char, ns::t<char> >(ns::s<char> const&)', 'std::operator<<char, ns::t<char> >'],
  ['ns::s& ns::operator<<<int>(ns::s&, int)', 'ns::operator<<<int>'],
  ['ns::s& ns::operator<<(ns::s&, int)', 'ns::operator<<'],
  ['Vec::operator bool() const', 'Vec::operator bool'],
  ['Grid::at(int, int) const', 'Grid::at'],
  ['std::function<void (int)>::call(int)', 'std::function<void (int)>::call'],
  ['run(int)::Local::go()', 'run(int)::Local::go'],
  ['raytracer+0x12ab', 'raytracer+0x12ab'],
  ['', ''],
])('%s is shortened to %s', (name, short) => {
  expect(shortFunctionName(name)).toBe(short);
});

test('template arguments can be left out', () => {
  expect(shortFunctionName('void ns::Pool<int, std::less<int> >::fill<long>(int)', true)).toBe('ns::Pool::fill');
});

describe('wrappers around malloc', () => {
  test.each([
    'xmalloc',
    'xcalloc',
    'g_malloc0',
    'arena_alloc',
    'sqlite3DbMallocRawNN',
    'xstrdup',
    'operator new(unsigned long)',
    'Pool<int>::allocate(unsigned long)',
    'std::make_unique<Scene>()',
    'zmalloc_usable',
  ])('%s is one', name => expect(isAllocator(name)).toBe(true));

  test.each([
    'main',
    'parse_scene',
    'alloc_scene',
    'allocate_buffers',
    'Scene::Scene(int)',
    'reallocated_pages_report',
  ])('%s is none', name => expect(isAllocator(name)).toBe(false));
});

describe('the frame that decided on an allocation', () => {
  const allocate = frame('std::allocator<int>::allocate(unsigned long)', '/usr/include/c++/12/bits/allocator.h', 137);
  const grow = frame('std::vector<int>::push_back(int const&)', '/usr/include/c++/12/bits/stl_vector.h', 1278);
  const xmalloc = frame('xmalloc', '/w/util.c', 7);
  const user = frame('void Scene::add<int>(int)', '/w/scene.cpp', 42);

  test('is the first that is neither library nor wrapper', () => {
    expect(decidingFrame([allocate, grow, xmalloc, user, frame('main', '/w/main.c', 9)])).toBe(user);
  });

  test('is the wrapper when nothing else is the user’s', () => {
    expect(decidingFrame([xmalloc, frame('start', '', 0)])).toBe(xmalloc);
  });

  test('is the library’s when nothing else has a line, then anything', () => {
    expect(decidingFrame([allocate, frame('start', '', 0)])).toBe(allocate);
    expect(decidingFrame([frame('libfoo.so+0x10', '', 0)])).toMatchObject({ function: 'libfoo.so+0x10' });
    expect(decidingFrame([])).toBeNull();
  });

  test('names the allocation', () => {
    expect(allocationName('new', user)).toBe('new in Scene::add<int> (scene.cpp:42)');
    expect(allocationName('malloc', null)).toBe('malloc at an unknown place');
  });

  test('headers of the compilers are the library’s, the user’s own include folder is not', () => {
    expect(isSystemFile('/usr/lib/gcc/x86_64-linux-gnu/12/include/emmintrin.h')).toBe(true);
    expect(isSystemFile('/opt/llvm/include/c++/v1/vector')).toBe(true);
    expect(isSystemFile('/home/me/project/include/vec.h')).toBe(false);
  });
});

test('an allocation stack ends at main: what starts programs and threads is left out', () => {
  const chains = [
    [frame('parse', '/w/scene.c', 4)],
    [frame('main', '/w/main.c', 9)],
    [frame('__libc_start_call_main', '', 0)],
  ];
  const source = { chain: (site: number) => chains[site]!, place: () => '' } as unknown as Source;
  expect(stackFrames(source, Uint32Array.of(0, 1, 2)).map(frameText)).toEqual([
    'parse /w/scene.c:4',
    'main /w/main.c:9',
  ]);
  expect(stackFrames(source, Uint32Array.of(2))).toEqual([]);
});
