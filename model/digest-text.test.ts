import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryResource } from "../test/support/arbitrary-resource.ts";
import { Digest } from "./digest.ts";
import { digestText } from "./digest-text.ts";
import { canonicalText, resourceFields } from "./resource-fields.ts";
import type { Resource, Route } from "./resource.ts";

test("the text that digests are made of is the canonical one, for any resource", () => {
  fc.assert(
    fc.property(arbitraryResource, (resource) => {
      expect(digestText(resource)).toBe(canonicalText(resource));
    }),
  );
});

test("and for any characters in the lists of a route", () => {
  const texts = fc.array(fc.string({ unit: "binary" }), { maxLength: 3 });
  fc.assert(
    fc.property(texts, texts, texts, fc.boolean(), (serverNames, alpnProtocols, sourceNetworks, noServerName) => {
      const match = { serverNames, noServerName, alpnProtocols, sourceNetworks } as unknown as Route["match"];
      const action = { to: "reject", alert: "access_denied" } as const;
      const route: Resource = { kind: "route", name: "listeners/a/routes/b", match, action };
      expect(digestText(route)).toBe(canonicalText(route));
    }),
  );
});

test("it knows every field of a route", () => {
  expect(resourceFields.route.map(({ path }) => path)).toEqual([
    "match.server_names",
    "match.no_server_name",
    "match.alpn_protocols",
    "match.source_networks",
    "action",
  ]);
});

test("the digest of a single resource is the SHA-256 of its canonical text", () => {
  fc.assert(
    fc.property(arbitraryResource, (resource) => {
      const digest = new Digest();
      digest.add(resource);
      expect(digest.bytes()).toEqual(sha256(new TextEncoder().encode(canonicalText(resource))));
    }),
  );
});
