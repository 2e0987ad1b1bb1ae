import {type Script, sh} from '../shell/script.ts';

/**
 * Where the index of a chart repository says that a version of a chart is, and its digest. The index of a large
 * repository has tens of megabytes, of which three lines are wanted: this reads the form in which helm itself writes
 * indexes (keys in the order of the alphabet, lists indented or not) line by line, in place of all as YAML.
 */
export type IndexEntry = {
  /** As it stands there: an address, or a path relative to the index. */
  readonly url: string;
  /** 64 hexadecimal digits; undefined when the repository gives none. */
  readonly sha256: string | undefined;
};

const bare = (text: string): string =>
  text
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();

/** Some repositories write a v before the version in some years and not in others; helm takes both for the same. */
const unprefixed = (version: string): string => version.replace(/^v/, '');

type Open = {version: string; digest: string; url: string};

const entryOf = ({digest, url}: Open): IndexEntry => {
  const sha256 = digest.replace(/^sha256:/, '');
  return {url, sha256: /^[0-9a-f]{64}$/.test(sha256) ? sha256 : undefined};
};

/** Calls back with each line of a text, without making a list of millions of them; ends when that says true. */
const someLine = (text: string, test: (line: string) => boolean): boolean => {
  for (let from = 0; from < text.length; ) {
    const to = text.indexOf('\n', from);
    const end = to === -1 ? text.length : to;
    if (test(text.slice(from, end).replace(/\r$/, ''))) return true;
    from = end + 1;
  }
  return false;
};

/** The entry of a chart's version in the text of an index.yaml; undefined when it is not listed. */
export const entryInIndex = (text: string, chart: string, version: string): IndexEntry | undefined => {
  let inEntries = false;
  let inside = false;
  let dash = -1;
  let key = '';
  let open: Open = {version: '', digest: '', url: ''};
  let found: Open | undefined;
  const flush = (): boolean => {
    if (inside && open.url !== '' && unprefixed(open.version) === unprefixed(version)) found = open;
    open = {version: '', digest: '', url: ''};
    key = '';
    return found !== undefined;
  };
  const field = (text: string): void => {
    const colon = text.indexOf(':');
    key = text.slice(0, colon);
    const value = bare(text.slice(colon + 1));
    if (key === 'version') open.version = value;
    if (key === 'digest') open.digest = value;
  };
  someLine(text, line => {
    if (/^[^\s#-]/.test(line)) {
      const done = flush();
      inside = false;
      inEntries = line.startsWith('entries:');
      return done;
    }
    if (!inEntries) return false;
    if (/^ {2}[^\s-]/.test(line)) {
      const done = flush();
      inside = bare(line.trim().replace(/:\s*$/, '')) === chart;
      dash = -1;
      return done;
    }
    if (!inside) return false;
    const indent = line.length - line.trimStart().length;
    const rest = line.slice(indent);
    const item = rest.startsWith('- ');
    if (item && (dash === -1 || indent === dash)) {
      const done = flush();
      dash = indent;
      field(rest.slice(2));
      return done;
    }
    if (item && key === 'urls' && open.url === '' && indent > dash) open.url = bare(rest.slice(2));
    else if (!item && indent === dash + 2) field(rest);
    return false;
  });
  flush();
  return found && entryOf(found);
};

/** The same on a host, where nothing but awk can be taken for granted: prints `DIGEST URL`, or nothing. */
const awkProgram = `
function bare(text) {
  sub(/^[ \\t]+/, "", text); sub(/[ \\t\\r]+$/, "", text)
  if (text ~ /^".*"$/ || text ~ /^\\047.*\\047$/) text = substr(text, 2, length(text) - 2)
  return text
}
function flush() {
  sub(/^v/, "", version)
  if (inside && version == wanted && url != "") { print (digest == "" ? "-" : digest) " " url; found = 1; exit }
  version = ""; digest = ""; url = ""; key = ""
}
function field(text, colon) {
  colon = index(text, ":")
  key = substr(text, 1, colon - 1)
  if (key == "version") version = bare(substr(text, colon + 1))
  if (key == "digest") digest = bare(substr(text, colon + 1))
}
BEGIN { dash = -1 }
/^[^ \\t#-]/ { flush(); inside = 0; entries = ($0 ~ /^entries:/); next }
!entries { next }
/^  [^ \\t-]/ {
  flush()
  name = $0; sub(/:[ \\t\\r]*$/, "", name)
  inside = (bare(name) == chart); dash = -1
  next
}
!inside { next }
{
  match($0, /^ */); indent = RLENGTH; rest = substr($0, indent + 1)
  item = (substr(rest, 1, 2) == "- ")
  if (item && (dash == -1 || indent == dash)) { flush(); dash = indent; field(substr(rest, 3)); next }
  if (item && key == "urls" && url == "" && indent > dash) url = bare(substr(rest, 3))
  else if (!item && indent == dash + 2) field(rest)
}
END { if (!found) flush() }`;

/** @param file a shell word: the index on the host */
export const entryInIndexScript = (file: Script, chart: string, version: string): Script =>
  sh`awk -v ${`chart=${chart}`} -v ${`wanted=${unprefixed(version)}`} ${awkProgram} ${file}`;
