import { sha256Of } from "../../base/hashing.ts";

/** One sheet for every page: the reader's light or dark, one column on a phone, nothing that needs a script. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --quiet: #57606a; --line: #d0d7de; --soft: #f3f5f7;
  --link: #0a58ca; --good: #1a7f37; --warn: #8a5a00; --bad: #b42318; --box: #eef4ff; }
@media (prefers-color-scheme: dark) { :root { --bg: #0f1318; --fg: #e6edf3; --quiet: #9aa5b1; --line: #323a44;
  --soft: #181e25; --link: #7cb3ff; --good: #56d377; --warn: #e5b454; --bad: #ff8078; --box: #172337; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99em; }
.skip:focus { left: 1em; top: .5em; background: var(--bg); padding: .25em .5em; z-index: 1; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .6rem 1rem;
  border-bottom: 1px solid var(--line); background: var(--soft); }
header nav { display: flex; gap: 1rem; flex: 1 1 auto; }
header form { display: flex; gap: .4rem; align-items: center; flex-wrap: wrap; }
.brand { font-weight: 700; text-decoration: none; color: var(--fg); }
main { max-width: 80rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; }
input, button { font: inherit; padding: .3rem .6rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--bg); color: var(--fg); max-width: 100%; }
button { cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--quiet); padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid var(--line);
  min-width: 7rem; }
thead th { border-bottom-width: 2px; } td code { white-space: nowrap; }
.quiet { color: var(--quiet); font-size: .9em; }
.mark { display: inline-block; border: 1px solid currentColor; border-radius: 1em; padding: 0 .55em; font-size: .8em;
  line-height: 1.6; margin: .1rem .2rem .1rem 0; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
p.mark { display: block; border-radius: 6px; padding: .3em .7em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; } dt { color: var(--quiet); }
dd { margin: 0; }
.command { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem;
  white-space: pre-wrap; }
.steps { padding-left: 1.2rem; } .kind { color: var(--quiet); display: inline-block; min-width: 5.5em; }
.lineage { max-width: none; } .lineage text { fill: var(--fg); font: 13px system-ui, sans-serif; }
.lineage .detail, .lineage .stage { fill: var(--quiet); font-size: 11px; } .lineage .title { font-weight: 600; }
.lineage .box { fill: var(--box); stroke: var(--line); } .lineage .doubt { stroke: var(--warn); stroke-dasharray: 5 3; }
.lineage .edge { fill: none; stroke: var(--quiet); stroke-width: 1.5; } .lineage a:hover .box { stroke: var(--link); }
.sign-in { max-width: 30rem; margin: 10vh auto; } .sign-in input { width: 100%; margin: .3rem 0 .8rem; }
@media (max-width: 40rem) {
  table.board thead { position: absolute; left: -99em; }
  table.board tr, table.board td, table.board th { display: block; border: 0; padding: .2rem 0; }
  table.board tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  table.board td[data-env]::before { content: attr(data-env); color: var(--quiet); display: block; font-size: .85em; }
  dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; }
}
@media print { header, .skip, .command { display: none; } }
`;

/** The sheet's name changes with it, so a browser may keep it for good. */
export const STYLE_PATH: string = `/style-${sha256Of(STYLE).slice(0, 12)}.css`;
