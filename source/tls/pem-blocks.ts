/** A block of PEM: what stands between its lines is kept as it is, headers of old encrypted keys included. */
export type PemBlock = {
  /** `CERTIFICATE`, `RSA PRIVATE KEY`, … */
  readonly label: string;
  /** Written anew: lines of 64 characters that end with LF, whatever mail programs and editors made of them. */
  readonly text: string;
  readonly der: Buffer;
};

export type PemBlocks = {
  readonly blocks: readonly PemBlock[];
  /** The label of a block that begins and does not end: the file was cut off, or copied in part. */
  readonly cutOff: string | undefined;
};

/** A chain has three or four certificates, and a bundle of a whole department's some dozens. */
const mostBlocks = 300;

const begin = /-----BEGIN ([A-Z0-9 #]{1,40})-----/g;

/** `Proc-Type` and `DEK-Info` of keys that were encrypted in the way of the first OpenSSL. */
const headerLine = /^[A-Za-z-]+:.*$/;

const rewritten = (label: string, inner: string): PemBlock => {
  const lines = inner.split(/\r\n|\r|\n/).map(line => line.trim());
  const headers = lines.filter(line => headerLine.test(line));
  const base64 = lines.filter(line => !headerLine.test(line)).join('');
  const body = base64.match(/.{1,64}/g) ?? [];
  return {
    label,
    text: [
      `-----BEGIN ${label}-----`,
      ...(headers.length > 0 ? [...headers, ''] : []),
      ...body,
      `-----END ${label}-----`,
      '',
    ].join('\n'),
    der: Buffer.from(base64, 'base64'),
  };
};

/** Every block in a text. What stands beside them (bag attributes, comments, the certificate in words) is passed over. */
export const pemBlocks = (text: string): PemBlocks => {
  const blocks: PemBlock[] = [];
  begin.lastIndex = 0;
  for (let match = begin.exec(text); match && blocks.length < mostBlocks; match = begin.exec(text)) {
    const [line, label = ''] = match;
    const from = match.index + line.length;
    const end = `-----END ${label}-----`;
    const to = text.indexOf(end, from);
    if (to < 0) return {blocks, cutOff: label};
    blocks.push(rewritten(label, text.slice(from, to)));
    begin.lastIndex = to + end.length;
  }
  return {blocks, cutOff: undefined};
};
