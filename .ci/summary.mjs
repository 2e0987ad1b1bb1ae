/** Reads vitest's JSON reports and prints what failed, and the counts as the last line. */
import {existsSync, readFileSync} from 'node:fs';

const reports = process.argv
  .slice(2)
  .filter(file => existsSync(file))
  .map(file => JSON.parse(readFileSync(file, 'utf8')));
const count = key => reports.reduce((total, report) => total + report[key], 0);

for (const {name, status, message, assertionResults} of reports.flatMap(({testResults}) => testResults)) {
  const failed = assertionResults.filter(test => test.status === 'failed');
  for (const {fullName, failureMessages} of failed)
    process.stdout.write(`FAILED ${name}: ${fullName}\n${failureMessages[0]}\n`);
  // A file that fails without a failed test: it could not be read, or its set-up failed.
  if (status === 'failed' && failed.length === 0) process.stdout.write(`FAILED ${name}\n${message}\n`);
}
process.stdout.write(`Tests: ${count('numPassedTests')} passed, ${count('numFailedTests')} failed\n`);
