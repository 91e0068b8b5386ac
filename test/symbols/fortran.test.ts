/** Fortran's names for what gfortran names otherwise, and what its allocate statements allocate. */
import { expect, test } from 'vitest';
import { allocations, fortranFunction, fortranVariable } from '../../core/symbols/fortran.js';

test.each([
  ['__fields_MOD_fill', 'fields::fill'],
  ['__my_mod_MOD_do_it', 'my_mod::do_it'],
  ['work_', 'work'],
  // With an underscore of its own, by -fsecond-underscore.
  ['do_work__', 'do_work'],
  ['inner.0', 'inner'],
  ['MAIN__', 'program'],
  ['bound_c', 'bound_c'],
])('function %s is %s', (mangled, name) => {
  expect(fortranFunction(mangled)).toBe(name);
});

test.each([
  ['__fields_MOD_grid', 'fields::grid'],
  ['blk_', '/blk/'],
  ['__BLNK__', '//'],
  ['saved', 'saved'],
])('variable %s is %s', (mangled, name) => {
  expect(fortranVariable(mangled)).toBe(name);
});

const namesOf = (file: string, text: string) =>
  allocations(file, text).map(({ firstLine, lastLine, names }) => `${firstLine}-${lastLine} ${names}`);

test('free form: continuation lines, comments, conditions, several statements a line', () => {
  const text = `
    allocate(grid(n, n), stat=status)   ! allocate(not(this))
    if (.not. allocated(row)) ALLOCATE (row(2 * (n + 1)), &
      ! a comment between them
      & edge(0:n), source=other)
    deallocate(row); allocate(real(8) :: this%cells(i)%next(n))
    print *, "allocate(x(1)); allocate(y(2))", allocated(grid)
10  allocate(node_type :: head)
    allocate(field(n)[*])`;
  expect(namesOf('a.f90', text)).toEqual([
    '2-2 grid',
    '3-5 row,edge',
    '6-6 this%cells(i)%next',
    '8-8 head',
    '9-9 field',
  ]);
});

test('fixed form: comments and continuation by column', () => {
  const text = ['C     allocate(x(1))', '      allocate(a(10),', '     &  b(20))', '* more', '      allocate(c(5))'];
  expect(namesOf('a.f', text.join('\n'))).toEqual(['2-3 a,b', '5-5 c']);
});
