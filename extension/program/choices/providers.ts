/** Where programs come from, in the order in which they are offered: one file and one line each. */
import { built } from './built.js';
import type { Provider } from './choice.js';
import { cmake } from './cmake.js';
import { launch } from './launch.js';
import { make } from './make.js';
import { meson } from './meson.js';
import { ninja } from './ninja.js';
import { sources } from './sources.js';

export const providers: readonly Provider[] = [launch, cmake, meson, make, ninja, built, sources];

/** Those that build a program with hooks from a project. */
export const buildProviders: readonly Provider[] = [cmake, meson, make, ninja];
