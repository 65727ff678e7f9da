/**
 * Shows the first bytes of a stream, however it is cut.
 * @param bytesMax how many; 0 or less for none
 * @param show is called with one byte or more, until there were `bytesMax`
 */
export function serverTap(bytesMax: number, show: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  let left = bytesMax;
  return (bytes) => {
    if (left <= 0) return;
    const shown = bytes.subarray(0, left);
    left -= shown.length;
    show(shown);
  };
}
