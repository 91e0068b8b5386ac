/** Names of Rust's older mangling, as a C++ demangler leaves them. */
import { expect, test } from 'vitest';
import { rustName } from '../../core/symbols/rust.js';

test.each([
  ['demo::total::h4beeb0aa26adbcbb', 'demo::total'],
  [
    '_$LT$alloc..vec..Vec$LT$T$C$A$GT$$u20$as$u20$core..ops..drop..Drop$GT$::drop::h0123456789abcdef',
    '<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop',
  ],
  ['demo::main::_$u7b$$u7b$closure$u7d$$u7d$::h0123456789abcdef', 'demo::main::{{closure}}'],
  ['core::slice::_$LT$impl$u20$$u5b$T$u5d$$GT$::len::h0123456789abcdef', 'core::slice::<impl [T]>::len'],
  // No hash: none of Rust's.
  ['ns::h1234', 'ns::h1234'],
  ['a..b', 'a..b'],
])('%s', (mangled, name) => {
  expect(rustName(mangled)).toBe(name);
});
