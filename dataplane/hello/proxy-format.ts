/** What the reader and the writer of PROXY protocol headers share: the document's constants and one view of addresses. */

export const proxySignatureV1 = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20);
export const proxySignatureV2 = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);

/** Version 2: signature, version and command, family and transport, length of the rest. */
export const proxyPreambleBytes = 16;

/** The byte of version and command (section 2.2). */
export const proxyCommand = { local: 0x20, proxy: 0x21 } as const;

/** The byte of address family and transport protocol. */
export const proxyFamily = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21 } as const;

/** Types of the TLVs that are read or written. */
export const proxyTlvType = { alpn: 0x01, authority: 0x02, crc32c: 0x03, unique_id: 0x05 } as const;

/** Type and length in front of each TLV's value. */
export const tlvHeadBytes = 3;

/** Section 2.2.5. */
export const uniqueIdBytesMax = 128;
