import {execFileSync} from 'node:child_process';

/**
 * Lets Python answer a whole batch of questions in one process: `program` is the body of `def judge(case)`, which gets
 * each case as JSON gave it and returns something that JSON can hold.
 */
export const askPython = <Case, Answer>(program: readonly string[], cases: readonly Case[]): Answer[] => {
  const script = [
    'import ipaddress, json, sys',
    'def judge(case):',
    ...program.map(line => `    ${line}`),
    'print(json.dumps([judge(case) for case in json.load(sys.stdin)]))',
  ].join('\n');
  return JSON.parse(
    execFileSync('python3', ['-c', script], {input: JSON.stringify(cases), encoding: 'utf8', maxBuffer: 1 << 28}),
  );
};
