/** With how many equal bytes two runs of bytes begin. */
export function commonPrefixBytes(one: Uint8Array, other: Uint8Array): number {
  const bytesMax = Math.min(one.length, other.length);
  let at = 0;
  while (at < bytesMax && one[at] === other[at]) at += 1;
  return at;
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return commonPrefixBytes(bytes, prefix) === prefix.length;
}
