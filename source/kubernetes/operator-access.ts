import {parse, stringify} from 'yaml';
import {z} from 'zod';
import {err, ok, type Result} from '../result.ts';

/** What RKE2 writes: one of each. Whatever else stands there is left out. */
const shape = z.object({
  clusters: z.tuple([z.object({cluster: z.object({'certificate-authority-data': z.base64().min(1)})})]),
  users: z.tuple([
    z.object({
      user: z.object({'client-certificate-data': z.base64().min(1), 'client-key-data': z.base64().min(1)}),
    }),
  ]),
});

/**
 * The cluster's own kubeconfig for a machine elsewhere: with the address that can be reached from there, and under a
 * name of its own, so that several can be in one file. It gives full rights over the cluster, like the original.
 */
export const forOperator = (
  original: string,
  {name, address}: {readonly name: string; readonly address: string},
): Result<string, string> => {
  let raw: unknown;
  try {
    raw = parse(original);
  } catch {
    // The parser's own words would quote keys.
    return err('the kubeconfig on the host is not YAML');
  }
  const read = shape.safeParse(raw);
  if (!read.success) return err('the kubeconfig on the host is not one that RKE2 writes');
  const [{cluster}] = read.data.clusters;
  const [{user}] = read.data.users;
  return ok(
    stringify(
      {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{name, cluster: {server: `https://${address}:6443`, ...cluster}}],
        users: [{name: `${name}-admin`, user}],
        contexts: [{name, context: {cluster: name, user: `${name}-admin`}}],
        'current-context': name,
      },
      {lineWidth: 0},
    ),
  );
};
