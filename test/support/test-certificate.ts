import { generate } from "selfsigned";

export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A self-signed certificate with the name as its subject's CN and, where it is a DNS name, as an alternative name. */
export async function testCertificate(commonName: string): Promise<TestCertificate> {
  const made = await generate([{ name: "commonName", value: commonName }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: commonName }] }],
  });
  return { key: made.private, cert: made.cert };
}
