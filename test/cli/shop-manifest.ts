/** A farm of two servers behind one listener with two routes: six resources in three forms. */
export const shop = `
farm: {name: farms/web, connectTimeout: 3s}
---
- server: {name: farms/web/servers/a, address: "10.0.0.1:443"}
- server: {name: farms/web/servers/b, address: "10.0.0.2:443", weight: 3, region: eu}
---
resources:
- listener: {name: listeners/edge, addresses: ["127.0.0.1:8443"]}
- route:
    name: listeners/edge/routes/shop
    match: {serverNames: [shop.example.com, "*.shop.example.com"], alpnProtocols: [h2]}
    action: {farm: farms/web}
- route:
    name: listeners/edge/routes/nobody
    match: {noServerName: true}
    action: {reject: {}}
`;
