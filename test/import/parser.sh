# The parser of OpenG2P's scripts, written anew from its description: the judge of ours. Reads standard input; prints
# key, NUL, value, NUL of each setting that is set.
# Lines without a name before the colon end the scripts with an error of Bash; entries of lists nobody asks for.
set -u
declare -A settings=()
space='[:space:]'
group=
while IFS= read -r line || [ -n "$line" ]; do
  if [[ $line =~ ^[$space]*(#.*)?$ ]]; then continue; fi
  [[ $line =~ ^([$space]*)([^#]*) ]]
  indent=${BASH_REMATCH[1]} text=${BASH_REMATCH[2]}
  if [[ ! $text =~ ^([^:]*):(.*)$ ]]; then continue; fi
  key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
  [[ $key =~ ^(.*[^$space])?[$space]*$ ]] && key=${BASH_REMATCH[1]}
  [[ $value =~ ^[$space]*(.*)$ ]] && value=${BASH_REMATCH[1]}
  [[ $value =~ ^(.*[^$space])?[$space]*$ ]] && value=${BASH_REMATCH[1]}
  for quote in '"' "'"; do
    value=${value%"$quote"}
    value=${value#"$quote"}
  done
  case $key in '' | -*) continue ;; esac
  if [ -z "$value" ]; then
    if [ -z "$indent" ]; then group=$key; fi
  elif [ -n "$indent" ] && [ -n "$group" ]; then
    settings["$group.$key"]=$value
  else
    group=
    settings["$key"]=$value
  fi
done
for key in "${!settings[@]}"; do printf '%s\0%s\0' "$key" "${settings[$key]}"; done
