import { parseEnvelope, verifyEnvelope } from '../attest/dsse.ts';
import type { PublicKey } from '../attest/key.ts';
import { signatureAnnotation, verifyImageSignature } from '../attest/simple-signing.ts';
import { predicateTypes, type Statement, statementMediaType } from '../attest/statement.ts';
import { GbuildError, messageOf } from '../errors.ts';
import type { Descriptor, Manifest } from '../oci/spec.ts';
import type { RemoteImage } from '../registry/pull-image.ts';
import type { Repository } from '../registry/repository.ts';

const signatureType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const attestationType = 'application/vnd.dev.cosign.artifact.att.v1+json';

/** Throws `signature-invalid` unless one of the image's signatures is the key's. */
export async function checkSignature({ repository, descriptor }: RemoteImage, key: PublicKey): Promise<void> {
  const reasons: string[] = [];
  for (const layer of await listLayers(repository, descriptor, signatureType)) {
    const signature = layer.annotations?.[signatureAnnotation] ?? '';
    try {
      verifyImageSignature({ payload: await readSmall(repository, layer), signature }, descriptor.digest, key);
      return;
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  const reference = `${repository.name}@${descriptor.digest}`;
  throw new GbuildError(
    'signature-invalid',
    `${reference} is not signed with this key: ${reasons[0] ?? 'there is no signature'}`,
    {
      suggestions: [`gbuild inspect ${reference}`],
      facts: { reference, reasons },
    },
  );
}

/** The provenance: with a key the signed one, else the document that anybody could have put there. Of this image, or a throw. */
export async function readProvenance(remote: RemoteImage, key: PublicKey | undefined): Promise<Statement> {
  const { repository, descriptor } = remote;
  const statement = key === undefined ? await findPlain(remote) : await findSigned(remote, key);
  const reference = `${repository.name}@${descriptor.digest}`;
  if (statement === undefined)
    throw new GbuildError('signature-invalid', `${reference} has no ${key ? 'signed ' : ''}provenance`, {
      suggestions: ['gbuild push NAME:VERSION   # from where it was released, which puts it there'],
      facts: { reference },
    });
  const subject = statement.subject[0]?.digest.sha256;
  if (`sha256:${subject}` === descriptor.digest) return statement;
  throw new GbuildError(
    'signature-invalid',
    `the provenance of ${reference} speaks of another image, sha256:${subject}`,
    {
      facts: { reference, subject },
    },
  );
}

async function findPlain({ repository, descriptor }: RemoteImage): Promise<Statement | undefined> {
  for (const layer of await listLayers(repository, descriptor, statementMediaType)) {
    const statement = JSON.parse((await readSmall(repository, layer)).toString()) as Statement;
    if (statement.predicateType === predicateTypes.provenance) return statement;
  }
  return undefined;
}

async function findSigned({ repository, descriptor }: RemoteImage, key: PublicKey): Promise<Statement | undefined> {
  for (const layer of await listLayers(repository, descriptor, attestationType)) {
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
    if (found !== undefined) layers.push(...(JSON.parse(found.bytes.toString()) as Manifest).layers);
  }
  return layers;
}

const mostBytes = 64 << 20;

async function readSmall(repository: Repository, blob: Descriptor): Promise<Buffer> {
  if (blob.size > mostBytes)
    throw new GbuildError(
      'signature-invalid',
      `${repository.name}@${blob.digest} is no attestation: ${blob.size} bytes`,
    );
  const parts: Buffer[] = [];
  for await (const part of repository.readBlob(blob)) parts.push(part);
  return Buffer.concat(parts);
}
