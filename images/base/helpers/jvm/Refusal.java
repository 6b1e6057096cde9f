/** Nothing that can be laid out: the reason, and what to write. Exit code 2 of the program that meets it. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1;

  Refusal(String message) {
    super(message);
  }

  /** Says a refusal as one of a program's messages, and ends. */
  static void tell(String program, Refusal refusal) {
    System.err.println(program + ": " + refusal.getMessage());
    System.exit(2);
  }
}
