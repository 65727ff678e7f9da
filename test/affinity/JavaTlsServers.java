import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** TLS servers, each with a context (ticket keys, session cache) of its own: `HOST KEYSTORE MODE...`, a server for each mode. */
public final class JavaTlsServers {
  private static final ExecutorService threads = Executors.newCachedThreadPool();

  public static void main(String[] words) throws Exception {
    System.out.println("version " + System.getProperty("java.version"));
    for (int index = 2; index < words.length; index++) {
      SSLServerSocket server = listen(words[0], words[1], words[index]);
      System.out.println("server " + words[index] + " " + server.getLocalPort());
      threads.execute(() -> accept(server));
    }
    System.out.println("ready");
  }

  private static SSLServerSocket listen(String host, String keystore, String mode) throws Exception {
    // The context reads it when it is made.
    System.setProperty("jdk.tls.server.enableSessionTicketExtension", String.valueOf(!mode.equals("tls12-ids")));
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = new FileInputStream(keystore)) {
      keys.load(in, "affinity".toCharArray());
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "affinity".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    SSLServerSocket server = (SSLServerSocket)
        context.getServerSocketFactory().createServerSocket(0, 100, InetAddress.getByName(host));
    server.setEnabledProtocols(new String[] {mode.equals("tls13-tickets") ? "TLSv1.3" : "TLSv1.2"});
    return server;
  }

  private static void accept(SSLServerSocket server) {
    while (true) {
      try {
        SSLSocket socket = (SSLSocket) server.accept();
        threads.execute(() -> answer(socket));
      } catch (Exception error) {
        System.out.println("accept: " + error);
        return;
      }
    }
  }

  private static void answer(SSLSocket accepted) {
    long sinceMs = System.currentTimeMillis();
    try (SSLSocket socket = accepted) {
      socket.setSoTimeout(30_000);
      socket.startHandshake();
      // A resumed session keeps the time at which it was made, also when it comes back in a ticket.
      boolean resumed = socket.getSession().getCreationTime() < sinceMs;
      byte[] request = new byte[4096];
      if (socket.getInputStream().read(request) < 0) return;
      String body = "HTTP/1.0 200 OK\r\n\r\nsession=" + (resumed ? "reused" : "new") + "\n";
      socket.getOutputStream().write(body.getBytes(StandardCharsets.US_ASCII));
    } catch (Exception error) {
      // A check that went away, or a client that did: this connection is over, and the server goes on.
      System.out.println("connection: " + error);
    }
  }
}
