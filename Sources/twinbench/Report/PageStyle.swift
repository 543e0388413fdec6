// How a page looks, in light and dark.

enum PageStyle {
  static let text = """
    :root {
      --paper: #ffffff; --ink: #1b1f24; --quiet: #59626d; --line: #d5dae0; --grid: #e8ebef;
      --s0: #0b63c4; --s1: #c2410c; --s2: #15803d; --s3: #7e22ce; --s4: #a16207;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #14171b; --ink: #e6e9ed; --quiet: #9aa4b0; --line: #3a424c; --grid: #262c33;
        --s0: #6cb2ff; --s1: #ff9b66; --s2: #6bd48f; --s3: #c79bff; --s4: #e3c04f;
      }
    }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
    h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
    h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
    p { margin: .4rem 0 .8rem; max-width: 48rem; }
    .note { color: var(--s1); }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
    .word, .pairs th { text-align: left; }
    thead th { color: var(--quiet); font-weight: 600; }
    .pairs th { font-weight: 400; color: var(--quiet); padding-right: 2rem; }
    .pairs td { text-align: left; white-space: normal; }
    svg { display: block; width: 100%; height: auto; margin: .5rem 0 1rem; font: 13px system-ui, sans-serif; }
    svg text { fill: var(--quiet); }
    svg .title { fill: var(--ink); font-weight: 600; }
    svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--line); }
    svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
    .s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); }
    svg .one { stroke: var(--quiet); stroke-width: 1.5; } svg .budget { stroke: var(--ink); stroke-width: 3; }
    svg .name { fill: var(--ink); }
    circle.s0 { fill: var(--s0); } circle.s1 { fill: var(--s1); } circle.s2 { fill: var(--s2); }
    svg text.s0 { fill: var(--s0); stroke: none; } svg text.s1 { fill: var(--s1); stroke: none; }
    svg text.s2 { fill: var(--s2); stroke: none; } svg text.s3 { fill: var(--s3); stroke: none; }
    svg text.s4 { fill: var(--s4); stroke: none; }
    """
}
