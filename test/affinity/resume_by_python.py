"""Visits each HOST:PORT in turn as NAME, offers the session of the visit before, and prints what the server answered."""

import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
session = None
for edge in sys.argv[2:]:
    host, port = edge.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as tcp:
        with context.wrap_socket(tcp, server_hostname=sys.argv[1], session=session) as tls:
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while part := tls.recv(4096):
                sys.stdout.write(part.decode())
            session = tls.session
