/** The buffers of all typed arrays in a value, to be moved to another thread instead of copied; shared ones stay. */
export function transferable(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (Array.isArray(value)) {
    // Arrays of text are long and hold no buffers: the first element tells.
    if (typeof value[0] === 'object') for (const element of value) transferable(element, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const element of Object.values(value)) transferable(element, found);
  }
  return [...found];
}
