/** What can go wrong before or while a program is recorded, with the exit status that the command line gives it. */

import type { Failure } from '../model/failure.js';

export class RecordError extends Error {
  override readonly name = 'RecordError';

  constructor(
    message: string,
    /** 2: wrong usage or bad input; 3: the program could not be built or started (design, section 4). */
    readonly exitStatus: 2 | 3 = 3,
    /** For an editor, which chooses the next step by it. */
    readonly failure?: Failure,
  ) {
    super(message);
  }
}
