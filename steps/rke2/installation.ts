import {artifactPath} from '../../source/artifacts/artifact.ts';
import {artifactOf} from '../../source/artifacts/for-step.ts';
import type {StepContext} from '../../source/engine/step.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {imagesDirectory, prefix, program, unitPath} from './paths.ts';

type Installed = {readonly version: string | undefined; readonly unit: boolean};

/**
 * The archive, unpacked as RKE2's own installer does it. Beside its place first, and the program itself last: until it
 * is there, its version says that this is still to be done.
 */
export const rke2Program = (context: StepContext): Resource => {
  const archive = artifactOf('rke2-archive', context);
  const {version} = archive;
  return resource<Installed>({
    id: 'rke2 program',
    doing: `installing RKE2 ${version}`,
    probe: sh`[ ! -f ${unitPath} ] || echo unit
[ ! -x ${program} ] || ${program} --version 2>/dev/null | sed -n 's/^rke2 version \([^ ]*\).*/version \1/p'`,
    read: ({stdout}) => ok({version: /^version (\S+)$/m.exec(stdout)?.[1], unit: /^unit$/m.test(stdout)}),
    diff: installed => {
      if (installed.version === undefined) return [{summary: `install RKE2 ${version}`}];
      if (installed.version !== version) return [{summary: `RKE2 ${installed.version} → ${version}`}];
      return installed.unit ? [] : [{summary: `install the missing unit of RKE2 ${version}`}];
    },
    apply: () =>
      script(
        sh`set -eu -o pipefail
folder=${`${prefix}/.groundwork-rke2`}
rm -rf "$folder"
trap 'rm -rf "$folder"' EXIT
mkdir -m 0755 "$folder"
tar --extract --gzip --no-same-owner --file=${artifactPath(archive)} --directory="$folder"
case $("$folder/bin/rke2" --version) in
  ${`rke2 version ${version} `}*) ;;
  *) echo ${`the archive does not hold RKE2 ${version}`} >&2; exit 1 ;;
esac
cd "$folder"
find . ! -type d ! -path ./bin/rke2 -print0 | while IFS= read -r -d '' file; do
  mkdir -p ${prefix}/"$(dirname "$file")"
  mv -fT "$file" ${prefix}/"$file"
done
mkdir -p ${`${prefix}/bin`}
mv -fT bin/rke2 ${program}
sync ${program}
systemctl daemon-reload`,
        {timeoutMs: 300_000},
      ),
  });
};

/**
 * The container images where RKE2 looks for them before it asks a registry: so a site without internet has all that
 * the cluster itself needs. A second name of the verified file, not a second file, where one disk holds both.
 */
export const rke2Images = (context: StepContext): Resource => {
  const images = artifactOf('rke2-images', context);
  const source = artifactPath(images);
  const target = `${imagesDirectory}/rke2-images.linux-${images.arch ?? 'amd64'}.tar.zst`;
  return resource<string>({
    id: 'rke2 images',
    doing: `placing the images of RKE2 ${images.version}`,
    probe: sh`if [ ! -e ${target} ]; then echo missing
elif [ ${target} -ef ${source} ] || [ "$(stat -L -c '%s %Y' ${target})" = "$(stat -L -c '%s %Y' ${source} 2>/dev/null)" ]; then echo same
else echo other
fi`,
    read: ({stdout}) => ok(stdout.trim()),
    diff: state =>
      state === 'same'
        ? []
        : [{summary: `${state === 'other' ? 'replace older images by' : 'place'} the images of ${images.version}`}],
    apply: () =>
      script(
        sh`set -eu
mkdir -p ${imagesDirectory}
rm -f ${`${imagesDirectory}/.groundwork-images`}
trap 'rm -f ${`${imagesDirectory}/.groundwork-images`}' EXIT
ln ${source} ${`${imagesDirectory}/.groundwork-images`} 2>/dev/null || cp --preserve=timestamps ${source} ${`${imagesDirectory}/.groundwork-images`}
mv -fT ${`${imagesDirectory}/.groundwork-images`} ${target}
sync ${imagesDirectory}`,
        // Copied where the two lie on different disks: a gigabyte.
        {detached: true, timeoutMs: 900_000},
      ),
  });
};
