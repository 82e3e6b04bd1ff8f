export type Shell = "bash" | "zsh" | "fish";

/**
 * What a shell has to load. Each asks the program that is installed, with the words so far on its standard input,
 * each ended by a zero byte: so the answer is never older than the program, and no word is taken for a flag of
 * `completions` itself. The first line of the answer says what kind it is.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of waybill. Load it with: source <(waybill completions bash)
_waybill() {
  local words=() word kind line value cut joined= i
  # Bash splits at = and :, which our words contain; put them together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ \${#words[@]} -gt 0 && ( $word == [=:] || -n $joined ) ]]; then
      words[\${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    joined=
    [[ $word == [=:] ]] && joined=1
  done
  [[ \${#words[@]} -gt 0 ]] || words=("")
  word=\${words[\${#words[@]}-1]}
  cut=\${word%"\${word##*[=:]}"}
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS= read -r line; do
      value=\${line%%$'\\t'*}
      COMPREPLY+=("\${value#"$cut"}")
    done
  } < <(printf '%s\\0' "\${words[@]}" | waybill completions words 2>/dev/null)
  word=\${word#"$cut"}
  case $kind in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
  esac
}
complete -F _waybill waybill
`,
  zsh: `#compdef waybill
# zsh completion of waybill. Save it as _waybill in a folder of $fpath: waybill completions zsh >~/.zfunc/_waybill
_waybill() {
  local -a lines values shown
  local line kind
  lines=("\${(@f)$(printf '%s\\0' "\${(@Q)words[2,CURRENT]}" | waybill completions words 2>/dev/null)}")
  kind=$lines[1]
  shift lines
  [[ $kind == (files|folders) && $PREFIX == --*=* ]] && compset -P '*='
  case $kind in
    files) _files ;;
    folders) _files -/ ;;
    values)
      for line in $lines; do
        values+=("\${line%%$'\\t'*}")
        shown+=("\${line/$'\\t'/  -- }")
      done
      (( $#values )) && compadd -l -d shown -a values
      ;;
  esac
}
if [[ \${funcstack[1]-} == _waybill ]]; then _waybill "$@"; else compdef _waybill waybill; fi
`,
  fish: `# fish completion of waybill. Save it: waybill completions fish >~/.config/fish/completions/waybill.fish
function __waybill_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l current (commandline -ct)
    set -l lines (printf '%s\\0' $words[2..-1] | waybill completions words 2>/dev/null)
    set -l prefix (string match -r '^--[^=]*=' -- $current)
    set -l part (string replace -r '^--[^=]*=' '' -- $current)
    switch "$lines[1]"
        case files
            for path in (__fish_complete_path $part)
                echo $prefix$path
            end
        case folders
            for path in (__fish_complete_directories $part)
                echo $prefix$path
            end
        case values
            test (count $lines) -gt 1; and printf '%s\\n' $lines[2..-1]
    end
end
complete -c waybill -f -a '(__waybill_complete)'
`,
};
