import type {ArtifactSource} from '../deployment/schema.ts';
import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {type Artifact, fileNameOf} from './artifact.ts';
import {entryInIndexScript} from './chart-index.ts';
import {checksumInScript} from './checksum-file.ts';
import {curlFunctions} from './curl.ts';
import {addressFrom} from './source.ts';
import {storeFunctions} from './store.ts';

export type Patience = {
  /** Seconds with less than 1000 bytes each after which a transfer is cut off and begun again where it stopped. */
  readonly stalledSeconds: number;
  /** Seconds between two lines that tell how far it is. */
  readonly tellSeconds: number;
  /** Seconds before the next try, times the number of those that brought nothing. */
  readonly pauseSeconds: number;
};

export const ordinaryPatience: Patience = {stalledSeconds: 60, tellSeconds: 5, pauseSeconds: 3};

/** Tries in a row that bring not one byte, before the operator hears of it. Those that bring some are never counted. */
const idleTries = 3;

/** Seconds in which a small file must be there: the index of a large chart repository over a slow link. */
const smallSeconds = 600;

/** A small file into $scratch/small. */
const fetchSmall = (address: string, more: Script): Script =>
  sh`code=$(get ${more} --max-time ${smallSeconds} --output "$scratch/small" --write-out '%{http_code}' ${address} 2>"$scratch/errors") ||
  fail "$(explain $? "$code" ${address} "$scratch/errors")"`;

/** The index of a chart repository into $scratch/small. */
export const fetchIndex = (index: string, source: ArtifactSource): Script =>
  fetchSmall(addressFrom(source, index), sh`--compressed`);

/**
 * Sets `expected` and `address`: from what is known beforehand, else from what the publisher says. Needs a folder
 * $scratch, and `fail` and the functions of curl.
 *
 * @param indexFile a shell word: where a chart's index lies that was fetched before
 */
export const learn = (artifact: Artifact, source: ArtifactSource, indexFile?: Script): Script => {
  const {sha256, checksumAddress, index} = artifact;
  if (index)
    return lines(
      ...(indexFile ? [] : [fetchIndex(index.address, source)]),
      learnFromIndex(artifact, index, source, indexFile ?? sh`"$scratch/small"`),
    );
  const address = sh`address=${addressFrom(source, artifact.address)}`;
  if (sha256 !== undefined) return lines(address, sh`expected=${sha256}`);
  if (checksumAddress === undefined) throw new Error(`nothing says what the checksum of ${artifact.id} is`);
  const checksums = addressFrom(source, checksumAddress);
  const name = fileNameOf(artifact);
  return lines(
    address,
    fetchSmall(checksums, sh``),
    sh`expected=$(${checksumInScript(sh`"$scratch/small"`, name)})`,
    sh`[ -n "$expected" ] || fail ${`${checksums} has no sha256 of ${name}`}`,
  );
};

const learnFromIndex = (
  {version, sha256}: Artifact,
  {address: published, chart}: NonNullable<Artifact['index']>,
  source: ArtifactSource,
  file: Script,
): Script => {
  const index = addressFrom(source, published);
  return lines(
    sh`entry=$(${entryInIndexScript(file, chart, version)})`,
    sh`[ -n "$entry" ] || fail ${`the chart repository ${index} does not list ${chart} ${version}`}`,
    sh`read -r expected address <<<"$entry"`,
    sha256 === undefined
      ? sh`expected=$(printf '%s' "$expected" | sed 's/^sha256://' | grep -xE '[0-9a-f]{64}') ||
  fail ${`the chart repository ${index} gives no digest of ${chart} ${version}`}`
      : sh`expected=${sha256}`,
    sh`case $address in
  http://*|https://*) ;;
  *) address=${published.replace(/[^/]*$/, '')}$address ;;
esac`,
    source.source === 'mirror'
      ? sh`case $address in
  ${source.address}/*) ;;
  *) address=${source.address}/$(printf '%s' "$address" | sed 's,^https*://,,') ;;
esac`
      : nothing,
  );
};

/**
 * `transfer`: one try at what is missing, told as it goes on. Sets `status` of curl and `code` of the server. The
 * pauses grow, so that a small file does not wait and a large one costs nothing.
 */
