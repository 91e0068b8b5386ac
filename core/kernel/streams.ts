/**
 * Streams: what happens in the machine, record by record, for trackers that watch more than arms (arms.ts). A stream is
 * kept only while somebody wants it; the host takes the records of all streams at each quantum, in order.
 */
import { STREAMS } from './abi-machine';
import { enlarge } from './arena';

// A stream: its records, how many u32 words they are and how many there is room for, whether it is wanted.
const S_START = 0;
const S_WORDS = 4;
const S_ROOM = 8;
const S_WANTED = 12;
const S_BYTES = 16;

const streams: usize = heap.alloc(STREAMS * S_BYTES);

export function streamsStart(): void {
  memory.fill(streams, 0, STREAMS * S_BYTES);
}

/** Keeps the stream (STREAM_*) from now on. */
export function streamWant(stream: u32): void {
  store<u32>(streams + stream * S_BYTES, 1, S_WANTED);
}

export function streamWanted(stream: u32): bool {
  return load<u32>(streams + stream * S_BYTES, S_WANTED) != 0;
}

/** The stream's words since `streamsClear`. */
export function streamWords(stream: u32): usize {
  return <usize>load<u32>(streams + stream * S_BYTES, S_START);
}
export function streamLength(stream: u32): u32 {
  return load<u32>(streams + stream * S_BYTES, S_WORDS);
}

export function streamsClear(): void {
  for (let s = streams; s < streams + STREAMS * S_BYTES; s += S_BYTES) store<u32>(s, 0, S_WORDS);
}

/** Adds two words to a stream that somebody wants. */
export function pushWords(stream: u32, first: u32, second: u32): void {
  const s = streams + stream * S_BYTES;
  const length = load<u32>(s, S_WORDS);
  const room = load<u32>(s, S_ROOM);
  if (length + 2 > room) {
    const larger: u32 = room ? room * 2 : 8192;
    store<u32>(s, <u32>enlarge(load<u32>(s, S_START), (<usize>room) << 2, (<usize>larger) << 2), S_START);
    store<u32>(s, larger, S_ROOM);
  }
  const at = <usize>load<u32>(s, S_START) + ((<usize>length) << 2);
  store<u32>(at, first);
  store<u32>(at, second, 4);
  store<u32>(s, length + 2, S_WORDS);
}
