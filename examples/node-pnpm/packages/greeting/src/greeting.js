import ms from 'ms';

/** A greeting, and how long the greeter has been up. */
export function greet(uptime) {
  return { hello: 'pnpm', up: ms(uptime, { long: true }) };
}
