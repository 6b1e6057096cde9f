import type { Digest } from '../oci/digest.ts';
import type { RunConfig } from '../oci/spec.ts';

/** Released image, as it is handed over. */
export interface DeliveredImage {
  /** Repository without registry: `acme/hello`. */
  name: string;
  version: string;
  /** Digest of the config: the image id of a classic image store. */
  imageId: Digest;
  /** Platform such as `linux/amd64`; undefined for an index of several. */
  platform?: string;
  config: RunConfig;
  /** Time of the commit in RFC 3339. */
  created?: string;
  commit?: string;
  /** Place in a registry; always there for a target that pulls. */
  published?: PublishedImage;
}

/** Image in a registry. */
export interface PublishedImage {
  /** Name such as `registry.example.com/acme/hello`. */
  repository: string;
  digest: Digest;
}
