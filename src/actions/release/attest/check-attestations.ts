import { attachmentTypes } from '../../../attest/attachments.ts';
import { parseEnvelope, parseObject, verifyEnvelope } from '../../../attest/signature/dsse.ts';
import type { PublicKey } from '../../../attest/signature/key.ts';
import { signatureAnnotation, verifyImageSignature } from '../../../attest/signature/simple-signing.ts';
import { predicateTypes, type Statement, statementMediaType } from '../../../attest/signature/statement.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import type { Descriptor } from '../../../oci/spec.ts';
import { readSmall } from '../../../registry/image/read-small.ts';
import { parseManifest } from '../../../registry/manifest/parse-manifest.ts';
import type { Repository } from '../../../registry/repository.ts';
import type { RemoteSet } from '../../store/remote-set.ts';

/** Image or index with a name. */
type Subject = Pick<RemoteSet, 'repository' | 'descriptor'>;

/** Throws `signature-invalid` unless one of the image's signatures belongs to the key. */
export async function checkSignature(subject: Subject, key: PublicKey): Promise<void> {
  const reasons = await whyNotSigned(subject, key);
  if (reasons === undefined) return;
  const reference = `${subject.repository.name}@${subject.descriptor.digest}`;
  throw new GbuildError(
    'signature-invalid',
    `${reference} is not signed with this key: ${reasons[0] ?? 'there is no signature'}`,
    { suggestions: [`gbuild inspect ${reference}`], facts: { reference, reasons } },
  );
}

/** Explains why each of the image's signatures is not the key's; undefined where one of them is. */
export async function whyNotSigned({ repository, descriptor }: Subject, key: PublicKey): Promise<string[] | undefined> {
  const reasons: string[] = [];
  for (const layer of await listLayers(repository, descriptor, attachmentTypes.signature)) {
    const signature = layer.annotations?.[signatureAnnotation] ?? '';
    const payload = await readSmall(repository, layer);
    try {
      verifyImageSignature({ payload, signature }, descriptor.digest, key);
      return undefined;
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  return reasons;
}

/**
 * Reads the provenance. With a key it is the signed one, else the document that anybody could have attached. Throws
 * where it describes another image.
 */
export async function readProvenance(remote: Subject, key: PublicKey | undefined): Promise<Statement> {
  const { repository, descriptor } = remote;
  const statement = key === undefined ? await findPlain(remote) : await findSigned(remote, key);
  const reference = `${repository.name}@${descriptor.digest}`;
  if (statement === undefined)
    throw new GbuildError('signature-invalid', `${reference} has no ${key ? 'signed ' : ''}provenance`, {
      suggestions: ['gbuild push NAME:VERSION   # from where it was released, which puts it there'],
      facts: { reference },
    });
  const subject = readSubject(statement);
  if (`sha256:${subject}` === descriptor.digest) return statement;
  throw new GbuildError(
    'signature-invalid',
    `the provenance of ${reference} speaks of another image, sha256:${subject}`,
    {
      facts: { reference, subject },
    },
  );
}

/** Reads the digest of the statement's subject, whatever its author wrote there. */
function readSubject({ subject }: Statement): string | undefined {
  const [first] = Array.isArray(subject) ? (subject as { digest?: { sha256?: string } }[]) : [];
  return first?.digest?.sha256;
}

async function findPlain({ repository, descriptor }: Subject): Promise<Statement | undefined> {
  for (const layer of await listLayers(repository, descriptor, statementMediaType)) {
    const statement = parseObject(await readSmall(repository, layer)) as unknown as Statement;
    if (statement.predicateType === predicateTypes.provenance) return statement;
  }
  return undefined;
}

async function findSigned({ repository, descriptor }: Subject, key: PublicKey): Promise<Statement | undefined> {
  for (const layer of await listLayers(repository, descriptor, attachmentTypes.attestation)) {
    if (layer.annotations?.predicateType !== predicateTypes.provenance) continue;
    const statement = verifyEnvelope(parseEnvelope(await readSmall(repository, layer)), key);
    if (statement.predicateType === predicateTypes.provenance) return statement;
  }
  return undefined;
}

async function listLayers(repository: Repository, subject: Descriptor, type: string): Promise<Descriptor[]> {
  const layers: Descriptor[] = [];
  for (const referrer of await repository.listReferrers(subject.digest, type)) {
    const found = await repository.readManifest(referrer.digest);
    const place = { name: repository.name, registry: repository.registry, reference: referrer.digest };
    if (found !== undefined) layers.push(...parseManifest(place, found.bytes).layers);
  }
  return layers;
}
