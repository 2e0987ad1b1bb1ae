import type {CertificateServices, JudgedFiles} from '../../source/app/services.ts';
import {type Tls, tls as tlsSchema} from '../../source/deployment/schema.ts';
import {err, ok} from '../../source/result.ts';

const good: JudgedFiles = {
  usable: true,
  summary: 'openg2p.test, *.openg2p.test: can be used until 2027-05-01.',
  remarks: [
    {severity: 'note', text: 'It was issued by the private CA "Ministry Root".'},
    {severity: 'good', text: 'They cover every name of this deployment.'},
  ],
};

const alone: JudgedFiles = {
  usable: false,
  summary: 'openg2p.test, *.openg2p.test: cannot be used.',
  remarks: [{severity: 'error', text: 'The private key of openg2p.test is not here. Name the file with the key.'}],
};

/** A folder with a chain, its key and a locked PFX file, whose password is "sesame". */
export const madeUpCertificates = (asked: string[]): CertificateServices => {
  const kept: string[] = [];
  const waiting: string[] = [];
  const supplied = (certificates: readonly string[]): Tls => tlsSchema.parse({mode: 'supplied', certificates});
  return {
    startFolder: '/home/ops',
    folder: path =>
      path === '/home/ops'
        ? [
            {name: 'fullchain.pem', folder: false},
            {name: 'openg2p.pfx', folder: false},
            {name: 'privkey.pem', folder: false},
            {name: 'sectigo', folder: true},
          ]
        : path === '/home/ops/sectigo'
          ? [{name: 'openg2p.zip', folder: false}]
          : undefined,
    requestNames: ({domain}, each) => (each ? [`rancher.${domain}`] : [domain, `*.${domain}`]),
    state: async ({tls}) => ({
      certificates:
        tls.mode === 'supplied'
          ? tls.certificates.map(name =>
              kept.includes(name)
                ? {name, severity: 'good', text: 'until 2027-05-01: openg2p.test, *.openg2p.test'}
                : waiting.includes(name)
                  ? {name, severity: 'warning', text: `waiting for the CA: /state/requests/${name}.csr`}
                  : {name, severity: 'warning', text: 'is still missing; import it or make a request'},
            )
          : [],
      remarks: [],
    }),
    examine: async (_, paths, password) => {
      const names = paths.map(path => path.split('/').at(-1));
      if (names.includes('openg2p.pfx') && password !== 'sesame') {
        const how = password === '' ? 'is locked with a password: give it.' : 'is not opened by this password.';
        return err({needsPassword: true, message: `openg2p.pfx ${how}`});
      }
      return ok(names.includes('fullchain.pem') && !names.includes('privkey.pem') ? alone : good);
    },
    keep: async (_, paths) => {
      asked.push(`import ${paths.join(' ')}`);
      kept.push('main');
      return ok({names: ['main'], tls: supplied(['main'])});
    },
    request: async (_, {name, each, subject, kind}) => {
      asked.push(`request ${name} ${each ? 'each' : 'wildcards'} ${kind} ${subject}`.trim());
      waiting.push(name);
      return ok({file: `/state/requests/${name}.csr`, tls: supplied([name])});
    },
  };
};
