/**
 * What to set in which TLS stack, as text to paste. Which stacks fit shows in the length of the names with which tickets
 * begin: 16 bytes for OpenSSL and its users, BoringSSL, GnuTLS and rustls' Ticketer, 17 for s2n, 4 for the JDK and Mbed TLS.
 */

/** Makes all servers, and all workers of a server, resume each other's sessions. */
export function sharedKeySettings(nameBytes: readonly number[]): string {
  const known = nameBytes.flatMap((bytes) => sharedKeysByNameBytes.get(bytes) ?? []);
  const lines = known.length > 0 ? known : [...sharedKeysByNameBytes.values()].flat();
  return ["Give all servers the same ticket key, and replace it everywhere at the same time:", ...lines].join("\n");
}

/** For servers whose tickets have no key name. */
export function keyNameSettings(): string {
  return [
    "Nothing shows which server a session belongs to. Share the keys, or make tickets with a key name:",
    "Go: config.SetSessionTicketKeys([][32]byte{key}) with the same 32 bytes on all servers",
    `Caddy: {"apps": {"tls": {"session_tickets": {"key_source": {"provider": "distributed"}}}}} with a storage that all share`,
    "rustls: config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()? (the default keeps sessions in each process)",
    "OpenSSL: SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET)",
    "nginx: ssl_session_tickets on;",
    "Apache: SSLSessionTickets on",
    "HAProxy: remove no-tls-tickets from bind and from ssl-default-bind-options",
    "Otherwise set the farm's affinity.fallback to source.",
  ].join("\n");
}

/** For servers that give clients nothing to resume by. */
export function sessionSettings(): string {
  return [
    "Let the servers issue session tickets:",
    "nginx: ssl_session_tickets on;",
    "Apache: SSLSessionTickets on",
    "HAProxy: remove no-tls-tickets from bind and from ssl-default-bind-options",
    "OpenSSL: SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET); SSL_CTX_set_num_tickets(ctx, 2);",
    "Node: remove secureOptions: constants.SSL_OP_NO_TICKET",
    "Go: config.SessionTicketsDisabled = false",
    "Java: -Djdk.tls.server.enableSessionTicketExtension=true (TLS 1.2); TLS 1.3 has tickets",
    "GnuTLS: gnutls_session_ticket_enable_server(session, &key)",
    "rustls: config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?",
    "s2n: s2n_config_set_session_tickets_onoff(config, 1); s2n_config_add_ticket_crypto_key(...)",
  ].join("\n");
}

const sharedKeysByNameBytes = new Map<number, readonly string[]>([
  [
    4,
    [
      "Java: the JDK's own TLS can't share ticket keys. With Netty's OpenSSL provider: " +
        "((OpenSslSessionContext) sslContext.sessionContext()).setTicketKeys(new OpenSslSessionTicketKey(name, hmacKey, aesKey)), 16 bytes each; " +
        "or -Djdk.tls.server.statelessKeyTimeout=86400 for a new key a day instead of an hour",
      "Mbed TLS: mbedtls_ssl_ticket_rotate(&tickets, name, 4, key, 32, lifetime) with the same name and key on all servers",
    ],
  ],
  [
    16,
    [
      "nginx: openssl rand 80 > /etc/nginx/ticket.key, and in the server block: ssl_session_ticket_key /etc/nginx/ticket.key;",
      "HAProxy: three lines of openssl rand -base64 80 | tr -d '\\n' in one file, and on the bind line: tls-ticket-keys /etc/haproxy/ticket.keys",
      "Apache: openssl rand -out /etc/apache2/ticket.key 48, and SSLSessionTicketKeyFile /etc/apache2/ticket.key",
      "Node: tls.createServer({ ticketKeys }), 48 bytes, or server.setTicketKeys(ticketKeys)",
      "Envoy: in DownstreamTlsContext: session_ticket_keys: { keys: [{ filename: /etc/envoy/ticket.key }] }, from openssl rand 80",
      "OpenSSL: SSL_CTX_set_tlsext_ticket_keys(ctx, keys, length); with NULL for keys it answers the length (80; BoringSSL 48)",
      "GnuTLS: gnutls_session_ticket_enable_server(session, &key) with one key of gnutls_session_ticket_key_generate on all servers; clocks must agree",
      "rustls: its Ticketer makes keys of its own in each process; to share them, implement ProducesTickets",
    ],
  ],
  [
    17,
    [
      "s2n: s2n_config_add_ticket_crypto_key(config, name, name_len, key, key_len, introduced) with the same values on all servers",
    ],
  ],
]);
