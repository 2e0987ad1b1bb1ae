import {err, ok, type Result} from '../result.ts';
import {certificatePem, chainCertificate} from './chain-certificate.ts';
import {type JudgeOptions, judge, type Verdict} from './judge.ts';
import {pemBlocks} from './pem-blocks.ts';
import {readPrivateKeyPem} from './private-key.ts';
import type {Supply} from './supply.ts';

/** A certificate that is ready for use, all in PEM. */
export type Bundle = {
  /** What a server sends: the leaf, and the authorities below the root. */
  readonly fullchain: string;
  /** What clients must know. */
  readonly root: string;
  /** PKCS #8. */
  readonly key: string;
};

/** What is kept of a certificate that was judged; undefined while its chain or its key is missing. */
export const bundleOf = ({chain, root}: Verdict, {key}: Supply): Bundle | undefined =>
  root && key
    ? {
        fullchain: chain.path
          .filter(each => each !== root)
          .map(({raw}) => certificatePem(raw))
          .join(''),
        root: certificatePem(root.raw),
        key: key.pem,
      }
    : undefined;

/** One PEM text: the chain with its root, then the key. One text, so that the vault never holds half a pair. */
export const bundleToText = ({fullchain, root, key}: Bundle): string => `${fullchain}${root}${key}`;

export const bundleFromText = (text: string): Result<Bundle, string> => {
  const {blocks} = pemBlocks(text);
  const certificates = blocks.filter(({label}) => label === 'CERTIFICATE').map(block => block.text);
  const key = blocks.find(({label}) => label === 'PRIVATE KEY')?.text;
  const root = certificates.at(-1);
  return root && key && certificates.length > 1
    ? ok({fullchain: certificates.slice(0, -1).join(''), root, key})
    : err('what the vault holds is not a certificate with its chain and its key; import it again');
};

const rawOf = (pem: string): readonly Buffer[] => pemBlocks(pem).blocks.map(({der}) => der);

/** A kept certificate as it was supplied, to be judged once more: days have gone by. */
export const supplyFrom = ({fullchain, root, key}: Bundle): Supply | undefined => {
  const [leaf, ...pool] = [...rawOf(fullchain), ...rawOf(root)].flatMap(raw => chainCertificate(raw) ?? []);
  const read = readPrivateKeyPem(key, undefined);
  return leaf && read.ok ? {leaf, pool, key: {...read.value, file: 'vault'}} : undefined;
};

/** What is to be thought now of a certificate that the vault holds. */
export const judgeKept = (text: string, options: JudgeOptions): Result<Verdict & {readonly bundle: Bundle}, string> => {
  const bundle = bundleFromText(text);
  if (!bundle.ok) return bundle;
  const supply = supplyFrom(bundle.value);
  return supply
    ? ok({...judge(supply, options), bundle: bundle.value})
    : err('what the vault holds cannot be read; import it again');
};
