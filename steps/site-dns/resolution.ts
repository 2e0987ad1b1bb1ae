import type {Address} from '../../source/network/address.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';

/** What a resolver says about a name. Times are seconds. */
export type Answer =
  /** `ttl`: how long it may be remembered, where that is known. */
  | {readonly kind: 'addresses'; readonly addresses: readonly Address[]; readonly ttl?: number}
  /** `remembered`: how long it may be remembered that there is none. */
  | {readonly kind: 'absent'; readonly exists: boolean; readonly remembered?: number}
  /** Nobody answered in time: that says nothing about the record. */
  | {readonly kind: 'silent'; readonly said: string}
  /** It answered that it cannot or will not tell: SERVFAIL, REFUSED. */
  | {readonly kind: 'refused'; readonly status: string}
  /** No tool told which of these it is. */
  | {readonly kind: 'unknown'; readonly said: string};

/** Begins the answer about each name, in the order of the names. */
const mark = '== ';

/**
 * Asks the host's own resolver for the A records of names, all at once; takes as long as the slowest, 4 seconds at most. For a wildcard a
 * random name below it is asked, which nothing can remember. Without dig (before the host baseline) getent tells less.
 */
export const resolutionScript = (names: readonly string[]): Script => sh`ask() {
  case $1 in '*.'*) set -- "groundwork-$RANDOM$RANDOM$(printf %s "$1" | tail -c +2)" ;; esac
  printf '%s%s\n' ${mark} "$1"
  if command -v dig >/dev/null 2>&1; then
    dig +time=2 +tries=2 +noall +comments +answer +authority "$1" A 2>&1
    printf 'dig %s\n' "$?"
  else
    getent ahostsv4 "$1" | awk '$2 == "STREAM" {print "getent", $1}'
  fi
}
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
count=0
for name in ${names}; do
  count=$((count + 1))
  ask "$name" >"$work/$count" &
done
wait
for number in $(seq "$count"); do cat "$work/$number"; done`;

const address = /^\S+\s+(\d+)\s+IN\s+A\s+(\d+\.\d+\.\d+\.\d+)$/;
const startOfAuthority = /^\S+\s+(\d+)\s+IN\s+SOA\s+\S+\s+\S+\s+\d+\s+\d+\s+\d+\s+\d+\s+(\d+)$/;

/** What dig printed (`+noall +comments +answer +authority`), with its exit status in a last line. */
const fromDig = (lines: readonly string[]): Answer => {
  const status = lines.map(line => /status: ([A-Z]+)/.exec(line)?.[1]).find(Boolean);
  if (status === undefined) {
    const said = lines.findLast(line => /error|timed out|no servers/i.test(line))?.replace(/^;+ */, '');
    return {kind: 'silent', said: said ?? 'no answer'};
  }
  if (status !== 'NOERROR' && status !== 'NXDOMAIN') return {kind: 'refused', status};
  const found = lines.flatMap(line => {
    const [, ttl = '', value = ''] = address.exec(line) ?? [];
    return value === '' ? [] : [{ttl: Number(ttl), value}];
  });
  if (found.length > 0) {
    return {
      kind: 'addresses',
      addresses: [...new Set(found.map(({value}) => value))].toSorted(),
      ttl: Math.min(...found.map(({ttl}) => ttl)),
    };
  }
  // RFC 2308, 5: the smaller of the SOA record's own TTL and its last field.
  const [, ttl, least] = lines.map(line => startOfAuthority.exec(line)).find(Boolean) ?? [];
  return {
    kind: 'absent',
    exists: status === 'NOERROR',
    ...(ttl !== undefined && {remembered: Math.min(Number(ttl), Number(least))}),
  };
};

/** Answers in the order of the names, as `resolutionScript` prints them. */
export const readResolution = (stdout: string): readonly Answer[] =>
  stdout
    .split(/^== /m)
    .slice(1)
    .map((part): Answer => {
      const lines = part
        .split('\n')
        .slice(1)
        .map(line => line.trim())
        .filter(line => line !== '');
      if (lines.some(line => /^dig \d+$/.test(line))) return fromDig(lines);
      const addresses = lines.flatMap(line => /^getent (\S+)$/.exec(line)?.[1] ?? []);
      return addresses.length > 0
        ? {kind: 'addresses', addresses: [...new Set(addresses)].toSorted()}
        : {kind: 'unknown', said: 'the resolver gave no address'};
    });

const seconds = (count: number): string =>
  count < 120 ? `${count} s` : count < 7200 ? `${Math.round(count / 60)} minutes` : `${Math.round(count / 3600)} hours`;

/** The few addresses that one looks at. */
const listed = (addresses: readonly Address[]): string => addresses.slice(0, 4).join(', ');

/**
 * Whether an answer is what the record should lead to: evidence, or what there is in its place and how long a correction may
 * stay unseen. With no accepted address any is right: nobody knows a better one.
 */
export const judge = (answer: Answer, accepted: readonly Address[]): Result<string, string> => {
  switch (answer.kind) {
    case 'addresses': {
      const {addresses, ttl} = answer;
      const wrong = accepted.length === 0 ? [] : addresses.filter(each => !accepted.includes(each));
      if (wrong.length === 0) return ok(listed(addresses));
      const memory = ttl === undefined || ttl === 0 ? '' : `; a correction may stay unseen for ${seconds(ttl)} (TTL)`;
      return wrong.length < addresses.length
        ? err(`it leads to ${listed(addresses)}, of which ${listed(wrong)} is wrong${memory}`)
        : err(`it leads to ${listed(wrong)}${memory}`);
    }
    case 'absent': {
      const memory =
        answer.remembered === undefined || answer.remembered === 0
          ? ''
          : `; that it is missing may be remembered for ${seconds(answer.remembered)}`;
      return err(
        `${answer.exists ? 'the name exists, without an A record' : 'the name does not exist (NXDOMAIN)'}${memory}`,
      );
    }
    case 'silent':
      return err(`nobody answered, which says nothing about the record: ${answer.said}`);
    case 'refused':
      return err(`the resolver answered ${answer.status}: it does not serve the zone, or cannot reach who does`);
    case 'unknown':
      return err(answer.said);
  }
};
