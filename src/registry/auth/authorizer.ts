import { GbuildError } from '../../errors.ts';
import type { RegistryAddress } from '../http/address.ts';
import type { Redactor } from '../http/redact.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credential-helper.ts';
import { basic } from './credentials.ts';
import type { Tokens } from './tokens.ts';

/** Seconds by which two clocks may differ without being reported as a cause. */
const mostSkew = 30;

/** Authorization of the caller at one registry, in the scheme that the registry asks for. */
export class Authorizer {
  readonly #address: RegistryAddress;
  readonly #find: () => Promise<Credentials | undefined>;
  readonly #tokens: Tokens;
  readonly #redactor: Redactor;
  #challenge: Challenge | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;

  constructor(
    address: RegistryAddress,
    options: { find: () => Promise<Credentials | undefined>; tokens: Tokens; redactor: Redactor },
  ) {
    this.#address = address;
    this.#find = options.find;
    this.#tokens = options.tokens;
    this.#redactor = options.redactor;
  }

  /** Reads the schemes of a 401; bearer tokens take precedence over passwords. */
  learn(challenges: readonly Challenge[]): void {
    const known = challenges.filter(({ scheme }) => scheme === 'bearer' || scheme === 'basic');
    this.#challenge = known.find(({ scheme }) => scheme === 'bearer') ?? known[0] ?? this.#challenge;
  }

  /**
   * Returns the Authorization header for these scopes. `undefined` where none is required or no credentials are known.
   */
  async headerFor(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    const credentials = await this.#readCredentials();
    if (this.#challenge.scheme === 'basic') return credentials === undefined ? undefined : basic(credentials);
    if (credentials?.kind === 'bearer') return `Bearer ${credentials.token}`;
    return `Bearer ${await this.#tokens.get(this.#challenge, scopes, credentials)}`;
  }

  /**
   * Prepares another try after a 401 to `used`, with the scopes that the registry names. `undefined` when nothing new
   * can be sent.
   */
  async renew(
    challenges: readonly Challenge[],
    scopes: readonly string[],
    used: string | undefined,
  ): Promise<string | undefined> {
    this.learn(challenges);
    const asked = this.#challenge?.parameters.scope?.split(' ') ?? [];
    const all = [...new Set([...scopes, ...asked])];
    if (this.#challenge?.scheme === 'bearer') this.#tokens.forget(this.#challenge, all);
    const header = await this.headerFor(all);
    return header === used ? undefined : header;
  }

  /** Returns the error for a registry that refuses the credentials; `date` and `said` are from its answer. */
  async refuse(
    what: string,
    { date, said }: { date?: string | undefined; said?: string | undefined },
  ): Promise<GbuildError> {
    const { name } = this.#address;
    const origin = (await this.#readCredentials())?.origin;
    const facts = { registry: name, ...(origin !== undefined && { origin }) };
    const ahead = this.#tokens.secondsAhead(date);
    if (this.#challenge?.parameters.error === 'invalid_token' && Math.abs(ahead) > mostSkew) {
      const clocks = `whose clock is ${sayApart(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the registry's`;
      const message = `the registry ${name} refused to ${what}: it does not take the token of its token server, ${clocks}`;
      return new GbuildError('registry-denied', message, { facts });
    }
    const why =
      origin === undefined ? 'it wants credentials, and there are none' : `it does not take ${origin} for that`;
    const message = `the registry ${name} refused to ${what}: ${why}${said === undefined ? '' : `: ${said}`}`;
    return new GbuildError('registry-denied', message, { suggestions: [`docker login ${name}`], facts });
  }

  #readCredentials(): Promise<Credentials | undefined> {
    this.#credentials ??= this.#find().then((found) => {
      if (found?.kind === 'password') {
        this.#redactor.add(found.password);
        this.#redactor.add(basic(found)!.slice('Basic '.length));
      } else if (found !== undefined) this.#redactor.add(found.token);
      return found;
    });
    return this.#credentials;
  }
}

/** Formats long differences in minutes: the two clocks were read a moment apart. */
function sayApart(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
