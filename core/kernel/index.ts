/** The kernel's exports: the decoder, the counting half, and the emulated machine that follows it. */
export * from './abi';
export * from './decode';
export * from './machine';
