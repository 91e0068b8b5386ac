/** The kernel's exports: the decoder, and the emulated machine that consumes what it decodes. */
export * from './abi';
export * from './decode';
