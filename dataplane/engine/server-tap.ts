import { RecordWalk } from "./record-walk.ts";

/**
 * Shows the first bytes of a stream as far as they are in clear, however it is cut.
 * @param bytesMax how many at most; 0 or less for none
 * @param show is called with one byte or more, until there is nothing further to show
 */
export function serverTap(bytesMax: number, show: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  let left = bytesMax;
  const walk = new RecordWalk();
  return (bytes) => {
    if (left <= 0) return;
    const first = bytes.subarray(0, left);
    const shown = first.subarray(0, walk.inClear(first));
    left = walk.over ? 0 : left - shown.length;
    show(shown);
  };
}
