import selfsigned from "selfsigned";

/** A key and its certificate, PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

const elliptic = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** A certificate authority of this start only: its key is in memory, and nothing else trusts it. */
export async function makeAuthority(): Promise<KeyPair> {
  const made = await selfsigned.generate([{ name: "commonName", value: "Switchyard demo CA" }], {
    ...elliptic,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** A certificate whose subject says which server it is, for the names that clients ask for. */
export async function makeCertificate(ca: KeyPair, serverId: string, names: readonly string[]): Promise<KeyPair> {
  const made = await selfsigned.generate([{ name: "commonName", value: serverId }], {
    ...elliptic,
    ca,
    extensions: [{ name: "subjectAltName", altNames: names.map((value) => ({ type: 2 as const, value })) }],
  });
  return { key: made.private, cert: made.cert };
}
