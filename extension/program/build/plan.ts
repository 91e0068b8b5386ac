/** How a program is built with access hooks. Plain data; `builders.ts` carries it out. */
export type BuildPlan =
  /** The user's own command, run by the shell. */
  | { readonly kind: 'command'; readonly command: string; readonly folder: string }
  /** A goal of a makefile, in a mirror of its folder; null: the default goal. */
  | { readonly kind: 'make'; readonly folder: string; readonly goal: string | null }
  /** A target of a `build.ninja`, in a mirror of its folder. */
  | { readonly kind: 'ninja'; readonly folder: string; readonly target: string }
  /** A target of a CMake project, in a build folder of ours. */
  | { readonly kind: 'cmake'; readonly folder: string; readonly target: string }
  /** A target of a Meson project, likewise. */
  | { readonly kind: 'meson'; readonly folder: string; readonly target: string };

/** What the build is called: in its terminal, in messages. */
export function titleOf(plan: BuildPlan): string {
  switch (plan.kind) {
    case 'command':
      return plan.command;
    case 'make':
      return plan.goal === null ? 'make' : `make ${plan.goal}`;
    case 'ninja':
      return `ninja ${plan.target}`;
    case 'cmake':
      return `cmake --build --target ${plan.target}`;
    case 'meson':
      return `meson compile ${plan.target}`;
  }
}