const transferFunction = ({stalledSeconds, tellSeconds}: Patience): Script => sh`transfer() {
  local pause=0.05 told=$SECONDS before now pid
  before=$(bytes_of "$part")
  get --continue-at - --speed-limit 1000 --speed-time ${stalledSeconds} --output "$part" --write-out '%{http_code}' "$address" >"$scratch/code" 2>"$scratch/errors" &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep "$pause"
    case $pause in 0.05) pause=0.2 ;; *) pause=0.5 ;; esac
    if [ $(( SECONDS - told )) -ge ${tellSeconds} ]; then
      now=$(bytes_of "$part")
      progress "$now" $(( (now - before) / (SECONDS - told) ))
      before=$now told=$SECONDS
    fi
  done
  wait "$pid"
  status=$?
  code=$(cat "$scratch/code")
}
progress() {
  if [ -n "$size" ]; then
    echo "$name: $(megabytes "$1") of $(megabytes "$size") MB, $(rate "$2")"
  else
    echo "$name: $(megabytes "$1") MB, $(rate "$2")"
  fi
}`;

/** Asks for the size, so that the space can be checked; a server that does not tell it is no reason to stop. */
const learnSize = sh`if [ -z "$size" ]; then
  size=$(get --head --max-time 60 "$address" 2>/dev/null | tr -d '\r' |
    awk 'tolower($1) ~ /^http\// { n = "" } tolower($1) == "content-length:" { n = $2 } END { if (n ~ /^[0-9]+$/ && n > 0) print n }')
fi`;

/**
 * Until the file is whole: what came is kept, and each try goes on behind it. A try that brought something is followed
 * by another at once, for as long as it takes; what can only be refused again is told at once.
 */
const loop = ({pauseSeconds}: Patience): Script => sh`resumed=no
[ ! -s "$part" ] || resumed=yes
idle=0 begun=$SECONDS first=$(bytes_of "$part")
while :; do
  have=$(bytes_of "$part")
  if [ -n "$size" ] && [ "$have" -gt "$size" ]; then rm -f "$part"; have=0; fi
  status=0 code=
  if [ -z "$size" ] || [ "$have" -lt "$size" ]; then
    room
    [ "$have" = 0 ] || echo "$name: going on behind $(megabytes "$have") MB"
    transfer
    now=$(bytes_of "$part")
    if [ "$status" = 33 ]; then
      echo "$address cannot be had in parts; beginning again"
      rm -f "$part"
      resumed=no idle=$(( idle + 1 ))
      [ "$idle" -lt ${idleTries} ] || fail "$(explain "$status" "$code" "$address" "$scratch/errors")"
      continue
    fi
    cut=no
    # 416: nothing lies behind what is here, so either it is whole or it is wrong.
    if [ "$status" != 0 ] && [ "$status/$code" != 22/416 ]; then cut=yes
    elif [ -n "$size" ] && [ "$now" -lt "$size" ]; then cut=short
    fi
    if [ "$cut" != no ]; then
      case $status/$code in
        22/408|22/429) ;;
        22/416) idle=${idleTries} cut=short ;;
        22/4*|23/*|127/*) fail "$(explain "$status" "$code" "$address" "$scratch/errors")" ;;
      esac
      if [ "$now" -gt "$have" ]; then idle=0; else idle=$(( idle + 1 )); fi
      if [ "$idle" -ge ${idleTries} ]; then
        [ "$cut" = yes ] && fail "$(explain "$status" "$code" "$address" "$scratch/errors")"
        rm -f "$part"
        fail "$address ends after $now of $size bytes: the file there is cut short"
      fi
      [ "$cut" = short ] || echo "$name: $(explain "$status" "$code" "$address" "$scratch/errors")"
      sleep $(( idle * ${pauseSeconds} ))
      continue
    fi
  fi
  found=$(hash_of "$part")
  if [ "$found" = "$expected" ]; then
    have=$(bytes_of "$part")
    took=$(( SECONDS - begun ))
    accept "$expected"
    echo "$name: $(megabytes "$have") MB, $(rate $(( (have - first) / (took > 0 ? took : 1) ))), sha256 is right"
    exit 0
  fi
  rm -f "$part"
  [ "$resumed" = yes ] || fail "$address served a file with a wrong checksum, which was deleted: sha256 is $found, expected $expected"
  echo "$name: what lay here from before does not belong to this file; beginning again"
  resumed=no first=0
done`;

/**
 * Brings an artifact into a host's store by curl: the checksum first, then the file behind what is there of it, then
 * the check, and only then its name. Ends with 0 when the right file is there.
 */
export const downloadScript = (
  artifact: Artifact,
  source: ArtifactSource,
  {store, patience = ordinaryPatience}: {readonly store?: string; readonly patience?: Patience} = {},
): Script =>
  lines(
    storeFunctions(artifact, store),
    curlFunctions(source),
    sh`scratch=$(mktemp -d) || fail 'no temporary folder can be made'`,
    sh`trap 'rm -rf "$scratch"' EXIT`,
    learn(artifact, source),
    sh`keep "$expected" && exit 0`,
    learnSize,
    transferFunction(patience),
    loop(patience),
  );
