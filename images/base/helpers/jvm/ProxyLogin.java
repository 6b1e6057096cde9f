import java.lang.reflect.InvocationTargetException;
import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.util.Arrays;

/**
 * Starts another program's main class with an answer for proxies that ask who one is, from the options https.proxyUser and
 * https.proxyPassword (or http.*), which a JVM does not look at by itself.
 *
 * java ProxyLogin MAIN-CLASS [ARGUMENT]...
 */
public final class ProxyLogin extends Authenticator {
  public static void main(String[] args) throws Throwable {
    Authenticator.setDefault(new ProxyLogin());
    try {
      Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (InvocationTargetException failure) {
      throw failure.getCause();
    }
  }

  @Override
  protected PasswordAuthentication getPasswordAuthentication() {
    if (getRequestorType() != RequestorType.PROXY) return null;
    String protocol = System.getProperty("https.proxyUser") != null ? "https" : "http";
    String user = System.getProperty(protocol + ".proxyUser");
    String password = System.getProperty(protocol + ".proxyPassword", "");
    return user == null ? null : new PasswordAuthentication(user, password.toCharArray());
  }
}
