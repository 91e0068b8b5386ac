/** Vitest global set-up: builds what tests run against (the kernel, the bundles). */
import { build } from '../esbuild.mjs';

export default async function setup(): Promise<void> {
  await build();
}
