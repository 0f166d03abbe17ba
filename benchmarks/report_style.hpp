#pragma once

namespace furrow::bench {

/// The page's style sheet. The colours of lines are those of Okabe and Ito, which colour-blind people tell apart; marker and dash
/// say the same again. The heat map goes from blue over neutral to orange, and every cell has its number.
inline constexpr char kStyle[] = R"css(
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --card: #fff; --ink: #1d2126; --soft: #59626d; --rule: #d9dde2; --grid: #e8ebee; --accent: #00639c;
  --c0: #6b7280; --c1: #0072b2; --c2: #d55e00; --c3: #00845f; --c4: #1d2126; --c5: #a8508a; --c6: #8a7400; --c7: #3f8fc4; --c8: #7a4a1e;
  --q0: #6fb1dd; --q1: #b9daf0; --q2: #f3f3f0; --q3: #fde9d0; --q4: #fbcf9b; --q5: #f4a95a; --q6: #dd7b1f; --q7: #a64b00;
  --deep: #fff; --wrong: #b00020;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --card: #1b1f24; --ink: #e6e8ea; --soft: #a3acb6; --rule: #363d45; --grid: #282e35; --accent: #6cbcf0;
    --c0: #a7adb5; --c1: #56b4e9; --c2: #ff8c42; --c3: #2cc598; --c4: #e6e8ea; --c5: #e39ccb; --c6: #e0cb4a; --c7: #9fd3f5; --c8: #c99a6b;
    --q0: #1e6ea5; --q1: #1b4866; --q2: #262b31; --q3: #40341f; --q4: #5f4419; --q5: #86590f; --q6: #b87414; --q7: #f0a64a;
    --deep: #14171a; --wrong: #ff8a8a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 84rem; margin: 0 auto; padding: 1.5rem clamp(.9rem, 3vw, 2.5rem) 4rem; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 .8rem; letter-spacing: .01em; }
h2 { font-size: 1.35rem; margin: 3rem 0 .4rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; }
h3::first-letter { text-transform: uppercase; }
p { max-width: 68ch; margin: .4rem 0 .8rem; }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; }
.verdict { background: var(--card); border: 1px solid var(--rule); border-left: 6px solid var(--accent); border-radius: 8px;
  padding: 1.1rem 1.4rem 1.2rem; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 2.5rem; align-items: center; }
.verdict .pick { font-size: 2rem; line-height: 1.2; font-weight: 650; margin: 0 0 .4rem; }
.verdict .pick b { color: var(--accent); font-weight: inherit; }
.warn { border-left: 6px solid var(--c2); background: var(--card); padding: .5rem .9rem; margin: .8rem 0; border-radius: 6px; max-width: none; }
.wrong { color: var(--wrong); font-weight: 600; }
nav { margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; font-size: .95rem; }
a { color: var(--accent); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr)); gap: 1rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .7rem .8rem .5rem; min-width: 0; }
figure h4 { margin: 0 0 .2rem; font-size: 1rem; }
figure h4 span { font-weight: 400; color: var(--soft); font-size: .88rem; margin-left: .5rem; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; }
svg.curves { width: 100%; }
svg.forest { width: 100%; max-width: 30rem; }
svg.roofline { width: 100%; min-width: 38rem; }
.scroll { overflow-x: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
svg.roofline text { paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
svg .tick, svg .label { fill: var(--soft); }
svg .raised { font-size: 8px; }
svg.forest text { font-size: 13px; }
svg.forest .tick, svg.forest .label { font-size: 11.5px; }
svg .picked { font-weight: 700; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--soft); }
.cache { stroke: var(--soft); stroke-dasharray: 1 4; stroke-linecap: round; }
.roof { stroke: var(--ink); stroke-width: 1.6; }
.peak { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 4; }
.leader { stroke: var(--soft); stroke-width: .6; }
g { --c: var(--c0); }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); }
.c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); } .c8 { --c: var(--c8); }
g g { --c: inherit; }
.curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.peer .curve { stroke-width: 1.3; stroke-dasharray: 5 3; }
.band { fill: var(--c); opacity: .2; }
.peer .band { opacity: .1; }
.whisker { stroke: var(--c); stroke-width: 2.5; stroke-linecap: round; }
.c0 circle, .c1 path:not(.curve):not(.band), .c2 path:not(.curve):not(.band), .c3 path:not(.curve):not(.band), .c4 path:not(.curve):not(.band),
.c5 circle, .c6 path:not(.curve):not(.band), .c7 path:not(.curve):not(.band), .c8 path:not(.curve):not(.band) { fill: var(--c); stroke: var(--c); }
.peer circle, g.peer path:not(.curve):not(.band) { fill: var(--card); stroke-width: 1.2; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .6rem 0 1rem; position: sticky; top: 0; background: var(--paper);
  padding: .4rem 0; font-size: .9rem; z-index: 1; }
.key { display: inline-flex; align-items: center; gap: .45rem; }
.frame { overflow-x: auto; max-width: 100%; border: 1px solid var(--rule); border-radius: 8px; background: var(--card); width: fit-content; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .5rem .7rem; }
th, td { padding: .28rem .6rem; text-align: right; white-space: nowrap; }
thead th { font-weight: 600; border-bottom: 1px solid var(--rule); vertical-align: bottom; }
th[scope=row], th[scope=rowgroup], .about td, .about th { text-align: left; font-weight: 400; }
th[scope=rowgroup] { color: var(--soft); padding-top: .7rem; font-size: .85rem; }
tbody th[scope=row] { position: sticky; left: 0; background: var(--card); }
.about td { white-space: normal; overflow-wrap: anywhere; }
.about th { color: var(--soft); vertical-align: top; white-space: normal; }
.heat { width: 100%; }
.wide { width: 100%; }
.heat thead th { text-align: center; }
thead th:first-child, .heat thead th:first-child { text-align: left; }
.heat td { text-align: center; border: 2px solid var(--card); border-radius: 5px; min-width: 4.2rem; }
.q0 { background: var(--q0); } .q1 { background: var(--q1); } .q2 { background: var(--q2); } .q3 { background: var(--q3); }
.q4 { background: var(--q4); } .q5 { background: var(--q5); } .q6 { background: var(--q6); } .q7 { background: var(--q7); color: var(--deep); }
.bits .same { color: var(--soft); }
.bits .differs { background: var(--q4); }
.bits .varies { background: var(--q6); }
small { font-size: .8em; opacity: .85; }
.beside { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.beside figure { flex: 1 1 40rem; }
.scale { display: flex; flex-wrap: wrap; gap: .2rem; font-size: .82rem; margin: .5rem 0 .9rem; }
.scale span { padding: .1rem .55rem; border-radius: 4px; }
.best { font-weight: 700; }
.range { color: var(--soft); font-size: .82em; }
details { margin: .9rem 0; }
summary { cursor: pointer; color: var(--accent); }
details[open] > summary { margin-bottom: .7rem; }
sup { font-size: .7em; line-height: 0; }
@media (max-width: 40rem) { body { font-size: 15px; } h2 { font-size: 1.2rem; } .verdict .pick { font-size: 1.6rem; } .keys { position: static; } }
@media print { .keys { position: static; } figure { break-inside: avoid; } }
)css";

}  // namespace furrow::bench
